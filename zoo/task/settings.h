#pragma once
// The sizes and rates of a recipe, by name: what --set reaches and config.json keeps.

#include <cstdint>
#include <limits>
#include <string>
#include <variant>
#include <vector>

namespace tarsier::zoo {

/// A list of names, each bound to a variable of the recipe. The variables must live as long.
class Settings {
 public:
  /// `owner` is the model's name, for error messages.
  explicit Settings(std::string owner) : owner_(std::move(owner)) {}

  /// Binds `name` to a variable. Values outside of [low, high] are refused.
  void add(const std::string& name, int64_t& variable, const std::string& help, int64_t low = 1,
           int64_t high = std::numeric_limits<int32_t>::max());
  void add(const std::string& name, double& variable, const std::string& help, double low = 0,
           double high = std::numeric_limits<double>::max());
  void add(const std::string& name, bool& variable, const std::string& help);
  /// One of `choices`; any text where there are none.
  void add(const std::string& name, std::string& variable, const std::string& help,
           std::vector<std::string> choices);

  /// Sets `name` from text: a number, or true or false. Throws UsageError("settings") for an
  /// unknown name (listing the known ones) and for values that are not what it takes (listing the
  /// choices).
  void set(const std::string& name, const std::string& text);
  /// The value as set() takes it. Numbers are written so that reading them gives the same bits.
  std::string get(const std::string& name) const;
  bool has(const std::string& name) const;
  bool is_text(const std::string& name) const;

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
  struct Entry {
    std::string name;
    std::string help;
    std::variant<Integer, Number, bool*, Text> target;
  };
  const Entry& find(const std::string& name) const;
  static std::string value_of(const Entry& entry);

  std::string owner_;
  std::vector<Entry> entries_;
};

}  // namespace tarsier::zoo
