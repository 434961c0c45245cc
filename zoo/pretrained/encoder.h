#pragma once
// What the loaders of BERT and ViT share: both are an nn::TransformerEncoder here.

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "hugging_face.h"

namespace tarsier::zoo {

/// A part of a name here, and the same part in transformers.
struct Renaming {
  std::string_view here, there;
};

/// `name` after all renamings that apply, in order.
std::string renamed(std::string name, const std::vector<Renaming>& renamings);

/// The names of the query, key and value maps, each with its dot: {"query.", "key.", "value."}.
using QueryKeyValue = std::array<std::string_view, 3>;

/// The source of the tensor that transformers calls `name`: usually `name` itself. A name with
/// "in_proj_" stands for three, because MultiheadAttention stacks the maps of query, key and value:
/// "attention.in_proj_weight" for "attention.query.weight", and so on.
Source unpacked(const std::string& name, const QueryKeyValue& parts);

/// The first size of a matrix in the file, such as the number of labels. Throws Error("pretrained")
/// if it is missing.
int64_t rows_of(const Pretrained& file, std::string_view name);

}  // namespace tarsier::zoo
