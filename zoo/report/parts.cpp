#include "zoo/report/parts.h"

#include <algorithm>

#include "autograd/autograd.h"
#include "zoo/base/format.h"

namespace tarsier::zoo {

namespace {

/// A count in at most four characters, which fit a cell: 9999, "10k", "12M".
std::string short_count(int64_t count) {
  const char* unit = "";
  for (const char* larger : {"k", "M", "G", "T"}) {
    if (count < (unit[0] == '\0' ? 10'000 : 1'000)) break;
    count = (count + 500) / 1000;
    unit = larger;
  }
  return concat(count, unit);
}

}  // namespace

void add_confusion(Page& page, const ConfusionMatrix& confusion,
                   const std::vector<std::string>& names) {
  constexpr int64_t kMostClasses = 40, kClassesWithCounts = 15;
  page.section("Confusion matrix");
  const int64_t n = confusion.classes();
  if (n > kMostClasses) {
    page.preformatted(confusion.describe(names));
    return;
  }
  std::vector<double> shares;
  std::vector<std::string> counts;
  for (int64_t truth = 0; truth < n; ++truth) {
    int64_t sum = 0;
    for (int64_t predicted = 0; predicted < n; ++predicted) sum += confusion.at(truth, predicted);
    for (int64_t predicted = 0; predicted < n; ++predicted) {
      const int64_t count = confusion.at(truth, predicted);
      shares.push_back(sum > 0 ? static_cast<double>(count) / static_cast<double>(sum) : 0);
      counts.push_back(count > 0 ? short_count(count) : "");
    }
  }
  HeatMapOptions options{.label = "confusion matrix",
                         .row_title = "truth",
                         .column_title = "prediction",
                         .high = 1,
                         .cell = 22,
                         .percent = true};
  if (n <= kClassesWithCounts) {
    options.texts = counts;
    options.cell = 32;  // ten classes fit a phone
  }
  page.figure(
      {heat_map(shares, n, n, names, names, options),
       "The colour is the fraction of the true class (row) that is predicted as the column."});
  if (options.texts.empty()) add_percent(page, shares, names, names);
}

std::vector<Answer> worth_showing(const std::vector<Answer>& answers, size_t mistakes,
                                  size_t right) {
  std::vector<Answer> chosen, others;
  for (const Answer& answer : answers) (answer.right() ? others : chosen).push_back(answer);
  std::stable_sort(chosen.begin(), chosen.end(),
                   [](const Answer& a, const Answer& b) { return a.probability > b.probability; });
  chosen.resize(std::min(chosen.size(), mistakes));
  std::stable_sort(others.begin(), others.end(),
                   [](const Answer& a, const Answer& b) { return a.example < b.example; });
  others.resize(std::min(others.size(), right));
  chosen.insert(chosen.end(), others.begin(), others.end());
  return chosen;
}

std::string described(const Answer& answer, const std::vector<std::string>& names) {
  const auto name = [&](int64_t c) { return names[static_cast<size_t>(c)]; };
  return name(answer.truth) + (answer.right() ? "" : concat(", read as ", name(answer.predicted))) +
         " (" + fixed(100 * answer.probability, 0) + " %)";
}

void add_percent(Page& page, const std::vector<double>& values,
                 const std::vector<std::string>& row_labels,
                 const std::vector<std::string>& column_labels) {
  std::vector<std::string> head{"%"};
  head.insert(head.end(), column_labels.begin(), column_labels.end());
  std::vector<std::vector<std::string>> rows;
  for (size_t r = 0; r < row_labels.size(); ++r) {
    rows.push_back({row_labels[r]});
    for (size_t c = 0; c < column_labels.size(); ++c) {
      const std::string text = fixed(100 * values[r * column_labels.size() + c], 1);
      rows.back().push_back(text == "0.0" ? "–" : text);
    }
  }
  page.collapsed_table("In numbers", head, rows);
}

void add_attention(Page& page, const std::vector<Tensor>& weights,
                   const std::vector<std::string>& labels, std::string_view intro) {
  const auto T = static_cast<int64_t>(labels.size());
  page.paragraph(intro);
  const std::vector<double> last = mean(weights.back(), 1).to_vector();
  page.figure({heat_map(last, T, T, labels, labels,
                        {.label = "attention in the last layer", .cell = 15, .percent = true}),
               ""});
  add_percent(page, last, labels, labels);
  page.paragraph("Every head on the same input, from the first layer to the last.");
  std::vector<Figure> heads;
  for (size_t layer = 0; layer < weights.size(); ++layer)
    for (int64_t head = 0; head < weights[layer].size(1); ++head) {
      const std::string name = concat("layer ", layer + 1, ", head ", head + 1);
      const std::vector<double> seen = select(weights[layer], 1, head).to_vector();
      heads.push_back({heat_map(seen, T, T, labels, labels,
                                {.label = name, .cell = 3, .percent = true, .bare = true}),
                       concat(name, ", to ", fixed(100 * std::ranges::max(seen), 0), " %")});
    }
  page.figures(heads);
}

std::vector<std::string> text_pieces(const Tokenizer& tokenizer, const std::vector<int32_t>& ids) {
  std::vector<std::string> pieces;
  std::string before;
  std::vector<int32_t> beginning;
  for (const int32_t id : ids) {
    beginning.push_back(id);
    const std::string text = tokenizer.decode(beginning);
    const bool special = id < kSpecialTokens || !text.starts_with(before);
    pieces.push_back(special ? concat(" ", tokenizer.show(id)) : text.substr(before.size()));
    before = text;
  }
  return pieces;
}

std::vector<std::string> text_pieces(const Tokenizer& tokenizer,
                                     const std::vector<std::string>& tokens) {
  std::vector<std::string> pieces, beginning;
  std::string before;
  for (const std::string& token : tokens) {
    beginning.push_back(token);
    const std::string text = tokenizer.join(beginning);
    pieces.push_back(text.substr(std::min(before.size(), text.size())));
    before = text;
  }
  return pieces;
}

std::vector<std::string> as_labels(std::vector<std::string> pieces) {
  for (std::string& piece : pieces)
    piece = visible(piece.size() > 1 && piece.starts_with(' ') ? piece.substr(1) : piece);
  return pieces;
}

std::vector<std::string> token_labels(const Tokenizer& tokenizer, const std::vector<int32_t>& ids) {
  return as_labels(text_pieces(tokenizer, ids));
}

}  // namespace tarsier::zoo
