#pragma once
// The tokens of a tokenizer and their ids.

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>

namespace tarsier::zoo::tokenizer_json {

/// A hash by which an unordered_map of strings is searched without making a string.
struct StringHash {
  using is_transparent = void;
  size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
};

using IdsByToken = std::unordered_map<std::string, int32_t, StringHash, std::equal_to<>>;

/// Tokens and ids, in both directions. Ids need not be dense.
class Vocabulary {
 public:
  /// A token that is there already gets the new id.
  void add(const std::string& token, int32_t id) {
    ids_[token] = id;
    tokens_[id] = token;
  }
  size_t size() const { return ids_.size(); }
  const IdsByToken& ids() const { return ids_; }
  /// The id of a token, or −1.
  int32_t id_of(std::string_view token) const {
    const auto found = ids_.find(token);
    return found == ids_.end() ? -1 : found->second;
  }
  /// The token with this id, or null.
  const std::string* token_of(int32_t id) const {
    const auto found = tokens_.find(id);
    return found == tokens_.end() ? nullptr : &found->second;
  }

 private:
  IdsByToken ids_;
  std::unordered_map<int32_t, std::string> tokens_;
};

}  // namespace tarsier::zoo::tokenizer_json
