// The encoder-decoder Transformer: the whole model, beam search, and its recipe.
#include "zoo/transformer/translator.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <sstream>

#include "autograd/gradcheck.h"
#include "tests/error_of.h"
#include "tests/zoo/scratch.h"
#include "zoo/transformer/beam.h"

namespace tarsier::zoo {
namespace {

TranslatorConfig tiny_config() {
  return {.source_vocab = 6,
          .target_vocab = 5,
          .max_length = 6,
          .width = 4,
          .layers = 1,
          .heads = 2,
          .mlp_width = 5,
          .dropout = 0};
}

Tensor ids(const std::vector<int64_t>& values, int64_t rows) {
  return from_vector(values, {rows, static_cast<int64_t>(values.size()) / rows});
}

double distance(const Tensor& a, const Tensor& b) { return max(abs(a - b)).item(); }

// ---- the model ----

TEST_CASE("the gradient of every weight of a whole Translator is right") {
  for (const bool norm_first : {true, false})
    for (const bool tied : {true, false}) {
      CAPTURE(norm_first);
      CAPTURE(tied);
      TranslatorConfig config = tiny_config();
      config.norm_first = norm_first;
      config.tie_embeddings = tied;
      config.position = tied ? nn::PositionKind::learned : nn::PositionKind::sinusoidal;
      Generator generator(3);
      Translator model(config, generator);
      model.to(f64);
      for (const Tensor& parameter : model.parameters()) nn::normal_(parameter, 0, 0.5, generator);
      const Tensor source = ids({3, 5, 1, 4, 1, 0}, 2), target = ids({2, 4, 2, 3}, 2);
      CHECK_NOTHROW(
          gradcheck([&](const std::vector<Tensor>&) { return model(source, source == 0, target); },
                    model.parameters()));
    }
}

TEST_CASE("what stands in the padding of the source, and how much there is, changes nothing") {
  Generator generator(5);
  Translator model(tiny_config(), generator);
  model.to(f64);
  model.eval();
  const NoGrad no_grad;
  const Tensor target = ids({2, 4, 3}, 1);
  const Tensor bare = model(ids({3, 5, 1}, 1), Tensor(), target);
  const Tensor mask = ids({0, 0, 0, 1, 1}, 1) == 1;
  for (const int64_t filler : {0, 4}) {
    CAPTURE(filler);
    const Tensor padded = model(ids({3, 5, 1, filler, filler}, 1), mask, target);
    CHECK(distance(padded, bare) < 1e-12);
  }
  // It is the mask that does it.
  CHECK(distance(model(ids({3, 5, 1, 4, 4}, 1), Tensor(), target), bare) > 1e-3);
  // A later token of the target changes nothing before it.
  const Tensor other = model(ids({3, 5, 1}, 1), Tensor(), ids({2, 4, 1}, 1));
  CHECK(distance(slice(other, 1, 0, 2), slice(bare, 1, 0, 2)) < 1e-12);
  CHECK(distance(other, bare) > 1e-3);
}

TEST_CASE("sizes of a Translator that do not fit are refused") {
  TranslatorConfig config = tiny_config();
  config.heads = 3;
  check_error("heads=3 does not divide width=4", [&] { Translator model(config); });
  config = tiny_config();
  config.position = nn::PositionKind::rotary;
  check_error("positions must be sinusoidal or learned", [&] { Translator model(config); });
}

// ---- beam search ----

constexpr int32_t kStart = 0, kStop = 1, A = 2, B = 3;

/// A model of four tokens that is a table: the probabilities that follow each beginning ("AB");
/// where it has none, the end is certain.
struct Script {
  std::map<std::string, std::vector<double>> table;
  int64_t beams;
  std::vector<std::string> beginnings = {};
  int64_t calls = 0;

