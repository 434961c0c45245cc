#include "zoo/recommend/catalogue.h"

#include <algorithm>
#include <utility>

#include "zoo/base/usage_error.h"
#include "zoo/data/lines.h"
#include "zoo/data/rows.h"
#include "zoo/data/words.h"

namespace tarsier::zoo::recommend {

namespace {

std::vector<std::string> strings(const Json& list) {
  std::vector<std::string> out;
  for (const Json& one : list.as_array()) out.push_back(one.as_string());
  return out;
}

}  // namespace

Catalogue::Catalogue(std::vector<std::string> items, std::vector<std::string> titles)
    : items_(std::move(items)), titles_(titles.empty() ? items_ : std::move(titles)) {
  check(titles_.size() == items_.size(), "data", items_.size(), " items with ", titles_.size(),
        " titles");
  for (size_t i = 0; i < items_.size(); ++i) {
    number_.emplace(items_[i], static_cast<int32_t>(i));
    number_of_title_.emplace(to_lower(titles_[i]), static_cast<int32_t>(i));
    for (const std::string& name : {items_[i], titles_[i]})
      semicolons_ = std::max<int64_t>(semicolons_, std::count(name.begin(), name.end(), ';'));
  }
}

Catalogue Catalogue::from_json(const Json& json) {
  return {strings(json["items"]), strings(json["titles"])};
}

Json Catalogue::to_json() const {
  const bool titled = titles_ != items_;
  return Json::Object{
      {"items", Json::Array(items_.begin(), items_.end())},
      {"titles", titled ? Json::Array(titles_.begin(), titles_.end()) : Json::Array()}};
}

std::vector<std::string> Catalogue::titles(const History& items) const {
  std::vector<std::string> all;
  for (const int32_t item : items) all.push_back(title(item));
  return all;
}

std::optional<int32_t> Catalogue::exactly(const std::string& name) const {
  if (const auto found = number_.find(name); found != number_.end()) return found->second;
  const auto found = number_of_title_.find(to_lower(name));
  return found == number_of_title_.end() ? std::nullopt : std::optional<int32_t>(found->second);
}

int32_t Catalogue::find(std::string_view name) const {
  const std::string given = trimmed(name), lower = to_lower(given);
  if (const std::optional<int32_t> found = exactly(given)) return *found;
  const bool titled = titles_ != items_;
  std::vector<int32_t> begun, named;  // named: but for a year, as in "Heat (1995)"
  for (size_t i = 0; i < titles_.size(); ++i) {
    const std::string title = to_lower(titles_[i]);
    if (lower.empty() || !titled || !title.starts_with(lower)) continue;
    begun.push_back(static_cast<int32_t>(i));
    if (title.substr(lower.size()).starts_with(" (")) named.push_back(begun.back());
  }
  if (named.size() == 1) return named.front();
  if (begun.size() == 1) return begun.front();
  std::string similar;
  if (!begun.empty()) {
    begun.resize(std::min<size_t>(5, begun.size()));
    similar = concat(": several begin so, such as ", quoted_list(titles(begun)));
  } else {
    std::vector<std::string> known = titles_;  // also without their years
    for (const std::string& title : titles_)
      if (const size_t year = title.find(" ("); year != title.npos)
        known.push_back(title.substr(0, year));
    similar = did_you_mean(given, known);
  }
  fail("predict", "no item is called '", beginning_of(given), "'", similar,
       ". Give items as in the data, or their titles, with semicolons between them");
}

History Catalogue::parse(const std::string& text) const {
  std::vector<size_t> ends;  // where each part between semicolons ends
  for (size_t i = 0; i <= text.size(); ++i)
    if (i == text.size() || text[i] == ';') ends.push_back(i);
  History items;
  for (size_t part = 0, begin = 0; part < ends.size(); begin = ends[part++] + 1) {
    const auto name_to = [&](size_t last) {
      return trimmed(std::string_view(text).substr(begin, ends[last] - begin));
    };
    // Several parts may be one name: the longest that there is.
    size_t last = std::min(part + static_cast<size_t>(semicolons_), ends.size() - 1);
    while (last > part && !exactly(name_to(last))) --last;
    const std::string name = name_to(last);
    if (!name.empty()) items.push_back(find(name));
    part = last;
  }
  return items;
}

std::vector<History> Catalogue::renumbered(const Interactions& data,
                                           const std::string& source) const {
  std::vector<int32_t> number;
  for (size_t i = 0; i < data.items.size(); ++i) {
    const auto found = number_.find(data.items[i]);
    check(found != number_.end(), "data", source,
          i < data.lines.size() ? concat(", line ", data.lines[i]) : "",
          ": training has never seen the item '", beginning_of(data.items[i]),
          "'. Leave it out, or train with it");
    number.push_back(found->second);
  }
  std::vector<History> histories = data.histories;
  for (History& history : histories)
    for (int32_t& item : history) item = number[static_cast<size_t>(item)];
  return histories;
}

}  // namespace tarsier::zoo::recommend
