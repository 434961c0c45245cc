#include "zoo/recommend/task.h"

#include <algorithm>
#include <iomanip>
#include <utility>

#include "autograd/io/json.h"
#include "zoo/base/format.h"
#include "zoo/data/fingerprint.h"
#include "zoo/data/tastes.h"
#include "zoo/recommend/catalogue.h"
#include "zoo/recommend/counts.h"
#include "zoo/recommend/lists.h"
#include "zoo/recommend/model.h"
#include "zoo/report/page.h"

namespace tarsier::zoo::recommend {

namespace {

class RecommendTask : public TaskOf<SasRec, Interactions> {
 public:
  explicit RecommendTask(const std::string& name) : TaskOf(name) {
    // Found by experiment on the validation items of Amazon's Beauty reviews: four epochs of them.
    recipe.steps = 2800;
    recipe.batch_size = 32;
    recipe.learning_rate = 4e-3;
    recipe.min_learning_rate = 1e-5;
    recipe.weight_decay = 0.01;
    recipe.ema_decay = 0.99;
    recipe.eval_every = 700;
  }

  std::string items() const override { return "items"; }

  // ---- training ----

  int64_t training_examples() const override { return train_.size(); }

  Batch batch(int64_t number, uint64_t seed) override {
    return with_evidence(drawn(number, seed), kNoLimit);
  }

  StudyInput study_input(int64_t length, uint64_t seed) override {
    const int64_t example = first_drawn(seed);
    StudyInput input{.batch = with_evidence({example}, length)};
    const History& window = train_[example];
    const int64_t count = input.batch.items;
    input.labels = {{"tokens", catalogue_.titles({window.begin(), window.begin() + count})},
                    {"next", catalogue_.titles({window.begin() + 1, window.begin() + 1 + count})}};
    input.description = counted(count, "item");
    return input;
  }

  Tensor loss(const Batch& batch) override {
    Evidence evidence;
    if (model().pairs) evidence = {batch["cells"], batch["evidence"]};
    return cross_entropy(model()(batch["index"], batch["places"], evidence), batch["targets"],
                         {.label_smoothing = label_smoothing_});
  }

  Metrics validate() override { return judge(model(), split_.validation).metrics("val_loss"); }

  Metrics evaluate() override {
    Metrics all = judge(model(), split_.test).metrics("loss");
    for (const Baseline& one : baselines(Counter(split_.train, catalogue_.size()), split_.test))
      for (Metric& metric : one.score.metrics(one.name + " ")) all.push_back(std::move(metric));
    return all;
  }

  // ---- use ----

  void show_sample(std::ostream& out) override {
    for (const auto& row : comparison()) {
      for (size_t i = 0; i < row.size(); ++i)
        out << "  " << std::left << std::setw(i == 0 ? 14 : 8) << row[i];
      out << "\n";
    }
    const Question& question = split_.validation[split_.validation.size() / 2];
    out << "\n  who took\n";
    const int64_t earlier = std::max<int64_t>(0, std::ssize(question.seen) - 10);
    if (earlier > 0) out << "    … (" << counted(earlier, "earlier item") << ")\n";
    for (auto item = question.seen.begin() + earlier; item != question.seen.end(); ++item)
      out << "    " << catalogue_.title(*item) << "\n";
    out << "  may want (and then took " << catalogue_.title(question.next) << ")\n";
    for (const Recommendation& one : recommended(model(), question.seen, 10))
      out << "    " << catalogue_.title(one.item) << "  " << chance(one) << "\n";
  }

  void report(Page& page) override {
    page.section("Against counting");
    page.paragraph(
        "The share of validation items among the first ten recommendations (HR@10), and how high "
        "they stand there (NDCG@10), out of all items that the user did not have.");
    auto rows = comparison();
    const std::vector<std::string> head = std::move(rows.front());
    rows.erase(rows.begin());
    page.table(head, rows);
    page.section("What is recommended");
    page.paragraph(
        "Histories of the validation part, oldest item first: some whose next item is among the "
        "ten recommendations, and some where it is not. The colour of an item shows how much the "
        "last layer attends to it, averaged over the heads.");
    // From short histories to long ones, three of each kind.
    int hits = 3, misses = 3;
    const size_t stride = split_.validation.size() / 100 + 1;
    for (size_t i = stride / 2; i < split_.validation.size(); i += stride) {
      const Question& question = split_.validation[i];
      const int64_t place = place_of_next(model(), question);
      int& left = place <= 10 ? hits : misses;
      if (left-- > 0) add_history(page, question, place);
    }
  }

