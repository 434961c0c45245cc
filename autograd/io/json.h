#pragma once
// JSON (RFC 8259), small and strict: for safetensors headers, config.json and metrics.jsonl.

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "../base/error.h"

namespace tarsier {

/// A JSON value: null, bool, number, string, array or object. Objects keep the order of their
/// members. Whole numbers that fit are stored as int64_t, others as double.
class Json {
 public:
  using Array = std::vector<Json>;
  using Member = std::pair<std::string, Json>;
  using Object = std::vector<Member>;

  Json() = default;  ///< null
  Json(bool value) : value_(value) {}
  Json(int value) : value_(int64_t{value}) {}
  Json(int64_t value) : value_(value) {}
  Json(double value) : value_(value) {}
  Json(const char* value) : value_(std::string(value)) {}
  Json(std::string_view value) : value_(std::string(value)) {}
  Json(std::string value) : value_(std::move(value)) {}
  Json(Array value) : value_(std::move(value)) {}
  /// An object: Json(Json::Object{{"step", 1}, {"loss", 2.5}}).
  Json(Object value) : value_(std::move(value)) {}

  /// The value of `text`. Throws Error("json") with `source` (a file's name), line and byte for
  /// anything that is not exactly one JSON text: also for invalid UTF-8, a key given twice in an
  /// object, a number out of range, and nesting deeper than 100.
  static Json parse(std::string_view text, std::string_view source = "text");

  /// The text of the value: on one line, or with line breaks and `indent` spaces per level. Numbers
  /// are written with the fewest digits that read back to the same number. Throws Error("json") for
  /// NaN, infinity, and strings that are not UTF-8, which JSON does not allow.
  std::string dump(int indent = 0) const;

  bool is_null() const { return std::holds_alternative<std::monostate>(value_); }
  bool is_bool() const { return std::holds_alternative<bool>(value_); }
  bool is_int() const { return std::holds_alternative<int64_t>(value_); }
  bool is_number() const { return is_int() || std::holds_alternative<double>(value_); }
  bool is_string() const { return std::holds_alternative<std::string>(value_); }
  bool is_array() const { return std::holds_alternative<Array>(value_); }
  bool is_object() const { return std::holds_alternative<Object>(value_); }

  // The value as a C++ type. Throws Error("json") if it is of another kind.
  bool as_bool() const { return get<bool>("a bool"); }
  int64_t as_int() const { return get<int64_t>("a whole number"); }
  double as_double() const;
  const std::string& as_string() const { return get<std::string>("a string"); }
  const Array& as_array() const { return get<Array>("an array"); }
  const Object& as_object() const { return get<Object>("an object"); }

  /// The member of an object, or a null pointer.
  const Json* find(std::string_view key) const;
  /// The member of an object. Throws Error("json") if there is none.
  const Json& operator[](std::string_view key) const;
  /// Sets a member of an object; null becomes an object first.
  void set(std::string_view key, Json value);

  friend bool operator==(const Json& a, const Json& b) = default;

 private:
  template <class T>
  const T& get(const char* expected) const {
    const T* value = std::get_if<T>(&value_);
    check(value != nullptr, "json", "found ", kind(), " where ", expected, " was expected");
    return *value;
  }
  const char* kind() const;
  void dump(std::string& out, int indent, int margin) const;

  std::variant<std::monostate, bool, int64_t, double, std::string, Array, Object> value_;
};

}  // namespace tarsier
