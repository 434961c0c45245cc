#pragma once
// The items that a model knows: their numbers, and what people call them.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "../../autograd/io/json.h"
#include "../data/interactions.h"
#include "histories.h"

namespace tarsier::zoo::recommend {

class Catalogue {
 public:
  Catalogue() = default;
  /// The items of `data`, with their titles.
  explicit Catalogue(const Interactions& data) : Catalogue(data.items, data.titles) {}

  /// {"items": […], "titles": […]}, without titles if no item has one.
  static Catalogue from_json(const Json& json);
  Json to_json() const;

  int64_t size() const { return static_cast<int64_t>(items_.size()); }
  const std::string& item(int64_t number) const { return items_[static_cast<size_t>(number)]; }
  const std::string& title(int64_t number) const { return titles_[static_cast<size_t>(number)]; }
  /// The titles of several.
  std::vector<std::string> titles(const History& items) const;

  /// The number of the item with this name: the item as the data write it, its title, in any case,
  /// or the beginning of one title only; "heat" is "Heat (1995)" even if there is "Heatwave (2022)".
  /// Throws Error("predict") that lists similar names if there is none, or several.
  int32_t find(std::string_view name) const;
  /// The items named in `text`, with semicolons between them. Names that contain semicolons must be
  /// whole.
  History parse(const std::string& text) const;

  /// The histories of `data`, of whose items these are the numbers here. Throws Error("data") with
  /// `source` and the line for an item that training has never seen.
  std::vector<History> renumbered(const Interactions& data, const std::string& source) const;

 private:
  Catalogue(std::vector<std::string> items, std::vector<std::string> titles);

  /// The item of exactly this name, or title in any case.
  std::optional<int32_t> exactly(const std::string& name) const;

  std::vector<std::string> items_, titles_;
  std::unordered_map<std::string, int32_t> number_;           // by item
  std::unordered_map<std::string, int32_t> number_of_title_;  // by title in lower case
  int64_t semicolons_ = 0;                                    // in one name, at most
};

}  // namespace tarsier::zoo::recommend