  std::optional<Choice> choice() const override { return Choice{catalogue_.size(), "items"}; }

  std::string example_input() const override {
    if (split_.validation.empty()) return "";
    std::string text;
    const History& seen = split_.validation[split_.validation.size() / 2].seen;
    for (size_t t = seen.size() - std::min<size_t>(3, seen.size()); t < seen.size(); ++t)
      text += concat(text.empty() ? "" : "; ", catalogue_.title(seen[t]));
    return text;
  }

 protected:
  // ---- data ----

  Interactions read(const std::string& path) override {
    source_ = path.empty() ? "made-up viewers of films" : "'" + path + "'";
    return path.empty() ? films_data() : read_interactions(path, columns_);
  }

  void learn(const Interactions& data) override { catalogue_ = Catalogue(data); }

  void use(Interactions data) override {
    const std::vector<History> histories = catalogue_.renumbered(data, source_);
    users_ = std::ssize(histories);
    events_ = data.events();
    fingerprint_ = Fingerprint().add(histories).text();
    split_ = Split(histories);
    check(!split_.validation.empty(), "data", source_,
          " has no user with three items: one to learn from, one to validate, one to test");
    train_ = Windows(split_.train, config_.max_length);
    check(train_.size() > 0, "data", source_,
          " has no user with four items: nobody has one item after another to learn from");
  }

  Json::Object known() const override { return catalogue_.to_json().as_object(); }
  void restore(const Json& data) override { catalogue_ = Catalogue::from_json(data); }
  Json::Object mark() const override {
    return {{"events", events_}, {"fingerprint", fingerprint_}};
  }
  BatchSampler sampler(RandomKey key) const override {
    return train_.sampler(recipe.batch_size, key);
  }

  // ---- model and settings ----

  std::unique_ptr<SasRec> make_model(Generator& generator) override {
    config_.items = catalogue_.size();
    auto model = std::make_unique<SasRec>(config_, generator);
    if (model->pairs && train_.size() > 0) model->pairs->count(split_.train);
    return model;
  }

  void add_data_settings(Settings& settings) override {
    settings.add("user", columns_.user, "the column of the users: name or number", {});
    settings.add("item", columns_.item, "the column of the items: name or number", {});
    settings.add("time", columns_.time, "the column of the times: name or number", {});
    settings.add("titles", columns_.titles, "a file with the titles of the items", {});
  }