  NextToken next() {
    return [this](const std::vector<int64_t>& parents, const std::vector<int32_t>& tokens) {
      REQUIRE(static_cast<int64_t>(parents.size()) == beams);
      REQUIRE(tokens.size() == parents.size());
      std::vector<std::string> longer;
      std::vector<double> log_p;
      for (size_t i = 0; i < parents.size(); ++i) {
        if (calls == 0) {
          REQUIRE(tokens[i] == kStart);
          REQUIRE(parents[i] == 0);
          longer.emplace_back();
        } else {
          longer.push_back(beginnings.at(static_cast<size_t>(parents[i])) + ".$AB"[tokens[i]]);
        }
        const auto found = table.find(longer.back());
        const std::vector<double> p =
            found == table.end() ? std::vector<double>{0, 1, 0, 0} : found->second;
        for (const double value : p) log_p.push_back(std::log(value));
      }
      beginnings = longer;
      ++calls;
      return from_vector(log_p, {beams, 4});
    };
  }
};

std::vector<Hypothesis> searched(const std::map<std::string, std::vector<double>>& table,
                                 const BeamOptions& options) {
  Script script{table, options.beams};
  return beam_search(script.next(), kStart, kStop, options);
}

/// A is the likelier beginning, but nothing after it is sure: p(A B) = 0.6 · 0.4, p(B A) = 0.4 ·
/// 0.9.
const std::map<std::string, std::vector<double>> kGarden = {
    {"", {0, 0, 0.6, 0.4}},
    {"A", {0, 0.3, 0.3, 0.4}},
    {"B", {0, 0.05, 0.9, 0.05}},
};

TEST_CASE("beam search finds what greed misses") {
  const BeamOptions plain{.beams = 1, .length_penalty = 0, .max_length = 5};
  const Hypothesis greedy = searched(kGarden, plain).front();
  CHECK(greedy.tokens == std::vector<int32_t>{A, B});
  CHECK(greedy.log_probability == doctest::Approx(std::log(0.24)));
  for (const int64_t beams : {2, 3}) {
    CAPTURE(beams);
    const auto found = searched(kGarden, {.beams = beams, .length_penalty = 0, .max_length = 5});
    CHECK(found.front().tokens == std::vector<int32_t>{B, A});
    CHECK(found.front().log_probability == doctest::Approx(std::log(0.36)));
    CHECK(found.front().score == found.front().log_probability);
    CHECK(std::is_sorted(found.begin(), found.end(),
                         [](const auto& a, const auto& b) { return a.score > b.score; }));
  }
}

TEST_CASE("an end counts only where fewer than K steps are likelier") {
  // p(B $) = 0.16 comes third, behind p(A $) = 0.3 and p(A A) = 0.18, which ends later.
  const auto found =
      searched({{"", {0, 0, 0.6, 0.4}}, {"A", {0, 0.5, 0.3, 0.2}}, {"B", {0, 0.4, 0.3, 0.3}}},
               {.beams = 2, .length_penalty = 0, .max_length = 5});
  REQUIRE(found.size() >= 2);
  CHECK(found[0].tokens == std::vector<int32_t>{A});
  CHECK(found[1].tokens == std::vector<int32_t>{A, A});
}

TEST_CASE("the length penalty is ((5 + length) / 6)^α, and favours what is longer") {
  // p($) = 0.5 is likelier than p(A A A) = 0.45, but that is four tokens long, with the end.
  const std::map<std::string, std::vector<double>> table = {
      {"", {0, 0.5, 0.45, 0.05}}, {"A", {0, 0, 1, 0}},  {"AA", {0, 0, 1, 0}},
      {"B", {0, 0, 1, 0}},        {"BA", {0, 0, 1, 0}}, {"BAA", {0, 0, 1, 0}}};
  const auto best = [&](double penalty) {
    return searched(table, {.beams = 2, .length_penalty = penalty, .max_length = 9}).front();
  };
  CHECK(best(0).tokens.empty());
  CHECK(best(0).score == doctest::Approx(std::log(0.5)));
  CHECK(best(1).tokens == std::vector<int32_t>{A, A, A});
  CHECK(best(1).score == doctest::Approx(std::log(0.45) / (9.0 / 6)));
  CHECK(best(2).score == doctest::Approx(std::log(0.45) / (9.0 / 6) / (9.0 / 6)));
}

TEST_CASE("beam search: more beams than tokens, the longest allowed, and NaN") {
  const auto wide = searched(kGarden, {.beams = 9, .length_penalty = 0, .max_length = 5});
  CHECK(wide.front().tokens == std::vector<int32_t>{B, A});
  for (const Hypothesis& h : wide) CHECK(std::isfinite(h.log_probability));

  // Nobody ever ends: what was cut is given, and is no longer than asked.
  std::map<std::string, std::vector<double>> endless;
  for (const char* beginning : {"", "A", "B", "AA", "AB", "BA", "BB"})
    endless[beginning] = {0, 0, 0.7, 0.3};
  const auto cut = searched(endless, {.beams = 2, .length_penalty = 1, .max_length = 3});
  CHECK(cut.front().tokens == std::vector<int32_t>{A, A, A});
  CHECK(cut.front().log_probability == doctest::Approx(3 * std::log(0.7)));
  CHECK(searched(endless, {.beams = 1, .max_length = 1}).front().tokens == std::vector<int32_t>{A});

  check_error("the model's probabilities are NaN", [] {
    searched({{"", {0, 0.5, std::nan(""), 0.5}}}, {.beams = 2});
  });
  check_error("no token can follow", [] { searched({{"", {0, 0, 0, 0}}}, {.beams = 2}); });
  check_error("beams 0", [] { searched(kGarden, {.beams = 0}); });
  check_error("max_length 0", [] { searched(kGarden, {.beams = 1, .max_length = 0}); });
  check_error("length_penalty -1", [] { searched(kGarden, {.beams = 1, .length_penalty = -1}); });
}

TEST_CASE("one beam with a cache writes what the likeliest token after the other gives without") {
  TranslatorConfig config = tiny_config();
  config.max_length = 20;
  config.width = 16;
  config.layers = 2;
  config.target_vocab = 12;
  Generator generator(8);
  Translator model(config, generator);
  for (const Tensor& parameter : model.parameters()) nn::normal_(parameter, 0, 0.4, generator);
  model.to(f64);
  model.eval();
  const NoGrad no_grad;
  const Tensor source = ids({3, 5, 1, 4}, 1), memory = model.encode(source, Tensor());
  constexpr int32_t begin = 0, end = 11;
  std::vector<int64_t> greedy{begin};
  while (greedy.size() < 16) {
    const Tensor logits = model(source, Tensor(), ids(greedy, 1));
    const int64_t best = argmax(select(logits, 1, -1), -1).item<int64_t>();
    if (best == end) break;
    greedy.push_back(best);
  }
  REQUIRE(greedy.size() > 4);

  // Of several beams, too, each row of the cache must follow its own sequence: the log p that the
  // search adds up is that of the whole sequence, told without a cache.
  for (const int64_t beams : {1, 4}) {
    CAPTURE(beams);
    nn::DecoderCache cache;
    const Tensor memories = contiguous(expand(memory, {beams, 4, 16}));
    const NextToken next = [&](const std::vector<int64_t>& parents,
                               const std::vector<int32_t>& tokens) {
      cache.reorder(from_vector(parents, {beams}));
      const Tensor newest =
          from_vector(std::vector<int64_t>(tokens.begin(), tokens.end()), {beams, 1});
      const Tensor hidden = model.decode(newest, memories, Tensor(), &cache);
      return log_softmax(model.generator(select(hidden, 1, 0)), -1);
    };
    const auto found =
        beam_search(next, begin, end, {.beams = beams, .length_penalty = 0, .max_length = 15});
    if (beams == 1)
      CHECK(found.front().tokens == std::vector<int32_t>(greedy.begin() + 1, greedy.end()));
    for (const Hypothesis& h : found) {
      std::vector<int64_t> read{begin};
      read.insert(read.end(), h.tokens.begin(), h.tokens.end());
      const Tensor logits = model(source, Tensor(), ids(read, 1));
      const std::vector<double> log_p = log_softmax(logits, -1).to_vector();
      double sum = 0;
      for (size_t i = 0; i < h.tokens.size(); ++i)
        sum += log_p[12 * i + static_cast<size_t>(h.tokens[i])];
      const double with_end = sum + log_p[12 * h.tokens.size() + end];
      const bool ended = h.tokens.size() < 15;
      CHECK(h.log_probability == doctest::Approx(ended ? with_end : sum).epsilon(1e-9));
    }
  }
}

// ---- the recipe ----

const std::vector<std::string> kGerman = {"ein hund läuft",        "eine katze schläft",
                                          "zwei hunde laufen",     "zwei katzen schlafen",
                                          "ein hund schläft hier", "eine katze läuft nach haus",
                                          "hier läuft ein hund",   "nach haus laufen zwei katzen"};
const std::vector<std::string> kEnglish = {
    "a dog runs",        "a cat sleeps",    "two dogs run",    "two cats sleep",
    "a dog sleeps here", "a cat runs home", "here a dog runs", "two cats run home"};

const Changes kTinyTranslator = {
    {"source", "de"},       {"target", "en"},         {"width", "32"},
    {"mlp_width", "32"},    {"layers", "1"},          {"heads", "2"},
    {"dropout", "0"},       {"min_count", "1"},       {"batch_size", "8"},
    {"epochs", "0"},        {"steps", "150"},         {"learning_rate", "0.01"},
    {"warmup_steps", "10"}, {"label_smoothing", "0"}, {"weight_decay", "0"}};

/// The sentences above as train, val and a test set, in the folder "pairs".
std::string pairs_folder(const Scratch& scratch) {
  std::filesystem::create_directories(scratch.path("pairs"));
  for (const char* part : {"train", "val", "test1"}) {
    scratch.write(concat("pairs/", part, ".de"), joined(kGerman));
    scratch.write(concat("pairs/", part, ".en"), joined(kEnglish));
  }
  return scratch.path("pairs");
}

std::string predicted(Task& task, const std::vector<std::string>& inputs) {
  std::ostringstream out;
  task.predict(inputs, {}, out);
  return out.str();
}

TEST_CASE("translation learns a batch of pairs by heart; eval then says BLEU 100") {
  const Scratch scratch;
  const std::string data = pairs_folder(scratch);
  const std::unique_ptr<Task> task = prepared_task("translation", data, kTinyTranslator);
  const TrainOutcome outcome = train_task(*task, data, scratch.path("run"));
  CHECK(outcome.metrics[0].name == "val_loss");
  CHECK(outcome.metrics[0].value < 0.1);

  const std::unique_ptr<Task> loaded = loaded_task(scratch.path("run"));
  CHECK(predicted(*loaded, kGerman) == joined(kEnglish));
  CHECK(predicted(*loaded, {kGerman[5]}) == kEnglish[5] + "\n");
  CHECK(predicted(*loaded, {"EIN Hund"}) == predicted(*loaded, {"ein hund"}));  // lower
  CHECK_NOTHROW(predicted(*loaded, {"", "ein wombat 🐨 läuft"}));
  loaded->load_data(data);
  const Metrics metrics = loaded->evaluate();
  CHECK(metrics[0].name == "BLEU");
  CHECK(metrics[0].text() == "100.00");
  CHECK(metrics[1].name == "exact");
  CHECK(metrics[1].text() == "100.00 %");
  CHECK(metrics[2].name == "perplexity");
  CHECK(metrics[2].value < 1.1);

  // With two test sets each has its name; with none the validation split counts.
  for (const char* language : {"de", "en"})
    std::filesystem::copy(data + "/test1." + language, data + "/test2." + language);
  loaded->load_data(data);
  CHECK(loaded->evaluate()[0].name == "BLEU test1");
  CHECK(loaded->evaluate()[3].name == "BLEU test2");
  for (const char* file : {"test1.de", "test1.en", "test2.de", "test2.en"})
    std::filesystem::remove(data + "/" + file);
  loaded->load_data(data);
  CHECK(loaded->evaluate()[0].name == "BLEU");
}

TEST_CASE("translation: source and target name the files; what is missing is named") {
  const Scratch scratch;
  const std::string data = pairs_folder(scratch);
  const auto with = [&](const std::string& source, const std::string& target) {
    Changes changes = kTinyTranslator;
    changes[0].second = source;
    changes[1].second = target;
    return prepared_task("translation", data, changes);
  };
  CHECK(with("de", "en")->describe_data() != with("en", "de")->describe_data());
  check_error("train.fr", [&] { with("fr", "en"); });
  scratch.write("pairs/val.en", "one line\n");
  check_error("val.en", [&] { with("de", "en"); });
  std::filesystem::remove(data + "/val.en");
  check_error("val.en", [&] { with("de", "en"); });
  // Not the dates of the other preset, which it would learn without a word.
  check_error("translation has no data of its own",
              [&] { prepared_task("translation", "", kTinyTranslator); });
}

TEST_CASE("translation resumes to the same bits in the middle of an epoch") {
  const Scratch scratch;
  const std::string data = pairs_folder(scratch);
  Changes changes = kTinyTranslator;
  for (auto& [key, value] : changes) {
    if (key == "batch_size") value = "3";  // three batches in an epoch
    if (key == "steps") value = "9";
    if (key == "dropout") value = "0.2";
  }
  CHECK(resumes_exactly(scratch, "translation", data, changes, 5));
}

TEST_CASE("the transformer's default data are dates; they train") {
  const std::unique_ptr<Task> task = prepared_task(
      "transformer", "", {{"width", "16"}, {"heads", "2"}, {"epochs", "0"}, {"steps", "20"}});
  const double before = task->validate()[0].value;
  const Scratch scratch;
  const TrainOutcome outcome = train_task(*task, "", scratch.path("run"));
  CHECK(outcome.metrics[0].value < before);
  CHECK_FALSE(task->example_input().empty());
  CHECK_FALSE(predicted(*task, {task->example_input()}).empty());
}

}  // namespace
}  // namespace tarsier::zoo
