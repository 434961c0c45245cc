#include "zoo/data/lines.h"

#include <algorithm>
#include <filesystem>

#include "autograd/base/error.h"
#include "zoo/data/text.h"
#include "zoo/data/unicode.h"

namespace tarsier::zoo {

namespace fs = std::filesystem;

std::vector<std::string> split_lines(std::string_view text) {
  std::vector<std::string> lines;
  while (!text.empty()) {
    const size_t end = text.find('\n');
    std::string_view line = text.substr(0, end);
    if (end != text.npos && line.ends_with('\r')) line.remove_suffix(1);
    lines.emplace_back(line);
    if (end == text.npos) break;
    text.remove_prefix(end + 1);
  }
  return lines;
}

std::vector<std::string> read_lines(const std::string& path) {
  const std::string text = read_text_file(path);
  check_utf8(text, concat('\'', path, '\''));
  return split_lines(text);
}

bool is_blank(std::string_view line) {
  while (!line.empty()) {
    const auto [character, bytes] = next_character(line);
    if (class_of(character) != CharClass::space) return false;
    line.remove_prefix(bytes);
  }
  return true;
}

std::string beginning_of(const std::string& text) {
  size_t end = std::min<size_t>(text.size(), 40);
  while (end < text.size() && !begins_character(text[end])) --end;  // not inside a character
  std::string shown;
  for (const char byte : text.substr(0, end)) {
    const bool control = static_cast<unsigned char>(byte) < 0x20 || byte == 0x7F;
    shown += control ? "�" : std::string(1, byte);
  }
  return end < text.size() ? shown + "…" : shown;
}

bool file_exists(const std::string& path) {
  std::error_code ignored;
  return fs::exists(path, ignored) && !fs::is_directory(path, ignored);
}

std::string text_of_input(const std::string& input) {
  if (input.size() < 1000 && file_exists(input)) {  // longer than any name
    std::string text = read_text_file(input);
    check_utf8(text, concat('\'', input, '\''));
    return text;
  }
  const bool name = input.find_first_of(" \t\n") == input.npos &&
                    input.find_first_of("./") != input.npos && !is_blank(input);
  check(!name, "predict", "there is no file '", beginning_of(input),
        "': give the name of a file, or a text of several words");
  return input;
}

std::vector<std::string> names_in(const std::string& folder) {
  std::error_code error;
  std::vector<std::string> names;
  for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error))
    names.push_back(it->path().filename().string());
  check(!error, "data", "cannot read the folder '", folder, "': ", error.message());
  std::sort(names.begin(), names.end());
  return names;
}

std::string describe_folder(const std::string& folder) {
  const std::vector<std::string> names = names_in(folder);
  std::string text;
  for (size_t i = 0; i < names.size() && i < 10; ++i)
    text += concat(i == 0 ? "" : ", ", '\'', names[i], '\'');
  if (names.size() > 10) text += concat(" and ", names.size() - 10, " more");
  return names.empty() ? "no files" : text;
}

}  // namespace tarsier::zoo
