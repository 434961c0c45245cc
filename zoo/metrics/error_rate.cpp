#include "zoo/metrics/error_rate.h"

#include <algorithm>
#include <numeric>

#include "autograd/base/error.h"
#include "zoo/data/unicode.h"

namespace tarsier::zoo {

int64_t edit_distance(const std::vector<std::string>& from, const std::vector<std::string>& to) {
  // row[j]: the distance of the first i of `from` to the first j of `to`.
  std::vector<int64_t> row(to.size() + 1);
  std::iota(row.begin(), row.end(), int64_t{0});
  for (size_t i = 0; i < from.size(); ++i) {
    int64_t diagonal = row[0]++;
    for (size_t j = 0; j < to.size(); ++j) {
      const int64_t replaced = diagonal + (from[i] == to[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({replaced, row[j] + 1, row[j + 1] + 1});
    }
  }
  return row.back();
}

double ErrorRate::rate() const {
  return static_cast<double>(errors) / static_cast<double>(std::max<int64_t>(length, 1));
}

namespace {

using Split = std::vector<std::string> (*)(std::string_view);

std::vector<std::string> words_of(std::string_view text) {
  std::vector<std::string> out;
  while (!text.empty()) {
    const size_t end = std::min(text.find(' '), text.size());
    if (end > 0) out.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return out;
}

std::vector<std::string> characters_of(std::string_view text) {
  while (text.starts_with(' ')) text.remove_prefix(1);
  while (text.ends_with(' ')) text.remove_suffix(1);
  std::vector<std::string> out;
  while (!text.empty()) {
    const size_t bytes = next_character(text).bytes;
    out.emplace_back(text.substr(0, bytes));
    text.remove_prefix(bytes);
  }
  return out;
}

ErrorRate errors_of(const std::vector<std::string>& texts,
                    const std::vector<std::string>& references, Split split) {
  check(texts.size() == references.size(), "metric", texts.size(), " texts for ", references.size(),
        " references: expected one each");
  ErrorRate out;
  for (size_t i = 0; i < texts.size(); ++i) {
    const std::vector<std::string> reference = split(references[i]);
    out.errors += edit_distance(split(texts[i]), reference);
    out.length += static_cast<int64_t>(reference.size());
  }
  return out;
}

}  // namespace

ErrorRate word_errors(const std::vector<std::string>& texts,
                      const std::vector<std::string>& references) {
  return errors_of(texts, references, words_of);
}

ErrorRate character_errors(const std::vector<std::string>& texts,
                           const std::vector<std::string>& references) {
  return errors_of(texts, references, characters_of);
}

}  // namespace tarsier::zoo
