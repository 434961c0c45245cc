#pragma once
// Numbers in JSON that may be infinite or none, as those of a run can be.

#include "../../autograd/io/json.h"

namespace tarsier::zoo {

/// `number` as JSON keeps it: a number, or where that cannot be, "NaN", "Infinity" or "-Infinity".
/// JSON has no way to write these; the strings are those of protobuf's JSON mapping, which Python's
/// float() and JavaScript's Number() read.
Json json_number(double number);

/// Whether `json` is what json_number() makes.
bool is_json_number(const Json& json);

/// The number that json_number() wrote. Throws Error("json") for anything else.
double number_of(const Json& json);

}  // namespace tarsier::zoo
