#pragma once
// Text as numbers: from characters to indices of a vocabulary.

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace tarsier::zoo {

/// The whole file, without a byte-order mark. Throws Error("data") that says what is wrong: no such
/// file, a folder, a device, not readable, empty.
std::string read_text_file(const std::string& path);

/// Throws Error("data") with `source`, byte and line for bytes that are not UTF-8.
void check_utf8(std::string_view text, const std::string& source);

/// The characters (Unicode code points) of UTF-8 text. Throws Error("data") with `source`, byte and
/// line for bytes that are not UTF-8: a wrong file should be reported, not learned.
std::vector<char32_t> decode_utf8(std::string_view text, const std::string& source);

/// One character as UTF-8.
std::string encode_utf8(char32_t character);

/// One character as a message shows it: 'é' (U+00E9), or '\n'.
std::string describe_character(char32_t character);

/// The characters that a model knows, sorted. A character's id is its index.
class CharVocabulary {
 public:
  CharVocabulary() = default;
  /// All distinct characters of `text`.
  explicit CharVocabulary(const std::vector<char32_t>& text);
  /// The vocabulary that characters() returned.
  static CharVocabulary from_characters(std::string_view characters);

  int64_t size() const { return static_cast<int64_t>(characters_.size()); }
  char32_t operator[](int64_t index) const { return characters_[static_cast<size_t>(index)]; }
  bool contains(char32_t character) const { return index_.contains(character); }
  /// All characters in order, as UTF-8.
  std::string characters() const;

  /// The index of every character. Throws Error("data") that names the characters of `source` that
  /// are not in the vocabulary.
  std::vector<int32_t> encode(const std::vector<char32_t>& text, const std::string& source) const;
  std::string decode(const std::vector<int32_t>& indices) const;

 private:
  void make_index();

  std::vector<char32_t> characters_;
  std::unordered_map<char32_t, int32_t> index_;
};

/// Whether a byte of UTF-8 begins a character, rather than continues one.
inline bool begins_character(char byte) {
  return (static_cast<unsigned char>(byte) & 0xC0) != 0x80;
}

/// The number of characters (Unicode code points) of UTF-8 text.
int64_t count_characters(std::string_view text);

/// The first `count` characters of UTF-8 text, and the rest.
std::pair<std::string_view, std::string_view> split_characters(std::string_view text,
                                                               int64_t count);

}  // namespace tarsier::zoo
