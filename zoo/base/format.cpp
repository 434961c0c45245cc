#include "zoo/base/format.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace tarsier::zoo {

std::string with_commas(int64_t number) {
  const std::string digits = std::to_string(number);
  std::string out;
  for (size_t i = 0; i < digits.size(); ++i) {
    const bool after_digit = i > 0 && digits[i - 1] != '-';
    if (after_digit && (digits.size() - i) % 3 == 0) out.push_back(',');
    out.push_back(digits[i]);
  }
  return out;
}

std::string counted(int64_t number, const std::string& what) {
  return with_commas(number) + " " + what + (number == 1 ? "" : "s");
}

std::string as_duration(double seconds) {
  const auto whole = static_cast<int64_t>(std::max(0.0, seconds) + 0.5);
  char text[32];
  if (whole >= 3600) {
    std::snprintf(text, sizeof text, "%d:%02d:%02d", static_cast<int>(whole / 3600),
                  static_cast<int>(whole / 60 % 60), static_cast<int>(whole % 60));
  } else {
    std::snprintf(text, sizeof text, "%d:%02d", static_cast<int>(whole / 60),
                  static_cast<int>(whole % 60));
  }
  return text;
}

std::string fixed(double number, int digits) {
  if (std::isnan(number)) return "nan";  // C may write -nan
  char text[64];
  // Beyond 2⁵³ digits say nothing that was measured.
  std::snprintf(text, sizeof text, std::abs(number) < 1e16 ? "%.*f" : "%.*e", digits, number);
  return text;
}

}  // namespace tarsier::zoo
