#pragma once
// Reading a number from text. std::from_chars for double would do, but libc++ has it only since
// version 20.

#include <charconv>

namespace tarsier {

/// Reads the double at the beginning of [first, last) as std::from_chars(first, last, value) does:
/// the nearest one to the decimal number, in any locale. No leading space, no '+', no "0x". The
/// result says where the number ends. It holds std::errc::invalid_argument if there is none, or
/// std::errc::result_out_of_range if its size is above the largest or below the smallest double;
/// then `value` does not change.
std::from_chars_result parse_double(const char* first, const char* last, double& value);

}  // namespace tarsier
