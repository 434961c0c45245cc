#pragma once
// Numbers formatted for people.

#include <cstdint>
#include <string>

namespace tarsier {

/// 1234567 → "1,234,567".
std::string with_commas(int64_t number);

}  // namespace tarsier
