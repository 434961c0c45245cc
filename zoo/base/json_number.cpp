#include "zoo/base/json_number.h"

#include <cmath>
#include <limits>

#include "autograd/io/json.h"

namespace tarsier::zoo {

namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr const char *kNaN = "NaN", *kInfinite = "Infinity", *kMinusInfinite = "-Infinity";

}  // namespace

Json json_number(double number) {
  if (std::isfinite(number)) return number;
  return std::isnan(number) ? kNaN : number > 0 ? kInfinite : kMinusInfinite;
}

bool is_json_number(const Json& json) {
  if (!json.is_string()) return json.is_number();
  const std::string& text = json.as_string();
  return text == kNaN || text == kInfinite || text == kMinusInfinite;
}

double number_of(const Json& json) {
  if (!json.is_string() || !is_json_number(json)) return json.as_double();
  if (json.as_string() == kNaN) return std::numeric_limits<double>::quiet_NaN();
  return json.as_string() == kInfinite ? kInfinity : -kInfinity;
}

}  // namespace tarsier::zoo
