// Beam search: the best sequences of models that are tables of probabilities.
#include "zoo/transformer/beam.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <string>
#include <vector>

#include "autograd/base/random.h"
#include "autograd/ops.h"
#include "tests/error_of.h"

namespace tarsier::zoo {
namespace {

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

TEST_CASE("a minimal length forbids earlier ends, whatever they are worth") {
  const std::map<std::string, std::vector<double>> sure = {
      {"", {0, 0.9, 0.1, 0}}, {"A", {0, 0.9, 0.05, 0.05}}, {"AB", {0, 0.9, 0.1, 0}}};
  const auto tokens = [&](int64_t shortest, int64_t longest) {
    const auto found = searched(sure, {.beams = 2, .max_length = longest, .min_length = shortest});
    for (const transformer::Hypothesis& h : found)
      CHECK(std::ssize(h.tokens) >= std::min(shortest, longest));
    return found.front().tokens;
  };
  CHECK(tokens(0, 9).empty());
  CHECK(tokens(1, 9) == std::vector<int32_t>{A});
  CHECK(tokens(3, 9).size() == 3);
  CHECK(tokens(5, 2).size() == 2);  // the end must come after max_length
}

TEST_CASE("n tokens occur only once where repeats are forbidden") {
  std::map<std::string, std::vector<double>> loop;  // A A B A A B …, and rather A than the end
  for (const char* beginning : {"", "A", "AA", "AAB", "AABA", "AABAA", "AABAB", "AABABB", "AB",
                                "ABA", "ABB", "AABB", "AABBA", "AABBB", "BA", "B", "AABBAB"})
    loop[beginning] = {0, 0.1, std::string(beginning).ends_with("AA") ? 0.2 : 0.7, 0};
  for (auto& [beginning, p] : loop) p[B] = 0.9 - p[A];
  const auto written = [&](int64_t n) {
    const auto found =
        searched(loop, {.beams = 1, .length_penalty = 0, .max_length = 6, .no_repeat = n});
    std::string text;
    for (const int32_t token : found.front().tokens) text += ".$AB"[token];
    return text;
  };
  CHECK(written(0) == "AABAAB");
  CHECK(written(1) == "AB");      // then only the end is left
  CHECK(written(2) == "AABA");    // then AA and AB are there already
  CHECK(written(3) == "AABAAA");  // after AABAA, B would repeat AAB
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

}  // namespace
}  // namespace tarsier::zoo
