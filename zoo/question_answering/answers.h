#pragma once
// The answers of a model, how many are right, and where it looked for them.

#include <string>
#include <vector>

#include "model.h"
#include "pages.h"
#include "readings.h"
#include "score.h"

namespace tarsier::zoo::question_answering {

/// The tensors of a batch that the model takes, besides "words".
Input input_of(const Batch& batch);

/// An answer to a question.
struct Given {
  const Reading* reading;
  const ReadLine* line;
  int64_t answer;
  bool right() const { return answer == line->answer; }
};

struct Answers {
  std::vector<Given> given;  ///< to every question that counts, in the order of the readings
  double loss = 0;           ///< the mean cross-entropy; an unknown answer counts as answer 0
};

/// Answers all questions of readings, which must live longer. Under NoGrad, in eval().
Answers answers_to(UniversalReader& model, const Readings& readings);

/// How many are right; `tasks` are the names of the kinds of questions.
Score score_of(const Answers& answers, const std::vector<std::string>& tasks);

/// Where the model looked for this answer. Of `story`, which is the one of the reading; it must
/// live longer. Under NoGrad, in eval().
Explained explained(UniversalReader& model, const Language& language, const Given& given,
                    const Story& story, const std::string& kind);

}  // namespace tarsier::zoo::question_answering
