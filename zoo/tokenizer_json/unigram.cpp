// Unigram: of all ways to write a text as tokens the one whose scores have the largest sum.
// Source: Kudo 2018, "Subword regularization" (Viterbi); https://huggingface.co/docs/tokenizers

#include <algorithm>
#include <limits>
#include <string>
#include <utility>

#include "zoo/tokenizer_json/characters.h"
#include "zoo/tokenizer_json/model.h"
#include "zoo/tokenizer_json/prefix_table.h"

namespace tarsier::zoo::tokenizer_json {

namespace {

class Unigram final : public Model {
 public:
  explicit Unigram(const Section& part) : fuses_unknown_(part.flag("fuse_unk", true)) {
    if (part.flag("byte_fallback", false)) part.refuse("byte_fallback");
    if (!part.value("vocab").is_array()) part.mistaken("vocab", "a list […]");
    std::vector<std::pair<std::string, int32_t>> entries;
    for (const Json& entry : part.value("vocab").as_array()) {
      const auto id = static_cast<int32_t>(scores_.size());
      const bool is_pair = entry.is_array() && entry.as_array().size() == 2 &&
                           entry.as_array()[0].is_string() && entry.as_array()[1].is_number();
      check(is_pair, "tokenizer", part.place(), ", vocab ", id + 1, ": found ",
            entry.dump().substr(0, 40), ", where a token and its score were expected");
      vocabulary.add(entry.as_array()[0].as_string(), id);
      entries.emplace_back(entry.as_array()[0].as_string(), id);
      scores_.push_back(entry.as_array()[1].as_double());
    }
    const auto count = static_cast<int64_t>(scores_.size());
    if (count == 0) part.mistaken("vocab", "at least one token");
    unknown_ = static_cast<int32_t>(part.whole("unk_id", 0, count - 1));
    unknown_score_ = *std::min_element(scores_.begin(), scores_.end()) - 10;
    std::reverse(entries.begin(), entries.end());  // of equal tokens the last counts
    table_ = PrefixTable(std::move(entries));
  }

  void encode(std::string_view text, std::vector<int32_t>& out) const override {
    const std::vector<Node> best = best_paths(text);
    std::vector<int32_t> ids;
    bool was_unknown = false;
    for (size_t end = text.size(); end > 0; end = best[end].start) {
      const int32_t id = best[end].id;
      if (!(id == unknown_ && was_unknown && fuses_unknown_)) ids.push_back(id);
      was_unknown = id == unknown_;
    }
    out.insert(out.end(), ids.rbegin(), ids.rend());
  }

 private:
  /// The best way to write the text up to a byte: its last token.
  struct Node {
    double score = 0;
    size_t start = std::string::npos;  // of the last token
    int32_t id = -1;
  };

  std::vector<Node> best_paths(std::string_view text) const {
    std::vector<Node> best(text.size() + 1);
    size_t at = 0;
    for_each_character(text, [&](char32_t, std::string_view bytes) {
      const auto offer = [&](size_t length, int32_t id, double score) {
        Node& node = best[at + length];
        score += best[at].score;
        if (node.start == std::string::npos || score > node.score) node = {score, at, id};
      };
      bool is_known = false;
      table_.for_each(text.substr(at), [&](size_t length, int32_t id) {
        offer(length, id, scores_[static_cast<size_t>(id)]);
        is_known = is_known || length == bytes.size();
      });
      if (!is_known) offer(bytes.size(), unknown_, unknown_score_);
      at += bytes.size();
    });
    return best;
  }

  const bool fuses_unknown_;
  std::vector<double> scores_;
  double unknown_score_ = 0;
  int32_t unknown_ = 0;
  PrefixTable table_;
};

}  // namespace

std::unique_ptr<Model> read_unigram(const Section& part) { return std::make_unique<Unigram>(part); }

}  // namespace tarsier::zoo::tokenizer_json
