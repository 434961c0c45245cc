// The text of errors, and numbers read from text.
#include "autograd/base/error.h"

#include <doctest/doctest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <sstream>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include "autograd/base/number.h"
#include "autograd/tensor/dtype.h"
#include "autograd/tensor/shape.h"

namespace tarsier {
namespace {

/// concat() with a stream: the reference.
template <class... Parts>
std::string streamed(const Parts&... parts) {
  std::ostringstream out;
  (out << ... << parts);
  return out.str();
}

template <class... Parts>
void check_same(const Parts&... parts) {
  CHECK(concat(parts...) == streamed(parts...));
}

TEST_CASE("the parts of an error are printed as an ostream prints them") {
  check_same(true, ' ', false, '\n', "text", std::string("own"), std::string_view("a view", 3));
  check_same(0, -7, 3L, -4LL, 5U, 6UL, 7ULL, size_t{8}, std::numeric_limits<int64_t>::min(),
             std::numeric_limits<uint64_t>::max());
  check_same(0.1, ' ', 1e-5, ' ', 123456789.0, ' ', 1.0 / 3, ' ', -0.0, ' ', 1e300, ' ', 100000.0,
             ' ', 2.5f, ' ', 0.1f);
  check_same(HUGE_VAL, -HUGE_VAL, std::nan(""));
  check_same(Shape{2, 3}, Shape{}, Shape{4}, f32, boolean);
  const char* pointer = "through a pointer";
  const char array[8] = "short";
  check_same(pointer, array, std::string("with \0 inside", 13));
  CHECK(concat() == "");
}

TEST_CASE("an error has tag and parts, and a check that passes makes no text") {
  CHECK_NOTHROW(check(true, "op", "never"));
  try {
    check(1 > 2, "op", "shape ", Shape{2, 3}, " is ", 0.5, " of ", 4);
    FAIL("no error");
  } catch (const Error& error) {
    CHECK(std::string(error.what()) == "[op] shape (2, 3) is 0.5 of 4");
  }
}

struct Reading {
  std::string_view text;
  std::errc error;
  size_t length;  // of what was read
  double value;
};

TEST_CASE("doubles are read the same way with every standard library") {
  constexpr std::errc kFine{}, kNone = std::errc::invalid_argument,
                               kRange = std::errc::result_out_of_range;
  const double inf = HUGE_VAL;
  const std::vector<Reading> readings = {
      {"0.1", kFine, 3, 0.1},
      {"-2.5e-3x", kFine, 7, -2.5e-3},
      {".5", kFine, 2, 0.5},
      {"5.", kFine, 2, 5},
      {"1e", kFine, 1, 1},
      {"1e+", kFine, 1, 1},
      {"1,5", kFine, 1, 1},
      {"0x10", kFine, 1, 0},
      {"-0x10", kFine, 2, -0.0},
      {"-0", kFine, 2, -0.0},
      {"0e999", kFine, 5, 0},
      {"9007199254740993", kFine, 16, 9007199254740992},  // a tie goes to the even one
      {"1.7976931348623157e308", kFine, 22, 1.7976931348623157e308},
      {"2.2250738585072011e-308", kFine, 23, 2.2250738585072011e-308},  // subnormal
      {"4.9406564584124654e-324", kFine, 23, 5e-324},
      {"inf", kFine, 3, inf},
      {"-Infinity!", kFine, 9, -inf},
      {"1e400", kRange, 5, 7},
      {"-1e400", kRange, 6, 7},
      {"1e-400", kRange, 6, 7},
      {"", kNone, 0, 7},
      {"-", kNone, 0, 7},
      {" 1", kNone, 0, 7},
      {"+1", kNone, 0, 7},
      {"--1", kNone, 0, 7},
      {"e5", kNone, 0, 7},
      {".", kNone, 0, 7},
  };
  for (const Reading& expected : readings) {
    CAPTURE(expected.text);
    double value = 7;
    const char* first = expected.text.data();
    const auto [end, error] = parse_double(first, first + expected.text.size(), value);
    CHECK(error == expected.error);
    CHECK(static_cast<size_t>(end - first) == expected.length);
    CHECK(std::memcmp(&value, &expected.value, sizeof(double)) == 0);
  }
  double value = 7;
  const std::string_view nan = "nan";
  CHECK(parse_double(nan.data(), nan.data() + 3, value).ec == kFine);
  CHECK(std::isnan(value));
}

}  // namespace
}  // namespace tarsier
