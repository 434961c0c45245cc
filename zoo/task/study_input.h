#pragma once
// The input of a step that is studied.

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "batch.h"

namespace tarsier::zoo {

/// A small batch, and names for what is in it.
struct StudyInput {
  Batch batch;
  /// Names of positions: {"tokens", {"t", "h", "e"}}. Attention between sequences of the same names
  /// is labelled with them.
  std::vector<std::pair<std::string, std::vector<std::string>>> labels = {};
  std::string description = "";  ///< "16 characters"
  /// The picture that is looked at, (channels, height, width), as rows × columns of patches. Its
  /// labels, if any, are one per position: first what is no patch.
  struct Picture {
    Tensor pixels;
    int64_t rows = 0, columns = 0;
  };
  std::optional<Picture> picture = {};
  /// Why differences of the loss are not its gradients, for the page: the forward decides something
  /// by numbers that backward does not follow (detach(), topk()). "": they are.
  std::string no_proof = "";
};

}  // namespace tarsier::zoo
