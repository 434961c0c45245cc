#include "zoo/cli/arguments.h"

#include <algorithm>

#include "zoo/base/usage_error.h"

namespace tarsier::zoo {

namespace {

/// ": did you mean '--steps'?" for a word that is not an option of the command.
std::string suggestion(const CommandSpec& command, const std::string& word) {
  std::vector<std::string> known;
  for (const OptionSpec& option : command.options) known.push_back("--" + option.name);
  return did_you_mean(word, known);
}

const OptionSpec& find_option(const CommandSpec& command, const std::string& name) {
  for (const OptionSpec& option : command.options)
    if (option.name == name) return option;
  usage_fail(command.name, "there is no option '--", name, "'", suggestion(command, "--" + name),
             " (tarsier ", command.name, " --help shows all)");
}

}  // namespace

Arguments::Arguments(const CommandSpec& command, const std::vector<std::string>& words)
    : command_(command.name) {
  const auto last = std::find(words.begin(), words.end(), "--");
  wants_help_ = std::any_of(words.begin(), last,
                            [](const auto& word) { return word == "--help" || word == "-h"; });
  if (wants_help_) {
    for (const std::string& word : words)
      if (!word.starts_with("-")) positional_.push_back(word);
    return;
  }

  for (size_t i = 0; i < words.size(); ++i) {
    const std::string& word = words[i];
    if (word == "--") {
      positional_.insert(positional_.end(), words.begin() + static_cast<int64_t>(i) + 1,
                         words.end());
      break;
    }
    if (word.size() > 1 && word[0] == '-' && word[1] != '-')
      usage_fail(command_, "there is no option '", word, "'", suggestion(command, "-" + word),
                 " (options begin with two dashes; put -- before an argument that begins with a "
                 "dash)");
    if (!word.starts_with("--")) {
      positional_.push_back(word);
      continue;
    }
    const size_t equals = word.find('=');
    const std::string name = word.substr(2, equals == word.npos ? word.npos : equals - 2);
    const OptionSpec& option = find_option(command, name);
    std::string value;
    if (option.value.empty()) {
      if (equals != word.npos) usage_fail(command_, "--", name, " takes no value");
    } else if (equals != word.npos) {
      value = word.substr(equals + 1);
    } else if (i + 1 < words.size() && !words[i + 1].starts_with("--")) {
      value = words[++i];
    }
    if (!option.value.empty() && value.empty())
      usage_fail(command_, "--", name, " needs a value: --", name, " ", option.value);
    std::vector<std::string>& values = options_[name];
    if (!values.empty() && !option.repeats) usage_fail(command_, "--", name, " is given twice");
    values.push_back(value);
  }
  check_count(command);
}

void Arguments::check_count(const CommandSpec& command) const {
  const auto usage = [&] {
    return concat("usage: tarsier ", command.name, command.arguments.empty() ? "" : " ",
                  command.arguments);
  };
  if (positional_.size() > command.max_arguments)
    usage_fail(command_, "unexpected argument '", positional_[command.max_arguments], "' (",
               usage(), ")");
  if (positional_.size() < command.min_arguments)
    usage_fail(command_, "an argument is missing (", usage(), ")");
}

std::optional<std::string> Arguments::text(const std::string& name) const {
  const auto found = options_.find(name);
  if (found == options_.end()) return {};
  return found->second.back();
}

std::vector<std::string> Arguments::all(const std::string& name) const {
  const auto found = options_.find(name);
  return found == options_.end() ? std::vector<std::string>{} : found->second;
}

std::optional<int64_t> Arguments::integer(const std::string& name, int64_t low,
                                          int64_t high) const {
  const auto value = text(name);
  if (!value) return {};
  return parse_integer(command_, "--" + name, *value, low, high);
}

std::optional<double> Arguments::number(const std::string& name, double low, double high) const {
  const auto value = text(name);
  if (!value) return {};
  return parse_number(command_, "--" + name, *value, low, high);
}

}  // namespace tarsier::zoo
