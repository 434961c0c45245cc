#pragma once
// Variables by name: the sizes and rates that --set reaches and config.json keeps, and what a task
// can be told by options of `tarsier predict`.

#include <cstdint>
#include <functional>
#include <limits>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

namespace tarsier::zoo {

/// A list of names, each bound to a variable. The variables must live as long.
class Settings {
 public:
  /// `owner` is the model's name and `tag` the tag of the errors. Those of a command are options,
  /// with two dashes before their names.
  explicit Settings(std::string owner, std::string tag = "settings")
      : owner_(std::move(owner)), tag_(std::move(tag)), dashes_(tag_ == "settings" ? "" : "--") {}

  /// Binds `name` to a variable. Values outside of [low, high] are refused.
  void add(const std::string& name, int64_t& variable, const std::string& help, int64_t low = 1,
           int64_t high = std::numeric_limits<int32_t>::max());
  void add(const std::string& name, double& variable, const std::string& help, double low = 0,
           double high = std::numeric_limits<double>::max());
  void add(const std::string& name, bool& variable, const std::string& help);
  /// One of `choices`; any text where there are none.
  void add(const std::string& name, std::string& variable, const std::string& help,
           std::vector<std::string> choices);
  /// One of `choices`, each with its name. Throws Error("settings") where the variable has none of
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

  /// Sets `name` from text: a number, or true or false. Throws UsageError with the tag for an
  /// unknown name (listing the known ones) and for values that are not what it takes (listing the
  /// choices).
  void set(const std::string& name, const std::string& text);
  /// The value as set() takes it. Numbers are written so that reading them gives the same bits.
  std::string get(const std::string& name) const;
  bool has(const std::string& name) const;
  bool is_text(const std::string& name) const;
  const std::string& help(const std::string& name) const { return find(name).help; }
  /// How help calls the value of an option: "N" for a whole number, "X" for others, "yes|no" for
  /// choices, else "TEXT"; "" for a switch, which takes none.
  std::string value_name(const std::string& name) const;

  std::vector<std::string> names() const;
  /// "  n_layer=4   blocks", one line for each, as help shows them.
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
    std::function<size_t()> get;  // the number of the value; that of names where it is none of them
    std::function<void(size_t)> set;
  };
  struct Entry {
    std::string name;
    std::string help;
    std::variant<Integer, Number, bool*, Text, Choices> target;
  };
  const Entry& find(const std::string& name) const;
  std::string value_of(const Entry& entry) const;
  /// Of an entry with choices, its names.
  static std::vector<std::string> choices_of(const Entry& entry);

  std::string owner_, tag_, dashes_;
  std::vector<Entry> entries_;
};

}  // namespace tarsier::zoo
