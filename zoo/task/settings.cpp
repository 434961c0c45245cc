#include "zoo/task/settings.h"

#include <algorithm>
#include <charconv>

#include "zoo/base/usage_error.h"

namespace tarsier::zoo {

namespace {

std::string joined(const std::vector<std::string>& words) {
  std::string out;
  for (const std::string& word : words) out.append(out.empty() ? "" : ", ").append(word);
  return out;
}

}  // namespace

void Settings::add(const std::string& name, int64_t& variable, const std::string& help, int64_t low,
                   int64_t high) {
  entries_.push_back({name, help, Integer{&variable, low, high}});
}

void Settings::add(const std::string& name, double& variable, const std::string& help, double low,
                   double high) {
  entries_.push_back({name, help, Number{&variable, low, high}});
}

void Settings::add(const std::string& name, bool& variable, const std::string& help) {
  entries_.push_back({name, help, &variable});
}

void Settings::add(const std::string& name, std::string& variable, const std::string& help,
                   std::vector<std::string> choices) {
  entries_.push_back({name, help, Text{&variable, std::move(choices)}});
}

std::vector<std::string> Settings::names() const {
  std::vector<std::string> out;
  for (const Entry& entry : entries_) out.push_back(entry.name);
  return out;
}

const Settings::Entry& Settings::find(const std::string& name) const {
  for (const Entry& entry : entries_)
    if (entry.name == name) return entry;
  const std::string suggestion = did_you_mean(name, names());
  usage_fail("settings", owner_, " has no setting '", name, "'",
             suggestion.empty() ? "." : suggestion, " It has: ", joined(names()));
}

void Settings::set(const std::string& name, const std::string& text) {
  const Entry& entry = find(name);
  if (const auto* integer = std::get_if<Integer>(&entry.target)) {
    *integer->variable = parse_integer("settings", name, text, integer->low, integer->high);
  } else if (const auto* number = std::get_if<Number>(&entry.target)) {
    *number->variable = parse_number("settings", name, text, number->low, number->high);
  } else if (const auto* flag = std::get_if<bool*>(&entry.target)) {
    if (text != "true" && text != "false")
      usage_fail("settings", name, " is '", text, "', but must be true or false");
    **flag = text == "true";
  } else {
    const Text& target = std::get<Text>(entry.target);
    const std::vector<std::string>& choices = target.choices;
    if (!choices.empty() && std::find(choices.begin(), choices.end(), text) == choices.end())
      usage_fail("settings", name, " is '", text, "', but must be one of ", joined(choices));
    *target.variable = text;
  }
}

std::string Settings::value_of(const Entry& entry) {
  if (const auto* integer = std::get_if<Integer>(&entry.target))
    return std::to_string(*integer->variable);
  if (const auto* flag = std::get_if<bool*>(&entry.target)) return **flag ? "true" : "false";
  if (const auto* target = std::get_if<Text>(&entry.target)) return *target->variable;
  char digits[32];
  const double value = *std::get<Number>(entry.target).variable;
  const auto result = std::to_chars(digits, digits + sizeof digits, value);
  return std::string(digits, result.ptr);
}

bool Settings::has(const std::string& name) const {
  const std::vector<std::string> all = names();
  return std::find(all.begin(), all.end(), name) != all.end();
}

bool Settings::is_text(const std::string& name) const {
  return std::holds_alternative<Text>(find(name).target);
}

std::string Settings::get(const std::string& name) const { return value_of(find(name)); }

std::string Settings::describe() const {
  size_t width = 0;
  for (const Entry& entry : entries_)
    width = std::max(width, entry.name.size() + 1 + value_of(entry).size());
  std::string out;
  for (const Entry& entry : entries_) {
    const std::string setting = entry.name + "=" + value_of(entry);
    out += "  " + setting + std::string(width - setting.size() + 3, ' ') + entry.help;
    if (const auto* target = std::get_if<Text>(&entry.target); target && !target->choices.empty())
      out.append("\n").append(width + 5, ' ').append(concat("(", joined(target->choices), ")"));
    out += "\n";
  }
  return out;
}

}  // namespace tarsier::zoo
