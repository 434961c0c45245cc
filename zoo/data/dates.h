#pragma once
// Generated data for translation: dates as people write them, and as ISO 8601 writes them.

#include <cstdint>
#include <string>

#include "../../autograd/base/random.h"
#include "parallel.h"

namespace tarsier::zoo {

/// "Friday, Nov 20th 2026" and "2026-11-20".
struct DateExample {
  std::string text, iso;
};

/// How many forms write_date() knows.
int date_forms();

/// The day `days` after 1950-01-01, written in form 0 … date_forms() − 1: month names long or
/// short, ordinals as digits or words, weekdays (always the right one), years with two or four
/// digits (50–99 are 1950–1999, 00–49 are 2000–2049). Numbers between slashes or hyphens are month
/// first (11/20/2026) unless a four-digit year comes first; numbers between points are day first
/// (20.11.2026). So every text means one date. Throws Error("data") for a day outside 1950–2049 or
/// an unknown form.
DateExample write_date(int64_t days, int form);

/// The split that a day belongs to, always the same one: 8, 1 and 1 of ten days.
enum class DatePart { train, val, test };
DatePart part_of_date(int64_t days);

/// Days that write_date() knows: 1950-01-01 to 2049-12-31.
constexpr int64_t kDays = 36'525;

/// Example `index` of the stream `key`: a day of `part` in some form. No day occurs in two parts,
/// whatever its form.
DateExample date_example(RandomKey key, uint64_t index, DatePart part);

/// 20,000 examples for training, 1,000 for validation and 1,000 for the test, always the same.
ParallelFolder dates_folder();

}  // namespace tarsier::zoo
