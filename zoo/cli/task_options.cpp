#include "zoo/cli/task_options.h"

#include <algorithm>
#include <memory>

#include "zoo/base/usage_error.h"
#include "zoo/task/models.h"

namespace tarsier::zoo {

namespace {

/// "gpt, vit" of the help text "gpt, vit: how many".
std::string families_of(const std::string& help) { return help.substr(0, help.find(": ")); }

}  // namespace

std::vector<OptionSpec> task_options(OptionsOf options_of) {
  std::vector<OptionSpec> specs;
  for (const ModelEntry& entry : models()) {
    const std::unique_ptr<Task> task = entry.make();
    const Settings options = ((*task).*options_of)();
    for (const std::string& name : options.names()) {
      const auto known = std::find_if(specs.begin(), specs.end(),
                                      [&](const OptionSpec& spec) { return spec.name == name; });
      if (known != specs.end()) {
        const std::string families = families_of(known->help);
        if (families.find(entry.family) == families.npos)
          known->help.insert(families.size(), ", " + entry.family);
        continue;
      }
      std::string help = entry.family + ": " + options.help(name);
      if (help.find("default: ") == help.npos && !options.get(name).empty())
        help += "; default: " + options.get(name);
      specs.push_back({name, options.value_name(name), help});
    }
  }
  return specs;
}

void check_options(OptionsOf options_of, const Settings& options, const std::string& owner,
                   const std::string& command, const Arguments& arguments) {
  for (const OptionSpec& spec : task_options(options_of))
    if (arguments.has(spec.name) && !options.has(spec.name))
      usage_fail(command, "--", spec.name, " is for ", families_of(spec.help), "; ", owner,
                 " has no such option");
}

void check_task_options(OptionsOf options_of, Task& task, const std::string& command,
                        const Arguments& arguments) {
  check_options(options_of, (task.*options_of)(), task.name(), command, arguments);
}

std::vector<std::pair<std::string, std::string>> given_options(const Settings& options,
                                                               const Arguments& arguments) {
  std::vector<std::pair<std::string, std::string>> given;
  for (const std::string& name : options.names())
    if (arguments.has(name))
      given.emplace_back(name, options.value_name(name).empty() ? "true" : *arguments.text(name));
  return given;
}

void set_options(OptionsOf options_of, Task& task, const Arguments& arguments) {
  Settings options = (task.*options_of)();
  for (const auto& [name, value] : given_options(options, arguments)) options.set(name, value);
}

void check_option_values(OptionsOf options_of, const Arguments& arguments) {
  for (const ModelEntry& entry : models()) set_options(options_of, *entry.make(), arguments);
}

}  // namespace tarsier::zoo
