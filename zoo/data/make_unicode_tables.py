"""Makes unicode_tables.h: which code points are letters, numbers, marks and white space, and their
lower case.

The classes are asked of tiktoken's regular expressions, for whose sake they are needed: its version
of Unicode counts. The lower-case letters are Python's, of one code point each.

    pip install tiktoken && python zoo/data/make_unicode_tables.py > zoo/data/unicode_tables.h
"""

import tiktoken

BYTES = {bytes([i]): i for i in range(256)}
POINTS = [c for c in range(0x110000) if not 0xD800 <= c < 0xE000]


def members(pattern):
    """The code points that the pattern matches: what it does not match leaves no token."""
    encoding = tiktoken.Encoding("x", pat_str=pattern, mergeable_ranks=BYTES, special_tokens={})
    return [c for c in POINTS if encoding.encode_ordinary(chr(c))]


def ranges(points):
    out = []
    for c in points:
        if out and out[-1][1] == c - 1:
            out[-1][1] = c
        else:
            out.append([c, c])
    return out


def lower_runs():
    """Runs of (first, last, step, distance to the small letter)."""
    out = []
    for c in POINTS:
        small = chr(c).lower()
        if len(small) != 1 or ord(small) == c:
            continue
        distance = ord(small) - c
        if out and out[-1][3] == distance:
            first, last, step, _ = out[-1]
            if c - last == step or (first == last and c - last <= 2):
                out[-1][1:3] = [c, c - last]
                continue
        out.append([c, c, 1, distance])
    return out


def table(kind, name, rows):
    print(f"\ninline constexpr {kind} {name}[] = {{")
    line = "   "
    for row in rows:
        first, last, *rest = row
        text = " {" + ", ".join([f"0x{first:X}", f"0x{last:X}"] + [str(r) for r in rest]) + "},"
        if len(line) + len(text) > 100:
            print(line)
            line = "   "
        line += text
    print(line + "\n};")


print("""#pragma once
// Made by make_unicode_tables.py. Sorted; no two ranges touch or overlap.
// clang-format off

#include <cstdint>

namespace tarsier::zoo {

/// The code points from first to last.
struct CodeRange {
  uint32_t first, last;
};

/// The code points first, first + step, … last become lower-case letters by adding `distance`.
struct LowerRun {
  uint32_t first, last, step;
  int32_t distance;
};""")
table("CodeRange", "kLetters", ranges(members(r"\p{L}")))
table("CodeRange", "kNumbers", ranges(members(r"\p{N}")))
table("CodeRange", "kMarks", ranges(members(r"\p{M}")))
table("CodeRange", "kSpaces", ranges(members(r"\s")))
table("LowerRun", "kLower", lower_runs())
print("\n}  // namespace tarsier::zoo")
