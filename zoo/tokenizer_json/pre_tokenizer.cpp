#include "zoo/tokenizer_json/pre_tokenizer.h"

#include <algorithm>
#include <utility>

#include "zoo/data/byte_characters.h"
#include "zoo/data/text.h"
#include "zoo/tokenizer_json/characters.h"
#include "zoo/tokenizer_json/normalizer.h"
#include "zoo/tokenizer_json/split_pattern.h"

namespace tarsier::zoo::tokenizer_json {

namespace {

using Step = std::function<std::vector<Piece>(const Piece&)>;

/// What becomes of the matches of a pattern: pieces of their own, or nothing, or a part of what is
/// next to them.
enum class Behavior { isolated, removed, merged_with_previous, merged_with_next, contiguous };

Behavior behavior_of(const Section& part, const std::string& name) {
  for (const auto& [known, behavior] :
       {std::pair{"Isolated", Behavior::isolated}, std::pair{"Removed", Behavior::removed},
        std::pair{"MergedWithPrevious", Behavior::merged_with_previous},
        std::pair{"MergedWithNext", Behavior::merged_with_next},
        std::pair{"Contiguous", Behavior::contiguous}})
    if (name == known) return behavior;
  part.refuse("the behavior '" + name + "'");
}

/// The chunks of a text, with neighbours joined as `behavior` says.
std::vector<Chunk> joined(std::vector<Chunk> chunks, Behavior behavior) {
  if (behavior == Behavior::isolated || behavior == Behavior::removed) return chunks;
  const bool backwards = behavior == Behavior::merged_with_next;
  if (backwards) std::reverse(chunks.begin(), chunks.end());
  std::vector<Chunk> out;
  bool was_match = false;
  for (const Chunk& chunk : chunks) {
    const bool joins = behavior == Behavior::contiguous ? chunk.is_match == was_match
                                                        : chunk.is_match && !was_match;
    if (joins && !out.empty()) {
      out.back().bytes += chunk.bytes;
    } else {
      out.push_back(chunk);
    }
    was_match = chunk.is_match;
  }
  if (backwards) std::reverse(out.begin(), out.end());
  return out;
}

std::vector<Piece> split(const Piece& piece, const SplitPattern& pattern, Behavior behavior,
                         bool invert = false) {
  std::vector<Chunk> chunks;
  for (size_t at = 0; at < piece.text.size(); at += chunks.back().bytes) {
    chunks.push_back(pattern(std::string_view(piece.text).substr(at)));
    if (invert) chunks.back().is_match = !chunks.back().is_match;
  }
  std::vector<Piece> out;
  size_t at = 0;
  for (const Chunk& chunk : joined(std::move(chunks), behavior)) {
    if (!(chunk.is_match && behavior == Behavior::removed))
      out.push_back({piece.text.substr(at, chunk.bytes), piece.is_first && at == 0});
    at += chunk.bytes;
  }
  return out;
}

/// A step that splits at characters of a kind, one by one.
Step at_characters(bool (*is_of_kind)(char32_t), Behavior behavior) {
  const SplitPattern pattern = [=](std::string_view text) {
    const NextCharacter next = next_character(text);
    return is_of_kind(next.character) ? Chunk{next.bytes, true} : run_chunk(text, is_of_kind);
  };
  return [=](const Piece& piece) { return split(piece, pattern, behavior); };
}

/// Each byte as a character (data/byte_characters.h).
std::string in_byte_characters(std::string_view text) {
  std::string out;
  for (const char byte : text)
    append_utf8(out, byte_characters().character[static_cast<uint8_t>(byte)]);
  return out;
}

Step byte_level(const Section& part) {
  const bool prefix = part.flag("add_prefix_space"), regex = part.flag("use_regex", true);
  return [=](Piece piece) {
    if (prefix && !piece.text.starts_with(' ')) piece.text.insert(0, 1, ' ');
    std::vector<Piece> out =
        regex ? split(piece, gpt2_chunk, Behavior::isolated) : std::vector<Piece>{std::move(piece)};
    for (Piece& part : out) part.text = in_byte_characters(part.text);
    return out;
  };
}

/// "always", "first" or "never", which older files say by a flag.
std::string prepend_scheme(const Section& part) {
  const std::string otherwise = part.flag("add_prefix_space", true) ? "always" : "never";
  const std::string scheme = part.text("prepend_scheme", otherwise);
  if (scheme != "always" && scheme != "first" && scheme != "never")
    part.refuse("the prepend_scheme '" + scheme + "'");
  return scheme;
}

Step metaspace(const Section& part) {
  const std::string space = encode_utf8(part.character("replacement"));
  const std::string scheme = prepend_scheme(part);
  const bool splits = part.flag("split", true);
  const SplitPattern pattern = fixed_text(space);
  return [=](Piece piece) {
    piece.text = replaced(piece.text, " ", space);
    const bool wants = scheme == "always" || (scheme == "first" && piece.is_first);
    if (wants && !piece.text.starts_with(space)) piece.text.insert(0, space);
    return splits ? split(piece, pattern, Behavior::merged_with_next)
                  : std::vector<Piece>{std::move(piece)};
  };
}

Step split_step(const Section& part) {
  const SplitPattern pattern = pattern_of(part);
  const Behavior behavior = behavior_of(part, part.text("behavior"));
  const bool invert = part.flag("invert", false);
  return [=](const Piece& piece) { return split(piece, pattern, behavior, invert); };
}

/// White space is left out, and punctuation isolated.
std::vector<Piece> bert(const Piece& piece) {
  std::vector<Piece> out;
  static const Step words = at_characters(is_space, Behavior::removed),
                    parts = at_characters(is_punctuation, Behavior::isolated);
  for (const Piece& word : words(piece))
    for (Piece& part : parts(word)) out.push_back(std::move(part));
  return out;
}

Step step_of(const Section& part) {
  const std::string type = part.type();
  if (type == "ByteLevel") return byte_level(part);
  if (type == "Metaspace") return metaspace(part);
  if (type == "Split") return split_step(part);
  if (type == "BertPreTokenizer") return bert;
  if (type == "WhitespaceSplit") return at_characters(is_space, Behavior::removed);
  if (type == "Whitespace")
    return [](const Piece& piece) { return split(piece, word_chunk, Behavior::removed, true); };
  if (type == "Digits")
    return at_characters(is_digit, part.flag("individual_digits", false) ? Behavior::isolated
                                                                         : Behavior::contiguous);
  if (type == "Punctuation")
    return at_characters(is_punctuation, behavior_of(part, part.text("behavior", "Isolated")));
  if (type == "CharDelimiterSplit") {
    const SplitPattern delimiter = fixed_text(encode_utf8(part.character("delimiter")));
    return [=](const Piece& piece) { return split(piece, delimiter, Behavior::removed); };
  }
  part.refuse("the pre_tokenizer '" + type + "'");
}

}  // namespace

PreTokenizer::PreTokenizer(const Section& file) {
  for (const Section& part : steps_of(file, "pre_tokenizer", "pretokenizers")) {
    steps_.push_back(step_of(part));
    needs_first_ = needs_first_ || (part.type() == "Metaspace" && prepend_scheme(part) == "first");
  }
}

std::vector<Piece> PreTokenizer::operator()(Piece text) const {
  std::vector<Piece> pieces;
  pieces.push_back(std::move(text));
  for (const Step& step : steps_) {
    std::vector<Piece> next;
    for (const Piece& piece : pieces)
      for (Piece& part : step(piece)) next.push_back(std::move(part));
    pieces = std::move(next);
  }
  return pieces;
}

}  // namespace tarsier::zoo::tokenizer_json
