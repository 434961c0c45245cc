#pragma once
// Reading a number from text. std::from_chars for double is what it takes, and libc++ has it only
// since version 20.

#include <charconv>

namespace tarsier {

/// Reads the double at the beginning of [first, last) as std::from_chars(first, last, value) does:
/// the nearest one to the decimal number, whatever the locale. No leading space, no '+', no "0x".
/// The result says where the number ends, and holds std::errc::invalid_argument where there is
/// none, or std::errc::result_out_of_range for one whose size is above that of the largest or below
/// that of the smallest double; `value` keeps what it was then.
std::from_chars_result parse_double(const char* first, const char* last, double& value);

}  // namespace tarsier
