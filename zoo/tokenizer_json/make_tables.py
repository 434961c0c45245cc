"""Makes character_tables.h, pair_tables.h and mark_tables.h: classes of characters and normal
forms as Hugging Face's tokenizers has them. It is asked for each code point, because its parts follow
different versions of Unicode. Classes that ../data/unicode_tables.h has are stored as differences.

    pip install tokenizers==0.23.3 && cd zoo/tokenizer_json && python make_tables.py
"""

import unicodedata

from tokenizers import Regex, normalizers, pre_tokenizers

POINTS = [c for c in range(0x110000) if not 0xD800 <= c < 0xE000]
HANGUL = range(0xAC00, 0xD7A4)  # by arithmetic
NFD, NFC = normalizers.NFD(), normalizers.NFC()


def split_by(tokenizer):
    return {c for c in POINTS if len(tokenizer.pre_tokenize_str("\1" + chr(c) + "\1")) == 3}


def class_of(pattern):
    return split_by(pre_tokenizers.Split(Regex(pattern), "isolated"))


def removed_by(normalizer):
    return {c for c in POINTS if normalizer.normalize_str("a" + chr(c) + "b") == "ab"}


def bert(**flags):
    off = dict(clean_text=False, handle_chinese_chars=False, strip_accents=False, lowercase=False)
    return normalizers.BertNormalizer(**(off | flags))


def ranges(points):
    out = []
    for c in sorted(points):
        if out and out[-1][1] == c - 1:
            out[-1][1] = c
        else:
            out.append([c, c])
    return out


def table(out, kind, name, what, rows):
    out.append(f"\n/// {what}\ninline constexpr {kind} {name}[] = {{")
    line = "   "
    for row in rows:
        numbers = ", ".join(str(n) if n < 0 else f"0x{n:X}" for n in row)
        text = f" {{{numbers}}}," if len(row) > 1 else f" {numbers},"
        if len(line) + len(text) > 100:
            out.append(line)
            line = "   "
        line += text
    out.append(line + "\n};")


def save(name, about, includes, out):
    head = ["#pragma once", "// Made by make_tables.py. " + about, "// clang-format off", "",
            *includes, "", "namespace tarsier::zoo::tokenizer_json {"]
    tail = ["", "}  // namespace tarsier::zoo::tokenizer_json", ""]
    open(name, "w").write("\n".join(head + out + tail))


def characters():
    letters, numbers, marks = class_of(r"\p{L}"), class_of(r"\p{N}"), class_of(r"\p{M}")
    whitespace = pre_tokenizers.Whitespace()
    words = {c for c in POINTS if len(whitespace.pre_tokenize_str("a" + chr(c) + "a")) == 1}
    out = []
    table(out, "CodeRange", "kPunctuation", "What BertPreTokenizer takes for punctuation.",
          ranges(split_by(pre_tokenizers.BertPreTokenizer())))
    table(out, "CodeRange", "kCleaned", "What BertNormalizer removes to clean a text.",
          ranges(removed_by(bert(clean_text=True))))
    table(out, "CodeRange", "kBertAccents", "Marks that BertNormalizer removes (Mn).",
          ranges(removed_by(bert(strip_accents=True))))
    table(out, "CodeRange", "kAccentsNotMarks", "Where StripAccents differs from marks (\\p{M}).",
          ranges(removed_by(normalizers.StripAccents()) ^ marks))
    table(out, "CodeRange", "kWordsNotLetters",
          "Where \\w differs from letters, marks and numbers.",
          ranges(words ^ (letters | marks | numbers)))
    table(out, "CodeRange", "kDigitsNotNumbers", "Where Digits differs from numbers (\\p{N}).",
          ranges(split_by(pre_tokenizers.Digits(individual_digits=True)) ^ numbers))
    lower = normalizers.Lowercase()
    runs = []
    for c in POINTS:
        small = lower.normalize_str(chr(c))
        if len(small) != 1 or ord(small) == c or small == chr(c).lower():
            continue  # the other header has what Python has
        distance = ord(small) - c
        if runs and runs[-1][1] == c - 1 and runs[-1][2] == distance:
            runs[-1][1] = c
        else:
            runs.append([c, c, distance])
    table(out, "LowerRange", "kNewCapitals",
          "Capitals of Unicode 15 and later, and the distance to their small letters.", runs)
    save("character_tables.h", "Sorted; no two ranges touch or overlap.",
         ["#include <cstdint>", "", '#include "../data/unicode_tables.h"'],
         ["\n/// The code points from first to last, and the distance to their small letters.",
          "struct LowerRange {\n  uint32_t first, last;\n  int32_t distance;\n};"] + out)


def combines(c):
    """Whether tokenizers moves this mark."""
    own = unicodedata.combining(chr(c))
    pair = "\u0301" + chr(c) if own < 230 else chr(c) + "\u0316" if own != 220 else chr(c) + "\u0334"
    return own != 0 and NFD.normalize_str("a" + pair) == "a" + pair[::-1]


def normal_forms():
    singles, composed, separate = [], [], []
    for c in POINTS:
        if c in HANGUL or NFD.normalize_str(chr(c)) == chr(c):
            continue
        parts = [int(part, 16) for part in unicodedata.decomposition(chr(c)).split()]
        if len(parts) == 1:
            singles.append([c] + parts)
        elif NFC.normalize_str(chr(c)) == chr(c):
            composed.append([c] + parts)
        else:
            separate.append([c] + parts)
    classes = []
    for c in filter(combines, POINTS):
        own = unicodedata.combining(chr(c))
        if classes and classes[-1][1] == c - 1 and classes[-1][2] == own:
            classes[-1][1] = c
        else:
            classes.append([c, c, own])
    out = ["", "/// A code point and the two that it stands for.",
           "struct CodePair {\n  uint32_t whole, first, second;\n};"]
    table(out, "CodePair", "kComposed", "Pairs that NFC composes.", composed)
    table(out, "CodePair", "kSeparate", "Pairs that NFC leaves apart.", separate)
    save("pair_tables.h", "Sorted by the first number.", ["#include <cstdint>"], out)
    out = ["", "/// A code point and the other that it stands for.",
           "struct CodeTwin {\n  uint32_t whole, same;\n};",
           "\n/// Code points and their canonical combining class.",
           "struct ClassRange {\n  uint32_t first, last, order;\n};"]
    table(out, "CodeTwin", "kTwins", "What stands for one other code point.", singles)
    table(out, "ClassRange", "kClasses", "Marks that have an order.", classes)
    save("mark_tables.h", "Sorted by the first number.", ["#include <cstdint>"], out)


characters()
normal_forms()
