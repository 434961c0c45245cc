#include "zoo/question_answering/pages.h"

#include <algorithm>

#include "autograd/base/error.h"
#include "zoo/base/format.h"

namespace tarsier::zoo::question_answering {

void add_score(Page& page, const Score& score) {
  page.section("Kinds of questions");
  page.paragraph(concat("Of ", score.tasks(), " kinds ", score.failed(),
                        " have more than 5 % wrong answers; the mean error is ",
                        fixed(100 * score.mean_error(), 1), " %. Validation questions."));
  std::vector<std::vector<std::string>> rows;
  for (int64_t task = 0; task < score.tasks(); ++task)
    if (score.questions(task) > 0)
      rows.push_back({score.name(task), with_commas(score.questions(task)),
                      fixed(100 * score.error(task), 1)});
  page.table({"kind", "questions", "error %"}, rows);
}

bool Explained::right() const {
  return story->lines[static_cast<size_t>(question)].answer == answer;
}

void add_explained(Page& page, const Explained& one) {
  constexpr int64_t kShort = 16;   // lines of a story that is shown whole
  constexpr double kSmall = 0.05;  // looks that are not worth a line of a long one
  const Line& asked = one.story->lines[static_cast<size_t>(one.question)];
  std::vector<std::string> head = {"", one.kind, "fact"};
  for (size_t n = 0; n < one.weights.size(); ++n) head.push_back(concat("step ", n + 1));
  std::vector<std::vector<std::string>> rows;
  int64_t left_out = 0;
  for (int64_t l = 0; l < one.question; ++l) {
    const Line& line = one.story->lines[static_cast<size_t>(l)];
    if (line.asks()) continue;
    const bool fact =
        std::find(asked.supports.begin(), asked.supports.end(), l) != asked.supports.end();
    std::vector<std::string> row = {concat(l + 1), line.text, fact ? "●" : ""};
    double most = 0;
    for (const std::vector<double>& step : one.weights) {
      const double weight = step[static_cast<size_t>(l)];
      most = std::max(most, weight);
      row.push_back(weight < 0.005 ? "" : fixed(100 * weight, 0) + " %");
    }
    if (one.question > kShort && !fact && most < kSmall)
      ++left_out;
    else
      rows.push_back(std::move(row));
  }
  page.paragraph(concat(asked.text, " → ", one.answer,
                        one.right() ? "" : concat(" (the right answer is ", asked.answer, ")"),
                        left_out > 0 ? concat(" — ", counted(left_out, "line"), " left out") : ""));
  page.table(head, rows);
}

}  // namespace tarsier::zoo::question_answering
