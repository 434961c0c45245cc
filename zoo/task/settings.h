#pragma once
// Variables by name: the sizes and rates that --set changes and config.json stores, and the options
// of a task in `tarsier predict`.

#include <cstdint>
#include <functional>
#include <limits>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

namespace tarsier::zoo {

/// A list of names, each bound to a variable. The variables must outlive it.
class Settings {
 public:
  /// `owner` is the model's name and `tag` the tag of the errors. With the tag of a command they
  /// are options, and errors write them with two dashes.
  explicit Settings(std::string owner, std::string tag = "settings")
      : owner_(std::move(owner)), tag_(std::move(tag)), dashes_(tag_ == "settings" ? "" : "--") {}

  /// Binds `name` to a variable. Values outside [low, high] are refused.
  void add(const std::string& name, int64_t& variable, const std::string& help, int64_t low = 1,
           int64_t high = std::numeric_limits<int32_t>::max());
  void add(const std::string& name, double& variable, const std::string& help, double low = 0,
           double high = std::numeric_limits<double>::max());
  void add(const std::string& name, bool& variable, const std::string& help);
  /// One of `choices`; any text if there are none.
  void add(const std::string& name, std::string& variable, const std::string& help,
           std::vector<std::string> choices);
  /// One of `choices`, each with its name. Throws Error("settings") if the variable has none of
  /// these values.
  template <class T>
  void add_choice(const std::string& name, T& variable, const std::string& help,
                  std::vector<std::pair<std::string, std::type_identity_t<T>>> choices) {
    Choices entry;
    for (const auto& [choice, value] : choices) entry.names.push_back(choice);
    entry.get = [&variable, choices] {
      size_t i = 0;
      while (i < choices.size() && choices[i].second != variable) ++i;
      return i;
    };
    entry.set = [&variable, choices](size_t i) { variable = choices[i].second; };
    entries_.push_back({name, help, std::move(entry)});
  }

  /// Sets `name` from text: a number, true or false, or a choice. Throws UsageError with the tag
  /// for an unknown name (listing the known ones) and for invalid values (listing the
  /// choices).
  void set(const std::string& name, const std::string& text);
  /// The value as set() takes it. Reading a number back gives the same bits.
  std::string get(const std::string& name) const;
  bool has(const std::string& name) const;
  bool is_text(const std::string& name) const;
  const std::string& help(const std::string& name) const { return find(name).help; }
  /// The value's placeholder in help: "N" for a whole number, "X" for other numbers, "yes|no" for
  /// choices, else "TEXT"; "" for a switch, which takes none.
  std::string value_name(const std::string& name) const;

  std::vector<std::string> names() const;
  /// "  n_layer=4   blocks", one line per setting, for help.
  std::string describe() const;

 private:
  struct Integer {
    int64_t* variable;
    int64_t low, high;
  };
  struct Number {
    double* variable;
    double low, high;
  };
  struct Text {
    std::string* variable;
    std::vector<std::string> choices;
  };
  struct Choices {
    std::vector<std::string> names;
    std::function<size_t()> get;  // the index of the value, or names.size() if it is not a choice
    std::function<void(size_t)> set;
  };
  struct Entry {
    std::string name;
    std::string help;
    std::variant<Integer, Number, bool*, Text, Choices> target;
  };
  const Entry& find(const std::string& name) const;
  std::string value_of(const Entry& entry) const;
  /// The names of an entry's choices.
  static std::vector<std::string> choices_of(const Entry& entry);

  std::string owner_, tag_, dashes_;
  std::vector<Entry> entries_;
};

}  // namespace tarsier::zoo
