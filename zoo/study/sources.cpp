#include "zoo/study/sources.h"

#include <algorithm>
#include <cctype>
#include <filesystem>

#include "autograd/io/file.h"
#include "zoo/data/embedded.h"

namespace tarsier::study {
namespace {

constexpr int kLongest = 160;         // lines of a definition
constexpr size_t kLargest = 200'000;  // bytes of a file that is shown whole

const zoo::EmbeddedFile* embedded(std::string_view path) {
  const auto& files = zoo::embedded_files();
  const auto found = std::lower_bound(
      files.begin(), files.end(), path,
      [](const zoo::EmbeddedFile& file, std::string_view wanted) { return file.path < wanted; });
  return found != files.end() && found->path == path ? &*found : nullptr;
}

std::vector<std::string> lines_of(std::string_view text) {
  std::vector<std::string> lines;
  while (!text.empty()) {
    const size_t end = text.find('\n');
    lines.emplace_back(text.substr(0, end));
    text.remove_prefix(end == text.npos ? text.size() : end + 1);
  }
  return lines;
}

using Lines = std::vector<std::string>;
bool starts(const std::string& line, std::string_view with) { return line.starts_with(with); }
bool is_comment(const std::string& line) { return starts(line, "//"); }
/// Whether something begins or goes on in the first column: the head of a function or struct.
bool is_head(const std::string& line) {
  return !line.empty() && !std::isspace(static_cast<unsigned char>(line[0])) &&
         std::string_view("}/#)").find(line[0]) == std::string_view::npos;
}
bool is_end(const std::string& line) { return line == "}" || line == "};"; }

/// The first line of the function around `line` (all numbers count from 0), without its comment.
int head_of(const Lines& lines, int line) {
  int head = line;
  while (head > 0 && !is_head(lines[static_cast<size_t>(head)])) --head;
  while (head > 0 && is_head(lines[static_cast<size_t>(head - 1)]) &&
         !lines[static_cast<size_t>(head - 1)].ends_with(';') &&
         !lines[static_cast<size_t>(head - 1)].ends_with('{'))
    --head;
  return head;
}

int end_of(const Lines& lines, int from) {
  const int count = static_cast<int>(lines.size());
  for (int i = from; i < count; ++i) {
    const std::string& line = lines[static_cast<size_t>(i)];
    const bool one_line = i == from && line.ends_with('}') && line.find('{') != line.npos;
    if (is_end(line) || one_line) return i;
  }
  return count - 1;
}

int with_comment(const Lines& lines, int head) {
  while (head > 0 && is_comment(lines[static_cast<size_t>(head - 1)])) --head;
  return head;
}

/// "layer_norm_grad" of "Grads layer_norm_grad(const Saved& saved,"
std::string name_in(const std::string& head) {
  const size_t open = head.find('(');
  if (open == head.npos) return "";
  size_t begin = open;
  while (begin > 0 &&
         (std::isalnum(static_cast<unsigned char>(head[begin - 1])) || head[begin - 1] == '_'))
    --begin;
  return head.substr(begin, open - begin);
}

/// The end of the last function after `end` that lines begin … end name: the backward, which stands
/// under its forward.
int end_of_backward(const Lines& lines, int begin, int end) {
  std::string body;
  for (int i = begin; i <= end; ++i) body += lines[static_cast<size_t>(i)] + "\n";
  int last = end;
  const int until = std::min(static_cast<int>(lines.size()), begin + kLongest);
  for (int i = end + 1; i < until; ++i) {
    const std::string& line = lines[static_cast<size_t>(i)];
    if (!is_head(line)) continue;
    const std::string name = name_in(line);
    if (name.find("grad") == name.npos && name.find("backward") == name.npos) continue;
    const int stop = end_of(lines, i);
    if (body.find(name) != body.npos && !line.ends_with(';') && stop < until) last = stop;
  }
  return last;
}

Excerpt excerpt(const std::string& file, const Lines& lines, int begin, int end, int mark) {
  end = std::min(end, begin + kLongest - 1);
  return {file, begin + 1, {lines.begin() + begin, lines.begin() + end + 1}, mark + 1};
}

/// A function of one variable: value and derivative are in a struct.
std::optional<Excerpt> unary_definition(const std::string& op) {
  const std::string file = "autograd/ops/elementwise/functions.h";
  const auto text = source_text(file);
  if (!text) return {};
  const Lines lines = lines_of(*text);
  const std::string wanted = "name = \"" + op + "\"";
  for (size_t i = 0; i < lines.size(); ++i) {
    if (lines[i].find(wanted) == std::string::npos) continue;
    const int head = head_of(lines, static_cast<int>(i)), end = end_of(lines, head);
    int mark = static_cast<int>(i);
    for (int k = mark; k <= end; ++k)
      if (lines[static_cast<size_t>(k)].find(" grad(") != std::string::npos) mark = k;
    return excerpt(file, lines, with_comment(lines, head), end, mark);
  }
  return {};
}

}  // namespace

std::string project_path(const std::string& file) {
  for (size_t at = file.size(); at != std::string::npos && at > 0;) {
    // From the shortest end to the longest: "model.h", "gpt/model.h", "zoo/gpt/model.h".
    at = file.rfind('/', at - 1);
    const std::string path = at == std::string::npos ? file : file.substr(at + 1);
    if (embedded(path)) return path;
  }
  return file;
}

std::optional<std::string> source_text(const std::string& file) {
  if (const zoo::EmbeddedFile* found = embedded(project_path(file)))
    return std::string(found->text);
  std::error_code ignored;
  if (!std::filesystem::is_regular_file(file, ignored)) return {};
  if (std::filesystem::file_size(file, ignored) > kLargest) return {};
  try {
    return read_file(file);
  } catch (const Error&) {
    return {};  // the page is complete without it
  }
}

std::optional<Excerpt> definition_of(const std::string& op, const std::string& file, int line) {
  const std::string path = project_path(file);
  if (path == "autograd/ops/elementwise/unary.cpp")
    if (auto found = unary_definition(op)) return found;
  const auto text = source_text(file);
  if (!text) return {};
  const Lines lines = lines_of(*text);
  const int mark = line - 1;
  if (mark < 0 || mark >= static_cast<int>(lines.size())) return {};
  const int head = head_of(lines, mark), end = std::max(mark, end_of(lines, head));
  return excerpt(path, lines, with_comment(lines, head), end_of_backward(lines, head, end), mark);
}

std::optional<Excerpt> whole_file(const std::string& file) {
  const auto text = source_text(file);
  if (!text || text->size() > kLargest) return {};
  return Excerpt{project_path(file), 1, lines_of(*text), 0};
}

}  // namespace tarsier::study
