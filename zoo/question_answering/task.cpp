#include "zoo/question_answering/task.h"

#include <algorithm>
#include <set>
#include <utility>

#include "autograd/io/json.h"
#include "zoo/base/format.h"
#include "zoo/data/fingerprint.h"
#include "zoo/data/lines.h"
#include "zoo/data/text.h"
#include "zoo/question_answering/answers.h"
#include "zoo/question_answering/babi.h"
#include "zoo/question_answering/model.h"
#include "zoo/question_answering/pages.h"
#include "zoo/question_answering/readings.h"
#include "zoo/question_answering/renaming.h"
#include "zoo/question_answering/score.h"
#include "zoo/question_answering/world.h"

namespace tarsier::zoo::question_answering {

namespace {

/// The streams of random numbers that let time pass and swap names.
constexpr uint64_t kGapStream = uint64_t{3} << 62, kNameStream = uint64_t{1} << 62;

class QuestionAnsweringTask : public TaskOf<UniversalReader, StoryData> {
 public:
  /// Sizes and rates were found by experiment: README.md.
  explicit QuestionAnsweringTask(const std::string& name) : TaskOf(name) {
    recipe.optimizer = "muon";
    recipe.epochs = 60;
    recipe.batch_size = 12;
    recipe.learning_rate = 4e-3;
    recipe.min_learning_rate = 1e-5;
    recipe.weight_decay = 0.1;
    recipe.ema_decay = 0.995;
    recipe.eval_every = 940;
    recipe.checkpoint_every = 500;
  }

  std::string items() const override { return "lines"; }

  // ---- training ----

  int64_t training_examples() const override { return train_.size(); }

  Batch batch(int64_t number, uint64_t seed) override {
    Dice dice({seed, kNameStream + static_cast<uint64_t>(number)});
    std::vector<Reading> stories;
    for (const int64_t i : drawn(number, seed)) {
      const Reading& story = train_.all[static_cast<size_t>(i)];
      stories.push_back(dice.roll() < rename_ ? renaming_.renamed(story, dice) : story);
    }
    std::vector<const Reading*> chosen;
    for (const Reading& story : stories) chosen.push_back(&story);
    return story_batch(chosen, Unknown::left_out,
                       {gaps_, {seed, kGapStream + static_cast<uint64_t>(number)}});
  }

  /// The matrices of the block and of the reader's layers.
  std::vector<std::string> muon_parameters() override {
    std::vector<std::string> names;
    for (const auto& [name, parameter] : model().named_parameters())
      if (parameter.dim() == 2 &&
          (name.starts_with("block.") || name.starts_with("reader.encoder")))
        names.push_back(name);
    return names;
  }

  Tensor loss(const Batch& batch) override {
    const Thought thought = model()(batch["words"], input_of(batch));
    const Tensor wrong =
        cross_entropy(thought.scores, batch["targets"], {.label_smoothing = label_smoothing_});
    return thought.ponder.defined() ? wrong + ponder_cost_ * thought.ponder : wrong;
  }

  /// A story up to its first question: the empty line, and up to `length` lines.
  StudyInput study_input(int64_t length, uint64_t seed) override {
    Reading story = train_.all[static_cast<size_t>(first_drawn(seed))];
    const auto first = std::find_if(story.lines.begin(), story.lines.end(),
                                    [](const ReadLine& line) { return line.counts; });
    story.lines.erase(first + 1, story.lines.end());
    const int64_t left_out = std::max<int64_t>(0, std::ssize(story.lines) - 1 - length);
    story.lines.erase(story.lines.begin() + 1, story.lines.begin() + 1 + left_out);
    StudyInput input{.batch = story_batch({&story}, Unknown::left_out)};
    std::vector<std::string> lines;
    for (const ReadLine& line : story.lines)
      lines.push_back(line.number < 0 ? "—" : language_.text(line.words));
    input.labels = {{"lines", std::move(lines)}, {"answers", language_.answers()}};
    input.description = counted(std::ssize(story.lines) - 1, "line");
    return input;
  }

  Metrics validate() override {
    const Answers answers = answers_to(model(), validation_);
    return {score_of(answers, stories_.tasks).metric(),
            {.name = "val_loss", .value = answers.loss}};
  }

  Metrics evaluate() override {
    const Readings& readings = test_.size() > 0 ? test_ : validation_;
    const Answers answers = answers_to(model(), readings);
    const Score score = score_of(answers, stories_.tasks);
    Metrics all = {
        score.metric(),
        {.name = "loss", .value = answers.loss, .note = cut_lines(readings, "questions")}};
    for (Metric& metric : score.by_task()) all.push_back(std::move(metric));
    return all;
  }

