#include "zoo/base/format.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace tarsier::zoo {

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
  // Above 2⁵³ the last digits of a double mean nothing.
  std::snprintf(text, sizeof text, std::abs(number) < 1e16 ? "%.*f" : "%.*e", digits, number);
  return text;
}

}  // namespace tarsier::zoo
