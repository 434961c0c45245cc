// Numbers formatted for people.
#include "zoo/base/format.h"

#include <doctest/doctest.h>

#include <cmath>

namespace tarsier::zoo {
namespace {

TEST_CASE("numbers, counts and durations are written for people") {
  CHECK(with_commas(0) == "0");
  CHECK(with_commas(999) == "999");
  CHECK(with_commas(1000) == "1,000");
  CHECK(with_commas(-123456) == "-123,456");
  CHECK(with_commas(1234567) == "1,234,567");
  CHECK(counted(1, "layer") == "1 layer");
  CHECK(counted(2000, "step") == "2,000 steps");
  CHECK(as_duration(0.4) == "0:00");
  CHECK(as_duration(59.6) == "1:00");
  CHECK(as_duration(754) == "12:34");
  CHECK(as_duration(3723) == "1:02:03");
  CHECK(as_duration(-1) == "0:00");
  CHECK(fixed(1.87651, 4) == "1.8765");
}

TEST_CASE("very large numbers, infinity, NaN") {
  CHECK(fixed(1.23456, 2) == "1.23");
  CHECK(fixed(9e15, 2) == "9000000000000000.00");
  CHECK(fixed(1.5e16, 2) == "1.50e+16");
  CHECK(fixed(-1.8e307, 1) == "-1.8e+307");
  CHECK(fixed(INFINITY, 2) == "inf");
  CHECK(fixed(-INFINITY, 2) == "-inf");
  CHECK(fixed(-std::nan(""), 2) == "nan");
}

}  // namespace
}  // namespace tarsier::zoo
