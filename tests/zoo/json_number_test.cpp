// Numbers of a run that JSON cannot write.
#include "zoo/base/json_number.h"
#include "autograd/io/json.h"

#include <doctest/doctest.h>

#include <cmath>
#include <vector>

#include "tests/error_of.h"

namespace tarsier::zoo {
namespace {

TEST_CASE("infinite numbers and NaN are strings in JSON, and are read back") {
  const auto dumped = [](double number) { return json_number(number).dump(); };
  CHECK(dumped(1.5) == "1.5");
  CHECK(dumped(INFINITY) == "\"Infinity\"");
  CHECK(dumped(-INFINITY) == "\"-Infinity\"");
  CHECK(dumped(-std::nan("")) == "\"NaN\"");
  for (const double number : std::vector<double>{0.1, -0.0, 3.0, 1e308, INFINITY, -INFINITY}) {
    CAPTURE(number);
    const Json json = Json::parse(dumped(number));
    CHECK(is_json_number(json));
    CHECK(number_of(json) == number);
  }
  CHECK(std::isnan(number_of(Json::parse(dumped(NAN)))));
}

TEST_CASE("other strings are not numbers") {
  for (const char* text : {"infinity", "nan", "1.5", ""}) {
    CHECK_FALSE(is_json_number(Json(text)));
    CHECK(error_of([&] { number_of(Json(text)); }).starts_with("[json]"));
  }
  CHECK_FALSE(is_json_number(Json()));
}

}  // namespace
}  // namespace tarsier::zoo
