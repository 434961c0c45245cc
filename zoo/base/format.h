#pragma once
// Numbers as a person reads them.

#include <cstdint>
#include <string>

#include "../../autograd/base/numerals.h"

namespace tarsier::zoo {

/// "1 layer", "4 layers".
std::string counted(int64_t number, const std::string& what);
/// Seconds as "0:07", "12:34" or "1:02:03".
std::string as_duration(double seconds);
/// `digits` digits after the point: "1.8951"; very large numbers as "1.2e+300"; "inf", "nan".
std::string fixed(double number, int digits);

}  // namespace tarsier::zoo
