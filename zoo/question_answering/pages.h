#pragma once
// What the page of a run shows: how well each kind of question is answered, and where the model
// looks for an answer.

#include <string>
#include <vector>

#include "../report/page.h"
#include "babi.h"
#include "score.h"

namespace tarsier::zoo::question_answering {

/// A table of the kinds of questions with their errors.
void add_score(Page& page, const Score& score);

/// A question that was answered, with where it looked.
struct Explained {
  const Story* story = nullptr;
  int64_t question = 0;  ///< its line
  std::string kind, answer;
  /// weights[n][l]: how much the question looked at line l in step n, from 0 to 1.
  std::vector<std::vector<double>> weights = {};

  bool right() const;
};

/// The story up to the question as a table: of each line whether the answer follows from it, and
/// how much was looked at it in each step. Lines that are neither are left out of long stories.
void add_explained(Page& page, const Explained& one);

}  // namespace tarsier::zoo::question_answering
