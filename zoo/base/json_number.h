#pragma once
// Numbers in JSON that may be infinite or NaN, as the numbers of a run can be.

#include "../../autograd/io/json.h"

namespace tarsier::zoo {

/// `number` as JSON: a number, or the string "NaN", "Infinity" or "-Infinity", which JSON cannot
/// write as numbers. The strings are those of protobuf's JSON mapping; Python's float() and
/// JavaScript's Number() read them.
Json json_number(double number);

/// Whether `json` is what json_number() makes.
bool is_json_number(const Json& json);

/// The number that json_number() wrote. Throws Error("json") for anything else.
double number_of(const Json& json);

}  // namespace tarsier::zoo
