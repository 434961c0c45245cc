#pragma once
// Stories as numbers, and batches of them.

#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "../../autograd/base/random.h"
#include "../data/cut.h"
#include "../data/sampler.h"
#include "../data/words.h"
#include "../task/batch.h"
#include "babi.h"

namespace tarsier::zoo::question_answering {

/// The answer of a statement, and the one of a question that training has never answered so.
constexpr int64_t kNoAnswer = -1, kUnknownAnswer = -2;

/// The words and the answers that a model knows. An answer is one class, also if it is a list.
class Language {
 public:
  Language() = default;
  /// All words and answers of these stories; upper and lower case are the same.
  explicit Language(const std::vector<Story>& stories);
  static Language from_json(const Json& json);
  Json to_json() const;

  const WordVocabulary& words() const { return words_; }
  const std::vector<std::string>& answers() const { return answers_; }
  /// The words of a line, without the mark that ends it.
  std::vector<int32_t> encode(const std::string& text) const;
  /// The words of a line that training has never seen.
  std::vector<std::string> unknown(const std::string& text) const;
  /// The words of a read line, after its mark.
  std::string text(const std::vector<int32_t>& words) const;
  /// The number of an answer, or kUnknownAnswer.
  int64_t answer(const std::string& text) const;

 private:
  void number_answers();

  WordVocabulary words_;
  std::vector<std::string> answers_;  // sorted
  std::unordered_map<std::string, int64_t> numbers_;
};

/// A line as numbers. Its first word is WordVocabulary::kBegin for a statement, kEnd for a question.
struct ReadLine {
  std::vector<int32_t> words = {};
  int64_t answer = kNoAnswer;
  int64_t number = 0;  ///< of the line in its story
  bool asks = false;
  bool counts = false;  ///< whether its answer is learned, or judged
};

/// A story, or a part of a long one. Its first line is empty: something to look at when no other
/// line is of interest.
struct Reading {
  std::vector<ReadLine> lines = {};
  int64_t story = 0;  ///< its number
  int64_t task = 0;   ///< the kind of question
};

/// What a model reads of stories: up to `max_lines` lines at once, up to `max_words` words of each.
/// A longer story is read in parts that overlap by half, so that every question counts once, with
/// at least the max_lines / 2 lines before it. `cut` counts questions, and the lines before them
/// that they lose; `cut_words` lines, and the words that they lose.
struct LineLimits {
  int64_t max_lines = 256, max_words = 40;
};
struct Readings {
  std::vector<Reading> all;
  Cut lines, words;

  Readings() = default;
  Readings(const std::vector<Story>& stories, const Language& language, const LineLimits& limits);
  int64_t size() const { return std::ssize(all); }
};

/// Batches of readings of similar length, of up to `size` readings and `lines` lines with padding.
BatchSampler sampler_of(const Readings& readings, int64_t size, int64_t lines, RandomKey key);

/// How time passes in training: before each line a moment goes by with this probability in which
/// nothing is written. So a model does not learn distances by heart.
struct Gaps {
  double share = 0;
  RandomKey key = {};
};

/// What is done with questions whose answer the model does not know: they are left out, or count
/// with the target 0.
enum class Unknown { left_out, counts };

/// B readings of up to L lines, N questions that count, U different lines of up to W words:
///   "words"    (U, W) i64    each line that occurs, once; padded with WordVocabulary::kPad
///   "padding"  (U, W) bool   true where no word is
///   "lines"    (B, L) i64    which of them it is; of padding 0
///   "times"    (B, L) f32    the statements before each line, and the gaps
///   "hidden"   (B, L, L) bool   true where line i may not look at line j: it looks at earlier
///                               statements, and the first line and padding at themselves
///   "present"  (B, L) bool   false for padding
///   "places"   (N) i64       the places b·L + l of the questions
///   "targets"  (N) i64       their answers
/// Its weight is N, its items the lines.
Batch story_batch(const std::vector<const Reading*>& readings, Unknown unknown,
                  const Gaps& gaps = {});

}  // namespace tarsier::zoo::question_answering
