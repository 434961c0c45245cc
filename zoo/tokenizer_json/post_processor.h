#pragma once
// What is put around a text: [CLS] and [SEP], <s>.

#include <cstdint>
#include <vector>

#include "section.h"

namespace tarsier::zoo::tokenizer_json {

/// The tokens of a text, or of two, and for each of which it is part (BERT's token types).
struct Encoding {
  std::vector<int32_t> ids, types;
};

class PostProcessor {
 public:
  /// Puts nothing around a text; a second text has type 1.
  PostProcessor() = default;
  /// The part "post_processor" of the file. Read are TemplateProcessing, BertProcessing,
  /// RobertaProcessing, ByteLevel, which changes no tokens, and a Sequence with at most one other
  /// than that. Throws Error("tokenizer") that names what is not.
  explicit PostProcessor(const Section& file);

  /// `second` may be null. Without `specials` only the types of a template are applied.
  Encoding operator()(const std::vector<int32_t>& first, const std::vector<int32_t>* second,
                      bool specials) const;

 private:
  struct Item {
    int text = -1;             // 0 or 1: the first or the second text
    std::vector<int32_t> ids;  // of a special token
    int32_t type = 0;
  };
  static std::vector<Item> items_of(const Section& part, const char* key);
  void read_template(const Section& part);
  void read_pair(const Section& part, bool roberta);

  std::vector<Item> single_ = {{0, {}, 0}}, pair_ = {{0, {}, 0}, {1, {}, 1}};
};

}  // namespace tarsier::zoo::tokenizer_json
