// The encoder-decoder Transformer: the whole model, beam search, and its task.
#include "zoo/transformer/model.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <sstream>

#include "autograd/check/gradcheck.h"
#include "nn/init.h"
#include "tests/error_of.h"
#include "tests/zoo/scratch.h"
#include "zoo/transformer/beam.h"
#include "zoo/transformer/pairs.h"

namespace tarsier::zoo {
namespace {

transformer::Config tiny_config() {
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

TEST_CASE("the gradient of every weight of a whole translator is right") {
  for (const bool norm_first : {true, false})
    for (const bool tied : {true, false}) {
      CAPTURE(norm_first);
      CAPTURE(tied);
      transformer::Config config = tiny_config();
      config.norm_first = norm_first;
      config.tie_embeddings = tied;
      config.position = tied ? nn::PositionKind::learned : nn::PositionKind::sinusoidal;
      Generator generator(3);
      transformer::Translator model(config, generator);
      model.to(f64);
      for (const Tensor& parameter : model.parameters()) nn::normal_(parameter, 0, 0.5, generator);
      const Tensor source = ids({3, 5, 1, 4, 1, 0}, 2), target = ids({2, 4, 2, 3}, 2);
      CHECK_NOTHROW(
          gradcheck([&](const std::vector<Tensor>&) { return model(source, source == 0, target); },
                    model.parameters()));
    }
}

TEST_CASE("the content and the length of the source's padding change nothing") {
  Generator generator(5);
  transformer::Translator model(tiny_config(), generator);
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

TEST_CASE("sizes of a translator that do not fit are refused") {
  transformer::Config config = tiny_config();
  config.heads = 3;
  check_error("heads=3 does not divide width=4", [&] { transformer::Translator model(config); });
  config = tiny_config();
  config.position = nn::PositionKind::rotary;
  check_error("positions must be sinusoidal or learned",
              [&] { transformer::Translator model(config); });
}

// ---- beam search ----

constexpr int32_t kStart = 0, kStop = 1, A = 2, B = 3;

/// A model of four tokens that is a table: the probabilities that follow each beginning ("AB"); if
/// the table lacks a beginning, the end is certain.
struct Script {
  std::map<std::string, std::vector<double>> table;
  int64_t beams;
  std::vector<std::string> beginnings = {};
  int64_t calls = 0;

  transformer::NextToken next() {
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

std::vector<transformer::Hypothesis> searched(
    const std::map<std::string, std::vector<double>>& table,
    const transformer::BeamOptions& options) {
  Script script{table, options.beams};
  return transformer::beam_search(script.next(), kStart, kStop, options);
}

/// A is the likelier beginning, but the tokens after it are uncertain:
///   p(A B) = 0.6 · 0.4,  p(B A) = 0.4 · 0.9
const std::map<std::string, std::vector<double>> kGarden = {
    {"", {0, 0, 0.6, 0.4}},
    {"A", {0, 0.3, 0.3, 0.4}},
    {"B", {0, 0.05, 0.9, 0.05}},
};

TEST_CASE("beam search finds what greedy search misses") {
  const transformer::BeamOptions plain{.beams = 1, .length_penalty = 0, .max_length = 5};
  const transformer::Hypothesis greedy = searched(kGarden, plain).front();
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
  // p(B $) = 0.16 is third after p(A $) = 0.3 and p(A A) = 0.18, which ends later.
  const auto found =
      searched({{"", {0, 0, 0.6, 0.4}}, {"A", {0, 0.5, 0.3, 0.2}}, {"B", {0, 0.4, 0.3, 0.3}}},
               {.beams = 2, .length_penalty = 1, .max_length = 5});
  REQUIRE(found.size() >= 2);
  CHECK(found[0].tokens == std::vector<int32_t>{A});
  CHECK(found[1].tokens == std::vector<int32_t>{A, A});
  for (const transformer::Hypothesis& h : found) CHECK(h.tokens != std::vector<int32_t>{B});
}

TEST_CASE("beam search continues until nothing can win any more, and no longer") {
  // Two are done after two steps: the empty one, log 0.4 = −0.916, and A. The best takes four more.
  const std::map<std::string, std::vector<double>> late = {{"", {0, 0.4, 0.6, 0}},
                                                           {"A", {0, 0.3787, 0.6213, 0}},
                                                           {"AA", {0, 0, 1, 0}},
                                                           {"AAA", {0, 0, 1, 0}}};
  for (const int64_t beams : {1, 2, 3}) {
    CAPTURE(beams);
    const transformer::Hypothesis best =
        searched(late, {.beams = beams, .length_penalty = 1, .max_length = 20}).front();
    CHECK(best.tokens == std::vector<int32_t>{A, A, A, A});
    CHECK(best.score == doctest::Approx(-0.592).epsilon(1e-3));
  }
  // Without a penalty the empty one wins: 0.4 against 0.6 · 0.6213 = 0.37 after two steps.
  Script script{late, 2};
  const transformer::BeamOptions plain{.beams = 2, .length_penalty = 0, .max_length = 20};
  CHECK(transformer::beam_search(script.next(), kStart, kStop, plain).front().tokens.empty());
  CHECK(script.calls == 2);
}

/// A table with random probabilities after every beginning of up to `length` tokens.
std::map<std::string, std::vector<double>> random_table(size_t length, Generator& generator) {
  std::map<std::string, std::vector<double>> table;
  std::vector<std::string> beginnings{""};
  for (size_t i = 0; i < beginnings.size(); ++i) {
    const std::string beginning = beginnings[i];
    // The cube makes most of them sure of something.
    std::vector<double> p = pow(rand({3}, f64, generator), 3).to_vector();
    const double sum = p[0] + p[1] + p[2];
    table[beginning] = {0, p[0] / sum, p[1] / sum, p[2] / sum};
    if (beginning.size() == length) continue;
    beginnings.push_back(beginning + "A");
    beginnings.push_back(beginning + "B");
  }
  return table;
}

double score_of(double log_probability, size_t length, double penalty) {
  return log_probability / std::pow((5.0 + static_cast<double>(length)) / 6, penalty);
}

TEST_CASE("beam search with enough beams finds the best of all sequences") {
  constexpr size_t kLongest = 4;
  Generator generator(12);
  for (int trial = 0; trial < 60; ++trial) {
    const auto table = random_table(kLongest, generator);
    for (const double penalty : {0.0, 0.6, 1.0, 2.5}) {
      CAPTURE(trial);
      CAPTURE(penalty);
      std::string best;
      double best_score = -INFINITY;
      for (const auto& [tokens, after] :
           table) {  // for every beginning, the sequence that ends there
        double log_p = std::log(after[kStop]);
        for (size_t i = 0; i < tokens.size(); ++i)
          log_p += std::log(table.at(tokens.substr(0, i))[tokens[i] == 'A' ? A : B]);
        const double score = score_of(log_p, tokens.size() + 1, penalty);
        if (score > best_score) best_score = score, best = tokens;
      }
      const transformer::Hypothesis found =
          searched(table, {.beams = 16, .length_penalty = penalty, .max_length = kLongest}).front();
      CHECK(found.score == doctest::Approx(best_score));
      REQUIRE(found.tokens.size() == best.size());
      for (size_t i = 0; i < best.size(); ++i) CHECK(found.tokens[i] == (best[i] == 'A' ? A : B));
    }
  }
}

/// The best score of a beam search that never stops before the longest sequence.
double patient_search(const std::map<std::string, std::vector<double>>& table, size_t beams,
                      double penalty, size_t longest) {
  using Sequence = std::pair<double, std::string>;  // log p
  std::vector<Sequence> alive{{0.0, ""}};
  double best = -INFINITY;
  for (size_t length = 0; length <= longest; ++length) {
    std::vector<Sequence> steps, longer;
    for (const auto& [log_p, tokens] : alive)
      for (const int32_t token : {kStop, A, B})
        if (length < longest || token == kStop)
          steps.emplace_back(log_p + std::log(table.at(tokens)[static_cast<size_t>(token)]),
                             tokens + ".$AB"[token]);
    std::sort(steps.rbegin(), steps.rend());
    for (size_t rank = 0; rank < steps.size() && longer.size() < beams; ++rank) {
      const auto& [log_p, tokens] = steps[rank];
      if (!tokens.ends_with('$')) {
        longer.push_back(steps[rank]);
      } else if (rank < beams) {
        best = std::max(best, score_of(log_p, tokens.size(), penalty));
      }
    }
    alive = longer;
  }
  return best;
}

TEST_CASE("beam search that stops early finds the same as one that never does") {
  Generator generator(13);
  for (int trial = 0; trial < 60; ++trial) {
    const auto table = random_table(7, generator);
    for (const int64_t beams : {1, 2, 3})
      for (const double penalty : {0.0, 0.6, 1.0, 2.5}) {
        CAPTURE(trial);
        CAPTURE(beams);
        CAPTURE(penalty);
        const transformer::BeamOptions options{
            .beams = beams, .length_penalty = penalty, .max_length = 7};
        CHECK(searched(table, options).front().score ==
              doctest::Approx(patient_search(table, static_cast<size_t>(beams), penalty, 7)));
      }
  }
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
  for (const transformer::Hypothesis& h : wide) CHECK(std::isfinite(h.log_probability));

  // No sequence ends: the result is cut at the requested length.
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

TEST_CASE("one beam with a cache equals greedy search without a cache") {
  transformer::Config config = tiny_config();
  config.max_length = 20;
  config.width = 16;
  config.layers = 2;
  config.target_vocab = 12;
  Generator generator(8);
  transformer::Translator model(config, generator);
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

  // With several beams each row of the cache must follow its sequence: the log p that the search
  // sums is that of the whole sequence without a cache.
  for (const int64_t beams : {1, 4}) {
    CAPTURE(beams);
    nn::DecoderCache cache;
    const Tensor memories = contiguous(expand(memory, {beams, 4, 16}));
    const transformer::NextToken next = [&](const std::vector<int64_t>& parents,
                                            const std::vector<int32_t>& tokens) {
      cache.reorder(from_vector(parents, {beams}));
      const Tensor newest =
          from_vector(std::vector<int64_t>(tokens.begin(), tokens.end()), {beams, 1});
      const Tensor hidden = model.decode(newest, memories, Tensor(), &cache);
      return log_softmax(model.generator(select(hidden, 1, 0)), -1);
    };
    const auto found = transformer::beam_search(
        next, begin, end, {.beams = beams, .length_penalty = 0, .max_length = 15});
    if (beams == 1)
      CHECK(found.front().tokens == std::vector<int32_t>(greedy.begin() + 1, greedy.end()));
    for (const transformer::Hypothesis& h : found) {
      std::vector<int64_t> read{begin};
      read.insert(read.end(), h.tokens.begin(), h.tokens.end());
      const Tensor logits = model(source, Tensor(), ids(read, 1));
      const std::vector<double> log_p = log_softmax(logits, -1).to_vector();
      double sum = 0;
      for (size_t i = 0; i < h.tokens.size(); ++i)
        sum += log_p[12 * i + static_cast<size_t>(h.tokens[i])];
      const double with_end = sum + log_p[12 * h.tokens.size() + end];
      CHECK(h.log_probability == doctest::Approx(with_end).epsilon(1e-9));
    }
  }
}

// ---- its task ----

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
  task.predict(inputs, out);
  return out.str();
}

TEST_CASE("translation memorises a batch of pairs; eval then gives BLEU 100") {
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
  CHECK_NOTHROW(predicted(*loaded, {"ein wombat 🐨 läuft"}));
  // A blank input gives a blank output.
  CHECK(predicted(*loaded, {"", kGerman[5], " \t\xC2\xA0"}) == "\n" + kEnglish[5] + "\n\n");
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

TEST_CASE("what writes lower case is compared with lower case") {
  const Scratch scratch;
  const std::string data = pairs_folder(scratch);
  std::vector<std::string> english = kEnglish;
  for (std::string& line : english) line[0] = static_cast<char>(line[0] - 'a' + 'A');
  english[0] = "A  dog runs";  // words do not keep the number of spaces
  for (const char* part : {"train", "val", "test1"})
    scratch.write(concat("pairs/", part, ".en"), joined(english));
  Changes changes = kTinyTranslator;
  const auto evaluated = [&] {
    const std::unique_ptr<Task> task = prepared_task("translation", data, changes);
    train_task(*task, data, scratch.path(concat("run", changes.size())));
    return task->evaluate();
  };
  const Metrics small = evaluated();
  CHECK(small[0].text() == "100.00");
  CHECK(small[1].text() == "100.00 %");
  CHECK(small[1].line() ==
        "exact 100.00 %  (8 of 8 references compared as the model writes them, in lower case)");
  CHECK(small[2].note.empty());
  changes.emplace_back("lower", "false");
  const Metrics whole = evaluated();
  CHECK(whole[1].text() == "100.00 %");
  CHECK(whole[1].note == "1 of 8 references compared as the model writes them");
}

TEST_CASE("a cut target has no end, and what is cut is counted") {
  const ParallelText text{.name = "x", .source = {"a b c d", "a"}, .target = {"p q r s t", "p q"}};
  const auto source = Tokenizer::train(text.source, {.min_count = 1}),
             target = Tokenizer::train(text.target, {.min_count = 1});
  const auto rows = [&](const transformer::TokenPairs& pairs, const char* name) {
    return pairs.batch({0})[name].to_vector<int64_t>();
  };
  const auto id = [](const Tokenizer& tokenizer, const char* word) {
    return int64_t{tokenizer.encode(word)[0]};
  };
  const transformer::TokenPairs whole(text, *source, *target, kNoLimit),
      cut(text, *source, *target, 3);
  CHECK(rows(whole, "next").size() == 6);
  CHECK(rows(whole, "next").back() == kEnd);
  CHECK_FALSE(whole.cut().any());
  CHECK(rows(cut, "target") == std::vector<int64_t>{kBegin, id(*target, "p"), id(*target, "q")});
  CHECK(rows(cut, "next") ==
        std::vector<int64_t>{id(*target, "p"), id(*target, "q"), id(*target, "r")});
  CHECK(rows(cut, "source") == std::vector<int64_t>{id(*source, "a"), id(*source, "b"), kEnd});
  CHECK(cut.batch({1})["next"].to_vector<int64_t>().back() == kEnd);
  CHECK(cut.cut().text("pairs") == "1 of 2 pairs, which lose 5 of 16 tokens");
}

TEST_CASE("translation evaluates whole texts, and reports what it cuts") {
  const Scratch scratch;
  const std::string data = pairs_folder(scratch);
  const auto with = [&](const char* length, const char* position) {
    Changes changes = kTinyTranslator;
    changes.emplace_back("max_length", length);
    changes.emplace_back("position", position);
    return prepared_task("translation", data, changes);
  };
  // Sinusoidal positions have no limit: max_length in training does not matter here.
  const auto all = with("100", "sinusoidal"), some = with("4", "sinusoidal");
  const auto same_weights = [&] { some->model().load_state_dict(all->model().state_dict()); };
  same_weights();
  all->model().eval();
  some->model().eval();
  CHECK(some->validate()[0].value == all->validate()[0].value);
  CHECK(some->evaluate()[0].value == all->evaluate()[0].value);
  CHECK(some->evaluate()[2].value == all->evaluate()[2].value);
  CHECK(some->evaluate()[2].note.empty());
  CHECK(predicted(*some, {kGerman[5]}) == predicted(*all, {kGerman[5]}));
  CHECK(all->facts().size() == 3);
  REQUIRE(some->facts().size() == 4);
  CHECK(some->facts()[2] ==
        std::pair<std::string, std::string>{
            "cut",
            "to max_length 4: 4 of 8 training pairs, which lose 10 of 74 tokens (--set "
            "max_length=N reads more)"});

  const auto learned = with("4", "learned");
  learned->model().eval();
  CHECK(learned->facts()[2].second.find("; 4 of 8 validation pairs, which lose 10") !=
        std::string::npos);
  CHECK(learned->evaluate()[2].note ==
        "cut to max_length 4: 4 of 8 pairs, which lose 10 of 74 tokens");
  CHECK(learned->evaluate()[0].note == learned->evaluate()[2].note);
  std::ostringstream out, notes;
  learned->predict({kGerman[5], kGerman[0]}, out, &notes);
  CHECK(notes.str() ==
        "tarsier: note: only the first 4 of 6 tokens of 'eine katze läuft nach haus' are read\n");
}

TEST_CASE("translation learns from a table of pairs, its columns by name") {
  const Scratch scratch;
  std::string table = "id;EN;DE\n";
  for (int i = 0; i < 16; ++i)
    table += concat(i, ";", kEnglish[static_cast<size_t>(i % 8)], ";",
                    kGerman[static_cast<size_t>(i % 8)], "\n");
  const std::unique_ptr<Task> task =
      prepared_task("translation", scratch.write("pairs.csv", table), kTinyTranslator);
  CHECK(task->training_examples() == 13);
  CHECK(task->facts()[1].second.find("columns 'DE' and 'EN'") != std::string::npos);
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
  // Not the dates of the other preset, which it would silently learn.
  check_error("translation has no built-in data",
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
