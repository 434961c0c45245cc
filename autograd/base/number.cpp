#include "autograd/base/number.h"

#include <version>

#if !defined(__cpp_lib_to_chars)
#include <locale.h>
#include <stdlib.h>
#if defined(__APPLE__)
#include <xlocale.h>
#endif

#include <cmath>
#include <string>
#include <string_view>
#include <system_error>
#endif

namespace tarsier {

#if defined(__cpp_lib_to_chars)

std::from_chars_result parse_double(const char* first, const char* last, double& value) {
  return std::from_chars(first, last, value);
}

#else  // strtod() in the C locale, limited to the grammar of from_chars()

std::from_chars_result parse_double(const char* first, const char* last, double& value) {
  static const locale_t c_locale = newlocale(LC_ALL_MASK, "C", nullptr);
  const std::string text(first, last);  // which ends with a zero, as strtod() needs
  const bool negative = !text.empty() && text.front() == '-';
  const std::string_view digits = std::string_view(text).substr(negative ? 1 : 0);
  const auto in = [&](std::string_view set) {
    return !digits.empty() && set.find(digits.front()) != std::string_view::npos;
  };
  if (!in("0123456789.iInN")) return {first, std::errc::invalid_argument};
  double result = 0;
  const char* end = nullptr;
  if (digits.size() > 1 && digits[0] == '0' && (digits[1] == 'x' || digits[1] == 'X')) {
    result = negative ? -0.0 : 0.0;  // the x ends the number
    end = text.c_str() + (negative ? 2 : 1);
  } else {
    char* stop = nullptr;
    result = strtod_l(text.c_str(), &stop, c_locale);
    end = stop;
  }
  if (end == text.c_str()) return {first, std::errc::invalid_argument};
  const char* const at = first + (end - text.c_str());
  const std::string_view read(text.c_str(), static_cast<size_t>(end - text.c_str()));
  const std::string_view mantissa = read.substr(0, read.find_first_of("eE"));
  const bool word = in("iInN");
  const bool overflow = !word && std::isinf(result);
  const bool underflow =
      !word && result == 0 && mantissa.find_first_of("123456789") != std::string_view::npos;
  if (overflow || underflow) return {at, std::errc::result_out_of_range};
  value = result;
  return {at, std::errc()};
}

#endif

}  // namespace tarsier
