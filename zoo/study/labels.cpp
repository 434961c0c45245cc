// Names for the positions that attention connects.
#include <algorithm>

#include "zoo/study/step.h"

namespace tarsier::study {

namespace {

using AxisNames = std::vector<std::string>;

/// The first of these label sets that exists and has `size` names; "" if none does.
std::string labels_of(const Recording& recording, const AxisNames& names, int64_t size) {
  for (const std::string& name : names)
    for (const auto& [given, labels] : recording.labels)
      if (given == name && static_cast<int64_t>(labels.size()) == size) return name;
  return "";
}

}  // namespace

void label_attention(Recording& recording) {
  for (AttentionLine& line : recording.attention) {
    const Tensor& weights = recording.tensors[static_cast<size_t>(line.weights)].values;
    if (weights.dim() < 2) continue;
    const AxisNames source{"source", "tokens", "patches"}, target{"target", "tokens", "patches"};
    line.queries =
        labels_of(recording, line.kind == "encoder self" ? source : target, weights.size(-2));
    line.keys =
        labels_of(recording, line.kind == "decoder self" ? target : source, weights.size(-1));
  }
}

}  // namespace tarsier::study
