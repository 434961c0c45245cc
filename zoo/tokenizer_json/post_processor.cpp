#include "zoo/tokenizer_json/post_processor.h"

#include <limits>
#include <string>
#include <utility>

namespace tarsier::zoo::tokenizer_json {

namespace {

constexpr int64_t kMostIds = std::numeric_limits<int32_t>::max();

/// A list of whole numbers from 0.
std::vector<int32_t> numbers_of(const Section& part, const char* key) {
  std::vector<int32_t> out;
  if (!part.value(key).is_array()) part.mistaken(key, "a list of ids");
  for (const Json& id : part.value(key).as_array()) {
    if (!id.is_int() || id.as_int() < 0 || id.as_int() > kMostIds)
      part.mistaken(key, "a list of ids");
    out.push_back(static_cast<int32_t>(id.as_int()));
  }
  return out;
}

/// The id of ["[SEP]", 102].
int32_t id_of_pair(const Section& part, const char* key) {
  const Json& pair = part.value(key);
  const bool is_pair = pair.is_array() && pair.as_array().size() == 2 &&
                       pair.as_array()[1].is_int() && pair.as_array()[1].as_int() >= 0 &&
                       pair.as_array()[1].as_int() <= kMostIds;
  if (!is_pair) part.mistaken(key, "a token and its id");
  return static_cast<int32_t>(pair.as_array()[1].as_int());
}

}  // namespace

std::vector<PostProcessor::Item> PostProcessor::items_of(const Section& part, const char* key) {
  std::vector<Item> out;
  for (const Section& entry : part.sections(key)) {
    const bool is_text = entry.has("Sequence");
    const Section item = entry.section(is_text ? "Sequence" : "SpecialToken");
    const std::string id = item.text("id");
    const auto type = static_cast<int32_t>(item.whole("type_id", 0, kMostIds, 0));
    if (is_text) {
      if (id != "A" && id != "B") item.mistaken("id", "A or B");
      out.push_back({id == "A" ? 0 : 1, {}, type});
    } else {
      out.push_back({-1, numbers_of(part.section("special_tokens").section(id), "ids"), type});
    }
  }
  return out;
}

void PostProcessor::read_template(const Section& part) {
  single_ = items_of(part, "single");
  if (part.has("pair")) pair_ = items_of(part, "pair");
}

void PostProcessor::read_pair(const Section& part, bool roberta) {
  const int32_t begin = id_of_pair(part, "cls"), end = id_of_pair(part, "sep");
  single_ = {{-1, {begin}, 0}, {0, {}, 0}, {-1, {end}, 0}};
  pair_ = single_;
  const int32_t type = roberta ? 0 : 1;
  if (roberta) pair_.push_back({-1, {end}, 0});
  pair_.push_back({1, {}, type});
  pair_.push_back({-1, {end}, type});
}

PostProcessor::PostProcessor(const Section& file) {
  bool is_read = false;
  for (const Section& part : steps_of(file, "post_processor", "processors")) {
    const std::string type = part.type();
    if (type == "ByteLevel") continue;
    if (std::exchange(is_read, true)) part.refuse("a second part that puts tokens around a text");
    if (type == "TemplateProcessing") {
      read_template(part);
    } else if (type == "BertProcessing" || type == "RobertaProcessing") {
      read_pair(part, type == "RobertaProcessing");
    } else {
      part.refuse("the post_processor '" + type + "'");
    }
  }
}

Encoding PostProcessor::operator()(const std::vector<int32_t>& first,
                                   const std::vector<int32_t>* second, bool specials) const {
  Encoding out;
  for (const Item& item : second != nullptr ? pair_ : single_) {
    if (item.text == 1 && second == nullptr) continue;
    if (item.text < 0 && !specials) continue;
    const std::vector<int32_t>& ids = item.text < 0 ? item.ids : item.text == 0 ? first : *second;
    out.ids.insert(out.ids.end(), ids.begin(), ids.end());
    out.types.resize(out.ids.size(), item.type);
  }
  return out;
}

}  // namespace tarsier::zoo::tokenizer_json