  // ---- use ----

  /// An input is a story with a question at its end, or the path of a file with such stories. One
  /// question gets its answer; of several each is repeated before it.
  std::string answer(const std::string& input) override {
    const std::vector<Story> stories = asked_in(input);
    const Readings readings(stories, language_, limits_);
    std::string text;
    for (const Given& one : answers_to(model(), readings).given) {
      const Line& line = stories[static_cast<size_t>(one.reading->story)]
                             .lines[static_cast<size_t>(one.line->number)];
      const std::string& answer = language_.answers()[static_cast<size_t>(one.answer)];
      text += text.empty() ? "" : "\n";
      text += questions_in(stories) > 1 ? concat(line.text, " ", answer) : answer;
    }
    return text;
  }

  void note(const std::string& input, std::ostream& notes) const override {
    const std::vector<Story> stories = asked_in(input);
    const Readings readings(stories, language_, limits_);
    if (readings.lines.any())
      notes << "tarsier: note: " << readings.lines.text("questions", "lines")
            << ": only the last ones are read (max_lines=" << limits_.max_lines << ")\n";
    if (readings.words.any())
      notes << "tarsier: note: " << readings.words.text("lines", "words")
            << ": only the first ones are read (max_words=" << limits_.max_words << ")\n";
    std::string unknown;
    std::set<std::string> seen;
    for (const Story& story : stories)
      for (const Line& line : story.lines)
        for (const std::string& word : language_.unknown(line.text))
          if (seen.insert(word).second) unknown += concat(unknown.empty() ? "" : ", ", word);
    if (!unknown.empty())
      notes << "tarsier: note: words that training has never seen: " << beginning_of(unknown)
            << "\n";
  }

  std::string example_input() const override {
    if (stories_.val.empty()) return "";
    const std::vector<Line>& lines = stories_.val.front().lines;
    std::string text;
    for (const Line& line : lines) {
      text += concat(text.empty() ? "" : " ", line.text);
      if (line.asks()) break;
    }
    return text;
  }

  void show_sample(std::ostream& out) override {
    const Answers answers = answers_to(model(), validation_);
    const size_t count = answers.given.size();
    for (size_t i = 0; i < std::min<size_t>(6, count); ++i) {
      const Given& one = answers.given[i * count / std::min<size_t>(6, count)];
      const Line& line = line_of(one);
      out << "  " << line.text << "  " << language_.answers()[static_cast<size_t>(one.answer)]
          << (one.right() ? "" : concat("  (right: ", line.answer, ")")) << "\n";
    }
  }

  void report(Page& page) override {
    const Answers answers = answers_to(model(), validation_);
    add_score(page, score_of(answers, stories_.tasks));
    page.section("Where it looks");
    page.paragraph(
        "A validation question of each kind, wrongly answered if there is one: how much it looks "
        "at "
        "each line in each step of the block, averaged over the heads. The answer follows from the "
        "lines with a dot; the model was not told which they are.");
    std::vector<const Given*> chosen(stories_.tasks.size());
    for (const Given& one : answers.given) {
      const Given*& kept = chosen[static_cast<size_t>(one.reading->task)];
      if (kept == nullptr || kept->right()) kept = &one;
    }
    for (size_t task = 0; task < chosen.size(); ++task)
      if (chosen[task] != nullptr)
        add_explained(page, explained(model(), language_, *chosen[task], story_of(*chosen[task]),
                                      stories_.tasks[task]));
  }

  std::optional<Choice> choice() const override {
    return Choice{std::ssize(language_.answers()), "answers"};
  }

 protected:
  // ---- data ----

  StoryData read(const std::string& path) override {
    source_ = path.empty() ? "a small world that the program makes up" : concat("'", path, "'");
    return path.empty() ? world_data() : read_stories(path);
  }

  void learn(const StoryData& data) override { language_ = Language(data.train); }

  void use(StoryData data) override {
    limits_.max_words = config_.max_words;
    stories_ = std::move(data);
    train_ = Readings(stories_.train, language_, limits_);
    validation_ = Readings(stories_.val, language_, limits_);
    test_ = Readings(stories_.test, language_, limits_);
    renaming_ = Renaming(train_, language_);
  }

