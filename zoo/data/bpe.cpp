#include "zoo/data/bpe.h"

#include <queue>

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

/// The length of the run of characters of class `kind` at the beginning of `text`; `last` gets the
/// length of its last character.
size_t run_length(std::string_view text, CharClass kind, size_t* last = nullptr) {
  size_t at = 0;
  while (at < text.size()) {
    const NextCharacter next = next_character(text.substr(at));
    if (class_of(next.character) != kind) break;
    at += next.bytes;
    if (last != nullptr) *last = next.bytes;
  }
  return at;
}

/// The length of the first piece of `text`, which is not empty.
size_t piece_length(std::string_view text) {
  if (const size_t length = contraction(text)) return length;
  // One space before anything but a space belongs to what follows.
  const size_t space = text.size() > 1 && text[0] == ' ' ? 1 : 0;
  const CharClass kind = class_of(next_character(text.substr(space)).character);
  if (kind != CharClass::space) return space + run_length(text.substr(space), kind);
  size_t last = 0;
  const size_t length = run_length(text, CharClass::space, &last);
  // \s+(?!\S) leaves out the last space, unless the text ends here or nothing would be left.
  return length == text.size() || length == last ? length : length - last;
}

}  // namespace

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
  merge_of_[key(pair)] = {static_cast<int64_t>(merges_.size()), token};
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

namespace {

/// Two neighbours that can be merged. The queue returns the lowest rank first, and of equal
/// ranks the leftmost.
struct Candidate {
  int64_t rank;
  int32_t place, next;  // of the two in the piece
  int32_t left, right;  // their tokens when this was queued; they may have changed since

  bool operator<(const Candidate& other) const {
    return rank != other.rank ? rank > other.rank : place > other.place;
  }
};

}  // namespace

void Bpe::encode_piece(std::string_view piece, std::vector<int32_t>& out) const {
  // A linked list of tokens, so that merging two of them moves none of the others. A queue finds
  // the earliest merge: n log n steps. Searching all pairs each time would take n².
  struct Symbol {
    int32_t token, previous, next;
  };
  const auto count = static_cast<int32_t>(piece.size());
  std::vector<Symbol> symbols;
  for (int32_t i = 0; i < count; ++i)
    symbols.push_back({byte_tokens_[static_cast<uint8_t>(piece[static_cast<size_t>(i)])], i - 1,
                       i + 1 < count ? i + 1 : -1});
  std::priority_queue<Candidate> queue;
  const auto note = [&](int32_t place) {
    if (place < 0) return;
    const Symbol& left = symbols[static_cast<size_t>(place)];
    if (left.next < 0) return;
    const int32_t right = symbols[static_cast<size_t>(left.next)].token;
    const auto merge = merge_of_.find(key({left.token, right}));
    if (merge != merge_of_.end())
      queue.push({merge->second.rank, place, left.next, left.token, right});
  };
  for (int32_t i = 0; i < count; ++i) note(i);
  while (!queue.empty()) {
    const Candidate best = queue.top();
    queue.pop();
    Symbol &left = symbols[static_cast<size_t>(best.place)],
           &right = symbols[static_cast<size_t>(best.next)];
    if (left.token != best.left || right.token != best.right || left.next != best.next) continue;
    left.token = merge_of_.at(key({best.left, best.right})).token;
    right.token = -1;  // no longer there
    left.next = right.next;
    if (left.next >= 0) symbols[static_cast<size_t>(left.next)].previous = best.place;
    note(left.previous);
    note(best.place);
  }
  for (int32_t i = 0; i >= 0 && i < count; i = symbols[static_cast<size_t>(i)].next)
    out.push_back(symbols[static_cast<size_t>(i)].token);
}

std::vector<int32_t> Bpe::encode(std::string_view text) const {
  constexpr size_t kLongestKept = 64, kMostKept = 1 << 17;
  const std::lock_guard lock(cache_.mutex);
  std::vector<int32_t> out;
  while (!text.empty()) {
    const std::string_view piece = text.substr(0, piece_length(text));
    text.remove_prefix(piece.size());
    if (piece.size() > kLongestKept) {
      encode_piece(piece, out);
      continue;
    }
    const auto [entry, is_new] = cache_.pieces.try_emplace(std::string(piece));
    if (is_new) encode_piece(piece, entry->second);
    out.insert(out.end(), entry->second.begin(), entry->second.end());
    if (cache_.pieces.size() > kMostKept) cache_.pieces.clear();
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
