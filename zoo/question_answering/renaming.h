#pragma once
// Words that may stand for each other: a story stays true when its people swap their names.

#include <cstdint>
#include <map>
#include <utility>
#include <vector>

#include "../data/dice.h"
#include "readings.h"

namespace tarsier::zoo::question_answering {

/// Which words of each kind of question are interchangeable, found in the training stories; and
/// stories told with other names. It does for stories what mirroring does for pictures.
///
/// Two words are interchangeable if no count tells them apart. It is counted how often a word has
/// which neighbours, stands in a line with which other words and in a story with which others; and
/// of questions, which answers go with which words of theirs, and with which pairs of neighbours
/// before them. Let a feature occur x times with the one word, and y times with the other where
/// both words are swapped in it. If both are equally likely, (x − y)² / (x + y) is about 1; a
/// value above 20 tells the words apart. So in the bAbI tasks people, places and things are found,
/// but not hungry and thirsty, which go with different things, or the times of a day.
///
/// Only words that occur 20 times are considered, and only those that questions ask about: that
/// occur in questions or answers of this kind, or of most kinds whose stories have the word. Every
/// word joins the first class with all of whose members it is interchangeable, the most frequent
/// word first.
class Renaming {
 public:
  Renaming() = default;
  /// Finds the classes; `readings` are of training stories.
  Renaming(const Readings& readings, const Language& language);

  using Classes = std::vector<std::vector<int32_t>>;
  /// The words of one kind of question that are interchangeable, by class; of two words or more.
  const Classes& classes(int64_t task) const;

  /// The story with its names swapped at random, in lines and answers. Unchanged if one of its
  /// answers would be one that the model does not know.
  Reading renamed(const Reading& reading, Dice& dice) const;

 private:
  std::vector<Classes> classes_;                     // by task
  std::vector<std::vector<int32_t>> parts_;          // of each answer: words, or what is no word
  std::map<std::vector<int32_t>, int64_t> answers_;  // by their parts
};

}  // namespace tarsier::zoo::question_answering
