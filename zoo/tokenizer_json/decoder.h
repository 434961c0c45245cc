#pragma once
// How tokens become text again.

#include <functional>
#include <string>
#include <vector>

#include "section.h"

namespace tarsier::zoo::tokenizer_json {

class Decoder {
 public:
  /// Puts spaces between tokens.
  Decoder() = default;
  /// The part "decoder" of the file. Read are ByteLevel, WordPiece, Metaspace, BPEDecoder,
  /// ByteFallback, Fuse, Strip, Replace and Sequences of them. Throws Error("tokenizer") for others.
  explicit Decoder(const Section& file);

  /// The text of tokens. Bytes that are not UTF-8 become U+FFFD.
  std::string operator()(std::vector<std::string> tokens) const;
  /// Whether tokens are bytes, which may be parts of a character: ByteLevel alone.
  bool is_byte_level() const { return is_byte_level_; }

 private:
  std::vector<std::function<std::vector<std::string>(std::vector<std::string>)>> steps_;
  bool is_byte_level_ = false;
};

/// `text` with U+FFFD in place of each longest part that begins a character of UTF-8 and does not
/// end it, or each byte that begins none.
/// Source: Unicode 15, section 3.9, "Substitution of Maximal Subparts".
std::string lossy_utf8(std::string_view text);

}  // namespace tarsier::zoo::tokenizer_json
