#include "zoo/base/usage_error.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <numeric>

#include "autograd/base/number.h"

namespace tarsier::zoo {

namespace {

/// The Levenshtein distance, one row of the table at a time.
size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), size_t{0});
  for (size_t i = 0; i < a.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i + 1;
    for (size_t j = 0; j < b.size(); ++j) {
      const size_t replaced = diagonal + (a[i] != b[j]);
      diagonal = row[j + 1];
      row[j + 1] = std::min({replaced, row[j] + 1, row[j + 1] + 1});
    }
  }
  return row.back();
}

/// `text` with A–Z in lower case.
std::string lower_case(std::string_view text) {
  std::string out(text);
  for (char& c : out)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return out;
}

/// "of at least 1", "from 0 to 1", or nothing if every value is allowed.
template <class T>
std::string range_text(T low, T high, T lowest, T highest) {
  if (low > lowest && high < highest) return concat(" from ", low, " to ", high);
  if (low > lowest) return concat(" of at least ", low);
  if (high < highest) return concat(" of at most ", high);
  return "";
}

}  // namespace

std::string did_you_mean(std::string_view text, const std::vector<std::string>& known) {
  const std::string given = lower_case(text);
  std::string best;
  size_t best_distance = std::max<size_t>(2, given.size() / 3) + 1;
  for (const std::string& candidate : known) {
    // A prefix counts as a small typo: "temp" for "temperature".
    const bool beginning = given.size() >= 2 && candidate.starts_with(given);
    const size_t distance = beginning ? 1 : edit_distance(given, candidate);
    if (distance < best_distance && distance < candidate.size()) {
      best_distance = distance;
      best = candidate;
    }
  }
  return best.empty() ? "" : ": did you mean '" + best + "'?";
}

std::string listed(const std::vector<std::string>& names) {
  std::string out;
  for (const std::string& name : names) out.append(out.empty() ? "" : ", ").append(name);
  return out;
}

std::string among(std::string_view given, const std::vector<std::string>& known,
                  std::string_view verb) {
  const std::string suggestion = did_you_mean(given, known);
  return concat(suggestion.empty() ? "." : suggestion, " ", verb, ": ", listed(known));
}

int64_t parse_integer(const std::string& tag, const std::string& what, const std::string& text,
                      int64_t low, int64_t high) {
  int64_t value = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc() || stop != end || value < low || value > high) {
    using Limits = std::numeric_limits<int64_t>;
    usage_fail(tag, what, " is '", text, "', but must be a whole number",
               error == std::errc::result_out_of_range
                   ? concat(" from ", low, " to ", high)
                   : range_text(low, high, Limits::min(), Limits::max()));
  }
  return value;
}

double parse_number(const std::string& tag, const std::string& what, const std::string& text,
                    double low, double high) {
  double value = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = parse_double(text.data(), end, value);
  if (error != std::errc() || stop != end || !std::isfinite(value) || value < low || value > high) {
    using Limits = std::numeric_limits<double>;
    usage_fail(tag, what, " is '", text, "', but must be a number",
               range_text(low, high, Limits::lowest(), Limits::max()));
  }
  return value;
}

}  // namespace tarsier::zoo
