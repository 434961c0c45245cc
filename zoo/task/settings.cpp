#include "zoo/task/settings.h"

#include <algorithm>
#include <charconv>

#include "zoo/base/usage_error.h"

namespace tarsier::zoo {

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
  usage_fail(tag_, owner_, " has no ", dashes_.empty() ? "setting" : "option", " '", dashes_, name,
             "'", among(name, names()));
}

std::vector<std::string> Settings::choices_of(const Entry& entry) {
  if (const auto* text = std::get_if<Text>(&entry.target)) return text->choices;
  if (const auto* choices = std::get_if<Choices>(&entry.target)) return choices->names;
  return {};
}

void Settings::set(const std::string& name, const std::string& text) {
  const Entry& entry = find(name);
  const std::string shown = dashes_ + name;
  const std::vector<std::string> names = choices_of(entry);
  const auto found = std::find(names.begin(), names.end(), text);
  if (!names.empty() && found == names.end())
    usage_fail(tag_, shown, " is '", text, "', but must be one of ", listed(names));
  if (const auto* integer = std::get_if<Integer>(&entry.target)) {
    *integer->variable = parse_integer(tag_, shown, text, integer->low, integer->high);
  } else if (const auto* number = std::get_if<Number>(&entry.target)) {
    *number->variable = parse_number(tag_, shown, text, number->low, number->high);
  } else if (const auto* flag = std::get_if<bool*>(&entry.target)) {
    if (text != "true" && text != "false")
      usage_fail(tag_, shown, " is '", text, "', but must be true or false");
    **flag = text == "true";
  } else if (const auto* choices = std::get_if<Choices>(&entry.target)) {
    choices->set(static_cast<size_t>(found - names.begin()));
  } else {
    *std::get<Text>(entry.target).variable = text;
  }
}

std::string Settings::value_of(const Entry& entry) const {
  if (const auto* integer = std::get_if<Integer>(&entry.target))
    return std::to_string(*integer->variable);
  if (const auto* flag = std::get_if<bool*>(&entry.target)) return **flag ? "true" : "false";
  if (const auto* target = std::get_if<Text>(&entry.target)) return *target->variable;
  if (const auto* choices = std::get_if<Choices>(&entry.target)) {
    const size_t chosen = choices->get();
    check(chosen < choices->names.size(), "settings", owner_, ": ", entry.name,
          " has a value that is not one of ", listed(choices->names));
    return choices->names[chosen];
  }
  char digits[32];
  const double value = *std::get<Number>(entry.target).variable;
  const auto result = std::to_chars(digits, digits + sizeof digits, value);
  return std::string(digits, result.ptr);
}

std::string Settings::value_name(const std::string& name) const {
  const Entry& entry = find(name);
  if (std::holds_alternative<bool*>(entry.target)) return "";
  if (std::holds_alternative<Integer>(entry.target)) return "N";
  if (std::holds_alternative<Number>(entry.target)) return "X";
  std::string names;
  for (const std::string& choice : choices_of(entry)) names += (names.empty() ? "" : "|") + choice;
  return names.empty() ? "TEXT" : names;
}

bool Settings::has(const std::string& name) const {
  const std::vector<std::string> all = names();
  return std::find(all.begin(), all.end(), name) != all.end();
}

bool Settings::is_text(const std::string& name) const {
  const Entry& entry = find(name);
  return std::holds_alternative<Text>(entry.target) ||
         std::holds_alternative<Choices>(entry.target);
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
    if (const std::vector<std::string> choices = choices_of(entry); !choices.empty())
      out.append("\n").append(width + 5, ' ').append(concat("(", listed(choices), ")"));
    out += "\n";
  }
  return out;
}

}  // namespace tarsier::zoo
