#include "zoo/question_answering/renaming.h"

#include <algorithm>
#include <numeric>
#include <set>
#include <string>
#include <unordered_map>

namespace tarsier::zoo::question_answering {

namespace {

constexpr int64_t kRare = 20;
constexpr double kDoubt = 20;

/// What is counted of a word.
enum Kind : uint64_t { neighbours, line_mate, story_mate, answer_of, asked_of, answer_after };

/// A feature of a word: what it is about, and up to two other words.
struct Feature {
  Kind kind;
  int32_t x, y;
  bool asks;

  /// The feature with a and b swapped.
  Feature swapped(int32_t a, int32_t b) const {
    const auto other = [&](int32_t word) { return word == a ? b : word == b ? a : word; };
    return {kind, other(x), other(y), asks};
  }
  uint64_t key() const {
    return kind << 61 | uint64_t{asks} << 60 | static_cast<uint64_t>(x) << 30 |
           static_cast<uint64_t>(y);
  }
};

/// The features of all words in the stories of one kind of question.
class Counts {
 public:
  Counts(size_t words, const std::vector<std::vector<int32_t>>& parts)
      : words_(words), parts_(parts), of_(words), frequency_(words), asked_(words) {}

  void add(const Reading& story) {
    std::set<int32_t> told;                       // the words of the statements
    std::set<std::pair<int32_t, int32_t>> pairs;  // neighbours in them
    for (const ReadLine& line : story.lines) {
      const std::set<int32_t> mates(line.words.begin() + 1, line.words.end());
      add_line(line, mates);
      if (line.asks) {
        if (line.answer >= 0) add_question(line.answer, mates, pairs);
        continue;
      }
      told.insert(mates.begin(), mates.end());
      for (size_t i = 1; i < line.words.size(); ++i)
        pairs.emplace(line.words[i - 1], line.words[i]);
    }
    for (const int32_t word : told)
      for (const int32_t other : told) count(word, {story_mate, other, 0, false});
  }

  bool has(size_t word) const { return frequency_[word] > 0; }
  bool asks_about(size_t word) const { return asked_[word]; }

  /// The classes of words that are asked about here, or `elsewhere`.
  Renaming::Classes classes(const std::vector<bool>& elsewhere) const {
    std::vector<int32_t> words;
    for (size_t w = 0; w < words_; ++w)
      if ((asked_[w] || elsewhere[w]) && frequency_[w] >= kRare)
        words.push_back(static_cast<int32_t>(w));
    std::stable_sort(words.begin(), words.end(), [this](int32_t a, int32_t b) {
      return frequency_[static_cast<size_t>(a)] > frequency_[static_cast<size_t>(b)];
    });
    Renaming::Classes classes;
    for (const int32_t word : words) {
      const auto home = std::find_if(classes.begin(), classes.end(), [&](const auto& members) {
        return std::all_of(members.begin(), members.end(),
                           [&](int32_t other) { return interchangeable(word, other); });
      });
      (home == classes.end() ? classes.emplace_back() : *home).push_back(word);
    }
    std::erase_if(classes, [](const auto& members) { return members.size() < 2; });
    return classes;
  }

 private:
  struct Entry {
    Feature feature;
    int64_t count = 0;
  };

  void count(int32_t word, const Feature& feature) {
    if (static_cast<size_t>(word) >= words_) return;  // a part of an answer that is no word
    ++of_[static_cast<size_t>(word)].try_emplace(feature.key(), Entry{feature}).first->second.count;
  }

  void add_line(const ReadLine& line, const std::set<int32_t>& mates) {
    const std::vector<int32_t>& words = line.words;
    for (size_t i = 1; i < words.size(); ++i) {
      const auto word = static_cast<size_t>(words[i]);
      ++frequency_[word];
      if (line.asks) asked_[word] = true;
      const int32_t next = i + 1 < words.size() ? words[i + 1] : WordVocabulary::kPad;
      count(words[i], {neighbours, words[i - 1], next, line.asks});
    }
    for (const int32_t word : mates)
      for (const int32_t other : mates)
        if (word != other) count(word, {line_mate, other, 0, line.asks});
  }

