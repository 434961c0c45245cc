#include "zoo/data/bpe.h"

#include "autograd/base/error.h"
#include "autograd/io/utf8.h"
#include "zoo/data/byte_characters.h"
#include "zoo/data/unicode.h"

namespace tarsier::zoo {

// ------------------------------------------------------------------------------------------ pieces

namespace {

/// The length of a contraction's ending ('s, 're) at the beginning of `text`, or 0.
size_t contraction(std::string_view text) {
  for (std::string_view end : {"'s", "'t", "'re", "'ve", "'m", "'ll", "'d"})
    if (text.starts_with(end)) return end.size();
  return 0;
}

}  // namespace

size_t piece_length(std::string_view text) {
  if (const size_t length = contraction(text)) return length;
  // One space before anything but a space belongs to what follows.
  const size_t space = text.size() > 1 && text[0] == ' ' ? 1 : 0;
  const CharClass kind = class_of(next_character(text.substr(space)).character);
  if (kind != CharClass::space) return space + run_length(text.substr(space), kind);
  return space_length(text);
}

std::vector<std::string_view> split_pieces(std::string_view text) {
  std::vector<std::string_view> pieces;
  while (!text.empty()) {
    const size_t length = piece_length(text);
    pieces.push_back(text.substr(0, length));
    text.remove_prefix(length);
  }
  return pieces;
}

// -------------------------------------------------------------------------------------- vocabulary

std::string Bpe::written(int32_t id) const {
  const std::string& bytes = (*this)[id];
  if (specials_.contains(bytes) && specials_.at(bytes) == id) return bytes;
  std::string out;
  for (char byte : bytes) append_utf8(out, byte_characters().character[static_cast<uint8_t>(byte)]);
  return out;
}

Bpe::Bpe() {
  for (uint8_t byte : byte_characters().order) {
    byte_tokens_[byte] = static_cast<int32_t>(tokens_.size());
    tokens_.emplace_back(1, static_cast<char>(byte));
  }
}

void Bpe::add_merge(Pair pair, int32_t token) {
  merge_of_.add(pair, token);
  merges_.push_back(pair);
}

int32_t Bpe::add_special(const std::string& name) {
  check(!name.empty() && is_utf8(name), "bpe", "the name of a special token must be UTF-8 text");
  if (const int32_t id = special(name); id >= 0) return id;
  const auto id = static_cast<int32_t>(size());
  for (int32_t other = 0; other < id; ++other)
    check(written(other) != name, "bpe", "'", name, "' cannot be a special token: token ", other,
          " is written the same way");
  tokens_.push_back(name);
  specials_[name] = id;
  return id;
}

int32_t Bpe::special(const std::string& name) const {
  const auto found = specials_.find(name);
  return found == specials_.end() ? -1 : found->second;
}

// ------------------------------------------------------------------------------------------ encode

void Bpe::encode_piece(std::string_view piece, std::vector<int32_t>& out) const {
  std::vector<int32_t> tokens;
  for (const char byte : piece) tokens.push_back(byte_tokens_[static_cast<uint8_t>(byte)]);
  merge_of_.apply(tokens);
  out.insert(out.end(), tokens.begin(), tokens.end());
}

std::vector<int32_t> Bpe::encode(std::string_view text) const {
  std::vector<int32_t> out;
  while (!text.empty()) {
    const std::string_view piece = text.substr(0, piece_length(text));
    text.remove_prefix(piece.size());
    cache_.append(piece, out, [&](std::string_view word, std::vector<int32_t>& tokens) {
      encode_piece(word, tokens);
    });
  }
  return out;
}

std::string Bpe::decode(const std::vector<int32_t>& ids) const {
  std::string out;
  for (int32_t id : ids) {
    check(id >= 0 && id < size(), "bpe", "there is no token ", id, ": the vocabulary has ", size());
    out += (*this)[id];
  }
  return out;
}

}  // namespace tarsier::zoo
