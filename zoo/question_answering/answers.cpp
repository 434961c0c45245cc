#include "zoo/question_answering/answers.h"

#include <algorithm>

namespace tarsier::zoo::question_answering {

Input input_of(const Batch& batch) {
  return {batch["padding"], batch["lines"],   batch["times"],
          batch["hidden"],  batch["present"], batch["places"]};
}

Answers answers_to(UniversalReader& model, const Readings& readings) {
  constexpr int64_t kReadings = 64, kLines = 2048;
  const NoGrad no_grad;
  std::vector<std::vector<Given>> by_reading(readings.all.size());
  double loss = 0, questions = 0;
  if (readings.size() == 0) return {};
  for (const std::vector<int64_t>& chosen : sampler_of(readings, kReadings, kLines, {}).all()) {
    std::vector<const Reading*> parts;
    for (const int64_t i : chosen) parts.push_back(&readings.all[static_cast<size_t>(i)]);
    const Batch batch = story_batch(parts, Unknown::counts);
    const Tensor scores = model(batch["words"], input_of(batch)).scores;
    loss += cross_entropy(scores, batch["targets"]).item() * batch.weight;
    questions += batch.weight;
    const std::vector<int64_t> best = argmax(scores, -1).to_vector<int64_t>();
    auto next = best.begin();
    for (const int64_t i : chosen)
      for (const ReadLine& line : readings.all[static_cast<size_t>(i)].lines)
        if (line.counts)
          by_reading[static_cast<size_t>(i)].push_back(
              {&readings.all[static_cast<size_t>(i)], &line, *next++});
  }
  Answers answers{{}, loss / questions};
  for (const std::vector<Given>& given : by_reading)
    answers.given.insert(answers.given.end(), given.begin(), given.end());
  return answers;
}

Score score_of(const Answers& answers, const std::vector<std::string>& tasks) {
  Score score(tasks);
  for (const Given& one : answers.given) score.add(one.reading->task, one.right());
  return score;
}

Explained explained(UniversalReader& model, const Language& language, const Given& given,
                    const Story& story, const std::string& kind) {
  const NoGrad no_grad;
  Explained out{.story = &story,
                .question = given.line->number,
                .kind = kind,
                .answer = language.answers()[static_cast<size_t>(given.answer)]};
  const Batch batch = story_batch({given.reading}, Unknown::counts);
  const std::vector<ReadLine>& lines = given.reading->lines;
  const int64_t row = given.line - lines.data();
  for (const Tensor& weights : model(batch["words"], input_of(batch), true).weights) {
    const std::vector<double> looked =
        select(mean(select(weights, 0, 0), {0}), 0, row).to_vector();  // (L)
    std::vector<double>& step = out.weights.emplace_back(story.lines.size());
    for (size_t l = 0; l < lines.size(); ++l)
      if (lines[l].number >= 0) step[static_cast<size_t>(lines[l].number)] = looked[l];
  }
  return out;
}

}  // namespace tarsier::zoo::question_answering