  void add_question(int64_t answer, const std::set<int32_t>& words,
                    const std::set<std::pair<int32_t, int32_t>>& pairs) {
    const std::vector<int32_t>& parts = parts_[static_cast<size_t>(answer)];
    for (const int32_t part : parts) {
      if (static_cast<size_t>(part) < words_) asked_[static_cast<size_t>(part)] = true;
      for (const int32_t word : words) count(part, {answer_of, word, 0, true});
      for (const auto& [left, right] : pairs) count(part, {answer_after, left, right, true});
    }
    const auto list = static_cast<int32_t>(static_cast<int64_t>(words_) + answer);
    const int32_t whole = parts.size() == 1 ? parts.front() : list;
    for (const int32_t word : words) count(word, {asked_of, whole, 0, true});
  }

  /// Whether no feature of `a` tells it from `b`.
  bool like(int32_t a, int32_t b) const {
    const auto& theirs = of_[static_cast<size_t>(b)];
    for (const auto& [key, entry] : of_[static_cast<size_t>(a)]) {
      const auto found = theirs.find(entry.feature.swapped(a, b).key());
      const auto x = static_cast<double>(entry.count);
      const double y = found == theirs.end() ? 0 : static_cast<double>(found->second.count);
      if ((x - y) * (x - y) > kDoubt * (x + y)) return false;
    }
    return true;
  }
  bool interchangeable(int32_t a, int32_t b) const { return like(a, b) && like(b, a); }

  size_t words_;
  const std::vector<std::vector<int32_t>>& parts_;
  std::vector<std::unordered_map<uint64_t, Entry>> of_;  // by word
  std::vector<int64_t> frequency_;
  std::vector<bool> asked_;  // in questions or answers
};

/// The parts of every answer, which a comma separates: words by their numbers, others by numbers
/// above.
std::vector<std::vector<int32_t>> parts_of_answers(const Language& language) {
  std::map<std::string, int32_t> others;
  std::vector<std::vector<int32_t>> all;
  for (const std::string& answer : language.answers()) {
    std::vector<int32_t>& parts = all.emplace_back();
    for (size_t begin = 0; begin <= answer.size();) {
      const size_t end = std::min(answer.find(',', begin), answer.size());
      const std::string part = to_lower(answer.substr(begin, end - begin));
      int32_t number = language.words().id_of(part);
      if (number == WordVocabulary::kUnknown)
        number = static_cast<int32_t>(language.words().size() + std::ssize(language.answers()) +
                                      others.try_emplace(part, std::ssize(others)).first->second);
      parts.push_back(number);
      begin = end + 1;
    }
  }
  return all;
}

}  // namespace

Renaming::Renaming(const Readings& readings, const Language& language)
    : parts_(parts_of_answers(language)) {
  for (size_t i = 0; i < parts_.size(); ++i) answers_.emplace(parts_[i], static_cast<int64_t>(i));
  std::vector<std::vector<const Reading*>> by_task;
  for (const Reading& one : readings.all) {
    by_task.resize(std::max(by_task.size(), static_cast<size_t>(one.task) + 1));
    by_task[static_cast<size_t>(one.task)].push_back(&one);
  }
  const auto words = static_cast<size_t>(language.words().size());
  std::vector<Counts> counts;
  for (const auto& stories : by_task) {
    counts.emplace_back(words, parts_);
    for (const Reading* story : stories) counts.back().add(*story);
  }
  std::vector<bool> asked(words);  // in most kinds of questions
  for (size_t w = 0; w < words; ++w) {
    int64_t balance = 0;
    for (const Counts& one : counts) balance += one.asks_about(w) ? 1 : one.has(w) ? -1 : 0;
    asked[w] = balance > 0;
  }
  for (const Counts& one : counts) classes_.push_back(one.classes(asked));
}

const Renaming::Classes& Renaming::classes(int64_t task) const {
  return classes_.at(static_cast<size_t>(task));
}

Reading Renaming::renamed(const Reading& reading, Dice& dice) const {
  std::unordered_map<int32_t, int32_t> to;
  for (const std::vector<int32_t>& members : classes(reading.task)) {
    std::vector<int32_t> left = members;
    for (const int32_t word : members) {
      const auto chosen = left.begin() + dice.below(std::ssize(left));
      to[word] = *chosen;
      left.erase(chosen);
    }
  }
  const auto rename = [&](std::vector<int32_t> words) {
    for (int32_t& word : words)
      if (const auto found = to.find(word); found != to.end()) word = found->second;
    return words;
  };
  Reading other = reading;
  for (ReadLine& line : other.lines) {
    line.words = rename(std::move(line.words));
    if (line.answer < 0) continue;
    const auto found = answers_.find(rename(parts_[static_cast<size_t>(line.answer)]));
    if (found == answers_.end()) return reading;
    line.answer = found->second;
  }
  return other;
}

}  // namespace tarsier::zoo::question_answering
