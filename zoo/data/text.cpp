#include "zoo/data/text.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <set>
#include <system_error>

#include "autograd/base/error.h"
#include "autograd/io/utf8.h"

namespace tarsier::zoo {

namespace fs = std::filesystem;

std::string read_text_file(const std::string& path) {
  std::error_code error;
  const fs::file_status status = fs::status(path, error);
  check(status.type() != fs::file_type::not_found, "data", "there is no file '", path, "'");
  check(status.type() != fs::file_type::directory, "data", "'", path,
        "' is a folder: give a text file");
  // Reading some devices never ends.
  check(status.type() != fs::file_type::character && status.type() != fs::file_type::block, "data",
        "'", path, "' is a device: give a text file");
  errno = 0;
  std::ifstream file(path, std::ios::binary);
  check(file.good(), "data", "cannot open '", path, "': ", std::strerror(errno));
  std::string text;
  std::string block(1 << 16, '\0');  // not on the stack: 128 KiB on some systems
  while (file.read(block.data(), static_cast<std::streamsize>(block.size())) || file.gcount() > 0)
    text.append(block, 0, static_cast<size_t>(file.gcount()));
  check(!file.bad(), "data", "cannot read '", path, "': ", std::strerror(errno));
  if (text.starts_with("\xEF\xBB\xBF")) text.erase(0, 3);  // a byte-order mark
  check(!text.empty(), "data", "'", path, "' is empty");
  return text;
}

namespace {

[[noreturn]] void fail_utf8(std::string_view text, size_t at, const std::string& source) {
  const auto line = 1 + std::count(text.begin(), text.begin() + static_cast<int64_t>(at), '\n');
  char byte[8];
  std::snprintf(byte, sizeof byte, "0x%02X", static_cast<unsigned char>(text[at]));
  fail("data", source, " is not UTF-8 text: byte ", byte, " at offset ", at, ", in line ", line,
       "; convert it (iconv -t UTF-8), or use another text");
}

}  // namespace

void check_utf8(std::string_view text, const std::string& source) {
  size_t bad = 0;
  if (!is_utf8(text, &bad)) fail_utf8(text, bad, source);
}

std::vector<char32_t> decode_utf8(std::string_view text, const std::string& source) {
  check_utf8(text, source);
  std::vector<char32_t> out;
  out.reserve(text.size());
  for (char byte : text) {
    const auto bits = static_cast<unsigned char>(byte);
    if (!begins_character(byte)) {  // 10xxxxxx: six more bits of the current character
      out.back() = out.back() << 6 | (bits & 0x3Fu);
    } else {  // 0xxxxxxx, or the first of two, three or four: 110xxxxx, 1110xxxx, 11110xxx
      const unsigned mask = bits < 0x80 ? 0x7F : bits < 0xE0 ? 0x1F : bits < 0xF0 ? 0x0F : 0x07;
      out.push_back(bits & mask);
    }
  }
  return out;
}

std::string encode_utf8(char32_t character) {
  std::string out;
  append_utf8(out, character);
  return out;
}

std::string describe_character(char32_t character) {
  if (character == U'\n') return "'\\n'";
  if (character == U'\t') return "'\\t'";
  if (character > 0x20 && character < 0x7F) return concat('\'', encode_utf8(character), '\'');
  char code[16];
  std::snprintf(code, sizeof code, "U+%04X", static_cast<unsigned>(character));
  if (character <= 0x20 || (character >= 0x7F && character < 0xA0)) return code;
  return concat('\'', encode_utf8(character), "' (", code, ')');
}

CharVocabulary::CharVocabulary(const std::vector<char32_t>& text) {
  if (text.empty()) return;
  std::vector<bool> seen(size_t{*std::max_element(text.begin(), text.end())} + 1);
  for (char32_t character : text) seen[character] = true;
  for (size_t c = 0; c < seen.size(); ++c)
    if (seen[c]) characters_.push_back(static_cast<char32_t>(c));
  make_index();
}

CharVocabulary CharVocabulary::from_characters(std::string_view characters) {
  const std::vector<char32_t> given = decode_utf8(characters, "the vocabulary");
  CharVocabulary vocabulary(given);
  check(!given.empty() && vocabulary.characters_ == given, "data",
        "the vocabulary is empty, not sorted, or has a character twice");
  return vocabulary;
}

void CharVocabulary::make_index() {
  for (size_t i = 0; i < characters_.size(); ++i) index_[characters_[i]] = static_cast<int32_t>(i);
}

std::string CharVocabulary::characters() const {
  std::string out;
  for (char32_t character : characters_) out += encode_utf8(character);
  return out;
}

std::vector<int32_t> CharVocabulary::encode(const std::vector<char32_t>& text,
                                            const std::string& source) const {
  std::vector<int32_t> out;
  out.reserve(text.size());
  std::set<char32_t> unknown;
  for (char32_t character : text) {
    const auto found = index_.find(character);
    if (found == index_.end()) {
      unknown.insert(character);
    } else {
      out.push_back(found->second);
    }
  }
  if (!unknown.empty()) {
    std::string names;
    size_t shown = 0;
    for (char32_t character : unknown) {
      if (shown++ == 10) break;
      names += (names.empty() ? "" : ", ") + describe_character(character);
    }
    if (unknown.size() > 10) names += concat(" and ", unknown.size() - 10, " more");
    fail("data", source, " has characters that the model has never seen: ", names);
  }
  return out;
}

std::string CharVocabulary::decode(const std::vector<int32_t>& indices) const {
  std::string out;
  for (int32_t index : indices) out += encode_utf8((*this)[index]);
  return out;
}

int64_t count_characters(std::string_view text) {
  return std::count_if(text.begin(), text.end(), begins_character);
}

std::pair<std::string_view, std::string_view> split_characters(std::string_view text,
                                                               int64_t count) {
  size_t at = 0;
  for (; at < text.size(); ++at)
    if (begins_character(text[at]) && count-- == 0) break;
  return {text.substr(0, at), text.substr(at)};
}

}  // namespace tarsier::zoo
