#include "zoo/tokenizer_json/section.h"

#include <utility>

#include "zoo/data/lines.h"
#include "zoo/data/text.h"

namespace tarsier::zoo::tokenizer_json {

namespace {

constexpr const char* kName = "tokenizer";

}  // namespace

std::string shown(const Json& value) {
  if (value.is_object()) return "an object";
  if (value.is_array()) return "a list";
  return beginning_of(value.dump());
}

Section::Section(const Json& json, std::string place) : json_(&json), place_(std::move(place)) {
  check(json.is_object(), kName, place_, ": found ", shown(json),
        ", where an object {…} was expected");
}

bool Section::has(std::string_view key) const {
  const Json* found = json_->find(key);
  return found != nullptr && !found->is_null();
}

const Json& Section::value(std::string_view key) const {
  const Json* found = json_->find(key);
  check(found != nullptr && !found->is_null(), kName, place_, ": the key '", key, "' is missing");
  return *found;
}

void Section::mistaken(std::string_view key, const char* expected) const {
  fail(kName, place_, ": '", key, "' is ", shown(value(key)), ", where ", expected,
       " was expected");
}

void Section::refuse(const std::string& what) const {
  fail(kName, place_, ": ", what, " is not supported");
}

Section Section::section(std::string_view key) const {
  return Section(value(key), concat(place_, ", ", key));
}

std::vector<Section> Section::sections(std::string_view key) const {
  if (!value(key).is_array()) mistaken(key, "a list […]");
  std::vector<Section> out;
  for (const Json& item : value(key).as_array())
    out.emplace_back(item, concat(place_, ", ", key, " ", out.size() + 1));
  return out;
}

std::string Section::text(std::string_view key, std::optional<std::string> otherwise) const {
  if (!has(key) && otherwise) return *otherwise;
  if (!value(key).is_string()) mistaken(key, "a text");
  return value(key).as_string();
}

bool Section::flag(std::string_view key, std::optional<bool> otherwise) const {
  if (!has(key) && otherwise) return *otherwise;
  if (!value(key).is_bool()) mistaken(key, "true or false");
  return value(key).as_bool();
}

int64_t Section::whole(std::string_view key, int64_t least, int64_t most,
                       std::optional<int64_t> otherwise) const {
  if (!has(key) && otherwise) return *otherwise;
  const Json& found = value(key);
  if (!found.is_int() || found.as_int() < least || found.as_int() > most)
    mistaken(key, concat("a whole number from ", least, " to ", most).c_str());
  return found.as_int();
}

char32_t Section::character(std::string_view key) const {
  const std::vector<char32_t> found = decode_utf8(text(key), place_);
  if (found.size() != 1) mistaken(key, "one character");
  return found[0];
}

namespace {

void add_steps(const Section& part, std::string_view list, std::vector<Section>& out) {
  if (part.type() != "Sequence") {
    out.push_back(part);
    return;
  }
  for (const Section& step : part.sections(list)) add_steps(step, list, out);
}

}  // namespace

std::vector<Section> steps_of(const Section& file, std::string_view part, std::string_view list) {
  std::vector<Section> out;
  if (file.has(part)) add_steps(file.section(part), list, out);
  return out;
}

}  // namespace tarsier::zoo::tokenizer_json
