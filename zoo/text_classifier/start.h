#pragma once
// A run of bert that a text classifier starts from, instead of random weights.

#include <string>

#include "../../autograd/io/json.h"
#include "../../autograd/tensor/tensor_dict.h"
#include "../task/decided.h"
#include "../task/run_folder.h"
#include "model.h"

namespace tarsier::zoo::text_classifier {

/// What the classifier takes from the run: its tokenizer, its sizes, and the weights of everything
/// up to the encoder's last layer. The run's folder is not needed after that.
class Start {
 public:
  /// Reads the run in `folder`. Throws Error("run") or Error("config") if it is of another model,
  /// damaged or not yet trained.
  explicit Start(const std::string& folder);

  const std::string& folder() const { return folder_; }
  const Json& tokenizer() const { return tokenizer_; }

  /// Sets the sizes, the kind of tokens, and BERT's positions and norms.
  void apply_to(Settings& settings);
  /// Throws UsageError if one of these is no longer as apply_to() left it.
  void check_unchanged(const Settings& settings) const;

  /// Copies the weights bit for bit, the table of tokens divided by embedding_scale, with which
  /// forward() multiplies it: exact if it is a power of two. [MASK] has no row in the classifier's
  /// table. Throws Error("run") if they do not fit the sizes of the run's config.json.
  void load_into(TextClassifier& model) const;

 private:
  std::string folder_;
  Json tokenizer_;
  RunConfig config_;    // only the settings
  Decided decided_;     // the same as the classifier has them
  TensorDict weights_;  // under the classifier's names
};

}  // namespace tarsier::zoo::text_classifier
