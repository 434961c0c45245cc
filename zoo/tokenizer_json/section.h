#pragma once
// The parts of a tokenizer.json, read with errors that say where in the file something is wrong.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "../../autograd/io/json.h"

namespace tarsier::zoo::tokenizer_json {

/// A JSON object of the file, and its place for errors: "'DIR/tokenizer.json', pre_tokenizer". Must
/// not outlive the JSON. All throw Error("tokenizer") with the place.
class Section {
 public:
  /// Throws unless `json` is an object.
  Section(const Json& json, std::string place);

  const std::string& place() const { return place_; }
  const Json& json() const { return *json_; }

  /// Whether the key is there and not null.
  bool has(std::string_view key) const;
  /// Its value, whatever it is. Throws if it is missing or null.
  const Json& value(std::string_view key) const;
  /// The object under `key`.
  Section section(std::string_view key) const;
  /// The objects of a list.
  std::vector<Section> sections(std::string_view key) const;

  std::string text(std::string_view key, std::optional<std::string> otherwise = {}) const;
  bool flag(std::string_view key, std::optional<bool> otherwise = {}) const;
  int64_t whole(std::string_view key, int64_t least, int64_t most,
                std::optional<int64_t> otherwise = {}) const;
  /// The text of one character.
  char32_t character(std::string_view key) const;

  /// The "type", the name of the part: "ByteLevel".
  std::string type() const { return text("type"); }
  /// Throws: `what` is not supported.
  [[noreturn]] void refuse(const std::string& what) const;
  /// Throws what has not the type that is expected: "found …, where … was expected".
  [[noreturn]] void mistaken(std::string_view key, const char* expected) const;

 private:
  const Json* json_;
  std::string place_;
};

/// The objects of a part that may be a Sequence of parts, which are under `list`, in order; none if
/// the file has none. Sequences within it are taken apart.
std::vector<Section> steps_of(const Section& file, std::string_view part, std::string_view list);

/// The beginning of a JSON value, for messages.
std::string shown(const Json& value);

}  // namespace tarsier::zoo::tokenizer_json