  Json::Object known() const override { return language_.to_json().as_object(); }
  void restore(const Json& data) override { language_ = Language::from_json(data); }
  Json::Object mark() const override {
    Fingerprint fingerprint;
    for (const Readings* part : {&train_, &validation_})
      for (const Reading& one : part->all)
        for (const ReadLine& line : one.lines)
          fingerprint.add(line.words).add(std::vector<int64_t>{line.answer});
    return {{"questions", questions_in(stories_.train) + questions_in(stories_.val)},
            {"fingerprint", fingerprint.text()}};
  }
  BatchSampler sampler(RandomKey key) const override {
    return sampler_of(train_, recipe.batch_size, batch_lines_, key);
  }

  // ---- model and settings ----

  std::unique_ptr<UniversalReader> make_model(Generator& generator) override {
    config_.words = language_.words().size();
    config_.answers = std::ssize(language_.answers());
    return std::make_unique<UniversalReader>(config_, generator);
  }

  void add_settings(Settings& settings) override {
    settings.add("depth", config_.steps, "how often the block is applied, at most", 1, 1000);
    settings.add("heads", config_.heads, "attention heads; must divide width");
    settings.add("width", config_.width, "width of the vectors of lines and words");
    settings.add("mlp_width", config_.mlp_width, "width inside the block's MLP");
    settings.add("word_layers", config_.word_layers, "layers that read a line", 1, 1000);
    settings.add("halting", config_.halting, "lines may stop before the last step");
    settings.add("ponder_cost", ponder_cost_, "of a step, with halting", 0, 1000);
    settings.add("dropout", config_.dropout, "fraction of activations dropped in training", 0,
                 0.99);
    settings.add("label_smoothing", label_smoothing_, "fraction of the target spread evenly", 0, 1);
    settings.add("rename", rename_, "training: share of stories whose names are swapped", 0, 1);
    settings.add("gaps", gaps_, "training: share of lines before which time passes", 0, 1);
    settings.add("max_lines", limits_.max_lines, "longer stories are read in parts", 2);
    settings.add("max_words", config_.max_words, "words of a line that are read");
    settings.add("batch_lines", batch_lines_, "lines of a batch, with padding, at most");
  }

  std::string model_facts() const override {
    return concat(counted(config_.steps, "step"), config_.halting ? " at most" : "",
                  " of a block, ", counted(config_.heads, "head"), ", ", config_.width, " wide, ",
                  with_commas(config_.words), " words, ", with_commas(config_.answers), " answers");
  }
  std::string data_facts() const override {
    return concat(source_, ": ", counted(std::ssize(stories_.tasks), "task"), ", ",
                  with_commas(questions_in(stories_.train)), " questions in ",
                  with_commas(std::ssize(stories_.train)), " stories to train on, ",
                  with_commas(questions_in(stories_.val)), " questions to validate");
  }
  std::string batch_facts() const override { return concat(recipe.batch_size, " stories"); }
  std::string cut_facts() const override {
    std::string text = cut_lines(train_, "training questions");
    for (const std::string& part :
         {cut_lines(validation_, "validation questions"),
          cut_note(train_.words, "training lines", limits_.max_words, "max_words", "words")})
      text += concat(text.empty() || part.empty() ? "" : "; ", part);
    return text;
  }

 private:
  const Story& story_of(const Given& one) const {
    return stories_.val[static_cast<size_t>(one.reading->story)];
  }
  const Line& line_of(const Given& one) const {
    return story_of(one).lines[static_cast<size_t>(one.line->number)];
  }

  /// What `what` of the readings lose because stories have too many lines.
  std::string cut_lines(const Readings& readings, const std::string& what) const {
    return cut_note(readings.lines, what, limits_.max_lines, "max_lines", "lines");
  }

  /// The stories that an input is, or that the file has whose path it is.
  static std::vector<Story> asked_in(const std::string& input) {
    return parse_questions(text_of_input(input));
  }

  Config config_;
  LineLimits limits_;
  double label_smoothing_ = 0, gaps_ = 0.1, rename_ = 1, ponder_cost_ = 0.01;
  int64_t batch_lines_ = 512;
  std::string source_;
  Language language_;
  StoryData stories_;
  Readings train_, validation_, test_;
  Renaming renaming_;
};

}  // namespace

std::vector<ModelEntry> models() {
  return {{"question-answering", "question-answering", "babi", "to answer questions about a story",
           "a small world that the program makes up, or --data PATH: a folder with the bAbI tasks "
           "(NAME_train.txt, NAME_test.txt), or one file of that format",
           "error 11.0 %, 6 of 20 tasks failed (bAbI 1k, one model, names swapped in training)",
           "twelve minutes on one core", make_task_of<QuestionAnsweringTask>}};
}

}  // namespace tarsier::zoo::question_answering
