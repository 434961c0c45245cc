#include <algorithm>
#include <cctype>
#include <sstream>
#include <utility>

#include "zoo/cli/commands.h"
#include "zoo/data/text.h"
#include "zoo/task/models.h"

namespace tarsier::zoo {

const std::vector<Command>& commands() {
  static const std::vector<Command> all = {
      list_command(),  train_command(),  eval_command(),      predict_command(), quantize_command(),
      study_command(), export_command(), reproduce_command(), compare_command()};
  return all;
}

namespace {

/// How many columns UTF-8 text takes on a terminal.
size_t columns(const std::string& text) { return static_cast<size_t>(count_characters(text)); }

/// Pairs of a name and what it means, as a table with two columns.
std::string two_columns(const std::vector<std::pair<std::string, std::string>>& rows) {
  size_t width = 0;
  for (const auto& row : rows) width = std::max(width, columns(row.first));
  std::string out;
  for (const auto& [left, right] : rows)
    out += "  " + left + std::string(width - columns(left) + 3, ' ') + wrapped(right, width + 5);
  return out;
}

std::string usage_of(const CommandSpec& spec) {
  return spec.name + (spec.arguments.empty() ? "" : " ") + spec.arguments;
}

/// "cpu is gpt, baby is gpt-baby".
std::string presets_of(const std::string& family) {
  std::string out;
  for (const ModelEntry& entry : models())
    if (entry.family == family)
      out += (out.empty() ? "" : ", ") + entry.preset + " is " + entry.name;
  return out;
}

}  // namespace

std::string wrapped(const std::string& text, size_t indent, size_t width) {
  std::istringstream words(text);
  std::string out, word;
  size_t used = indent;
  while (std::getline(words, word, ' ')) {
    const bool first = out.empty();
    if (!first && used + 1 + columns(word) > width) {
      out.append("\n").append(indent, ' ');
      used = indent;
    } else if (!first) {
      out += " ";
      ++used;
    }
    out += word;
    used += columns(word);
  }
  return out + "\n";
}

std::string program_help() {
  std::string out =
      wrapped("tarsier " TARSIER_VERSION
              ": a from-scratch autodiff framework and a zoo of Transformers that train on an "
              "ordinary computer.") +
      "\nusage: tarsier COMMAND [ARGUMENTS]\n\n";
  std::vector<std::pair<std::string, std::string>> rows;
  for (const Command& command : commands())
    rows.emplace_back(usage_of(command.spec), command.spec.summary);
  out += two_columns(rows);
  out +=
      "\nBegin with:\n"
      "  tarsier list                         the models, and what each learns from\n"
      "  tarsier train gpt                    learns from tarsier's own source code\n"
      "  tarsier train gpt --data input.txt   or from any text\n\n" +
      wrapped(
          "`tarsier COMMAND --help` tells more. The exit code is 1 on a failure or if training "
          "was interrupted, 2 on wrong usage. Environment: TARSIER_THREADS sets the number of "
          "threads; TARSIER_ISA=scalar, avx2, avx512, amx or neon forces an instruction set.");
  return out;
}

std::string command_help(const CommandSpec& spec, const Arguments& arguments) {
  std::string out = wrapped("tarsier " + spec.name + ": " + spec.summary) + "\nusage: tarsier " +
                    usage_of(spec) + (spec.options.empty() ? "" : " [OPTIONS]") + "\n\n";
  std::vector<std::pair<std::string, std::string>> rows;
  for (const OptionSpec& option : spec.options)
    rows.emplace_back("--" + option.name + (option.value.empty() ? "" : " ") + option.value,
                      option.help);
  rows.emplace_back("--help", "this page");
  out += two_columns(rows);
  if (!spec.details.empty()) out.append("\n").append(wrapped(spec.details));
  if (spec.name != "train") return out;
  for (const ModelEntry& entry : models()) {
    const auto& words = arguments.positional();
    if (std::find(words.begin(), words.end(), entry.name) == words.end()) continue;
    const std::unique_ptr<Task> task = entry.make();
    out += "\nSettings of " + entry.name +
           " for --set, with their defaults:\n  preset=" + entry.preset + "  (" +
           presets_of(entry.family) + ")\n" + task->settings().describe();
  }
  return out;
}

std::string shell_word(const std::string& text) {
  const bool plain = !text.empty() && std::all_of(text.begin(), text.end(), [](unsigned char c) {
    return std::isalnum(c) || c >= 0x80 ||
           std::string("_-./=,:+@%").find(static_cast<char>(c)) != std::string::npos;
  });
  if (plain) return text;
  std::string out = "'";
  for (char c : text) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return out + "'";
}

}  // namespace tarsier::zoo
