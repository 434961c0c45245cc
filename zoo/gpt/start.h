#pragma once
// A GPT-2 of Hugging Face's transformers that a gpt starts from, instead of random weights.

#include <memory>
#include <string>

#include "../../autograd/io/json.h"
#include "../task/decided.h"
#include "../task/settings.h"
#include "model.h"
#include "tokens.h"

namespace tarsier::zoo::gpt {

/// Sizes, tokenizer and weights of the model in a folder. The folder is not needed after that.
class Start {
 public:
  /// Throws what load_gpt2() and TokenizerJson throw; Error("pretrained") for an activation that a
  /// gpt has no setting for; UsageError for a folder of another kind, which says so.
  explicit Start(const std::string& folder);

  TextTokens tokens() const;
  /// Sets the sizes and parts of the model.
  void apply_to(Settings& settings);
  /// Throws UsageError if one of these is no longer as apply_to() left it, or if block_size is larger
  /// than the model's; it may be smaller.
  void check_unchanged(const Settings& settings, int64_t block_size) const;

  /// Copies the weights; of the positions those that the model has.
  void load_into(Gpt& model) const;

 private:
  std::string folder_;
  std::unique_ptr<Gpt> gpt_;
  Json tokenizer_;
  Decided decided_;
};

}  // namespace tarsier::zoo::gpt