  void add_settings(Settings& settings) override {
    settings.add("layers", config_.layers, "layers of the encoder", 1, 1000);
    settings.add("heads", config_.heads, "attention heads; must divide width");
    settings.add("width", config_.width, "width of the stream between the layers");
    settings.add("mlp_width", config_.mlp_width, "width inside a layer's MLP");
    settings.add("max_length", config_.max_length, "how many items back the model looks");
    settings.add("pairs", config_.pairs, "pairs remembered of each item; 0: none", 0, 100'000);
    settings.add("dropout", config_.dropout, "fraction of activations dropped in training", 0,
                 0.99);
    settings.add("embedding_deviation", config_.embedding_deviation,
                 "of the embeddings at the start", 0, 100);
    settings.add("embedding_scale", config_.embedding_scale,
                 "factor of the embeddings where they are read", 1e-3, 1000);
    settings.add("label_smoothing", label_smoothing_, "fraction of the target spread evenly", 0, 1);
  }

  // ---- use ----

  void add_predict_options(Settings& options) override {
    options.add("count", count_, "how many items to recommend");
  }

  /// The input is a history, `item; item; …`, the answer what may come next, in the same form.
  std::string answer(const std::string& text) override {
    std::string line;
    for (const Recommendation& one : recommended(model(), catalogue_.parse(text), count_))
      line += concat(line.empty() ? "" : "; ", catalogue_.title(one.item), " (", chance(one), ")");
    return line;
  }

  void note(const std::string& text, std::ostream& notes) const override {
    const int64_t given = std::ssize(catalogue_.parse(text));
    if (given > config_.max_length)
      notes << "tarsier: note: " << given << " items are more than max_length "
            << config_.max_length << ": attention reads the last ones\n";
  }

  std::string model_facts() const override {
    return concat(counted(config_.layers, "layer"), ", ", counted(config_.heads, "head"), ", ",
                  config_.width, " wide, ", counted(config_.items, "item"));
  }
  std::string data_facts() const override {
    return concat(source_, ": ", counted(events_, "event"), " of ", counted(users_, "user"), ", ",
                  with_commas(train_.targets()), " to train on, ",
                  with_commas(std::ssize(split_.validation)), " to validate");
  }
  std::string batch_facts() const override { return concat(recipe.batch_size, " histories"); }

 private:
  /// The windows with these numbers, with the evidence for every target.
  Batch with_evidence(const std::vector<int64_t>& chosen, int64_t length) {
    Batch batch = train_.batch(chosen, length);
    if (!model().pairs) return batch;
    std::vector<History> seen;
    std::vector<const History*> own;
    for (const int64_t i : chosen)
      for (int64_t t = 1; t <= std::min<int64_t>(std::ssize(train_[i]) - 1, length); ++t) {
        seen.emplace_back(train_[i].begin(), train_[i].begin() + t);
        own.push_back(&train_.whole(i));
      }
    const Evidence evidence = model().pairs->evidence(seen, own);
    batch.tensors.add("cells", evidence.cells);
    batch.tensors.add("evidence", evidence.values);
    return batch;
  }

  static std::string chance(const Recommendation& one) {
    return fixed(100 * one.probability, 2) + " %";
  }

  /// A head, and a row for the model and each way of counting, on the validation items.
  std::vector<std::vector<std::string>> comparison() {
    std::vector<Baseline> all =
        baselines(Counter(split_.train, catalogue_.size()), split_.validation);
    all.insert(all.begin(), {name(), judge(model(), split_.validation).score});
    std::vector<std::vector<std::string>> rows = {{"", "HR@10", "NDCG@10"}};
    for (const auto& [by, score] : all)
      rows.push_back({by, fixed(score.hit_rate(10), 4), fixed(score.ndcg(10), 4)});
    return rows;
  }

  void add_history(Page& page, const Question& question, int64_t place) {
    const NoGrad no_grad;
    const Batch last = last_items({question.seen}, config_.max_length);
    const int64_t T = last["index"].size(1);
    const std::vector<double> seen =
        select(select(model().attention(last["index"]), 0, 0), 0, T - 1).to_vector();
    std::vector<std::string> words;
    for (int64_t t = 0; t < T; ++t) {
      const int32_t item = question.seen[question.seen.size() - static_cast<size_t>(T - t)];
      words.push_back(concat(" ", catalogue_.title(item), t + 1 < T ? "," : ""));
    }
    page.weighted_text({{},
                        concat("then came ", catalogue_.title(question.next),
                               place == kNotListed ? " again, which is not recommended"
                                                   : concat(", which is number ", place,
                                                            " of the recommendations")),
                        place > 10},
                       words, seen);
    std::vector<std::vector<std::string>> rows;
    for (const Recommendation& one : recommended(model(), question.seen, 10))
      rows.push_back({concat(rows.size() + 1), catalogue_.title(one.item), chance(one),
                      one.item == question.next ? "taken next" : ""});
    page.table({"", "recommended", "probability", ""}, rows);
  }

  Config config_;
  InteractionColumns columns_;
  double label_smoothing_ = 0;
  int64_t count_ = 10;  // of recommendations
  std::string source_, fingerprint_;
  int64_t users_ = 0, events_ = 0;
  Catalogue catalogue_;
  Split split_;
  Windows train_;
};

}  // namespace

std::vector<ModelEntry> models() {
  return {
      {"recommend", "recommend", "sasrec", "to recommend what a user takes next",
       "made-up viewers of films, or --data PATH: lines `user item item …`, or a table of user, "
       "item and time (MovieLens' u.data, RecBole's .inter, CSV)",
       "HR@10 0.089, NDCG@10 0.055 on Amazon's Beauty reviews", "two minutes on two cores",
       make_task_of<RecommendTask>}};
}

}  // namespace tarsier::zoo::recommend
