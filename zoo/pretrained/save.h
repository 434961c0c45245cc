#pragma once
// Models in the layout of Hugging Face's transformers, for writing. The part that all models share;
// the file of each knows the names.

#include <string>
#include <vector>

#include "../../autograd/io/json.h"
#include "../../autograd/tensor/tensor_dict.h"
#include "hugging_face.h"

namespace tarsier::zoo {

/// The reverse of load_weights() for one tensor: adds it to `weights` under the names of `source`,
/// in equal parts of its first dimension if there are several.
void add_parts(TensorDict& weights, const Source& source, const Tensor& tensor);

/// What the classes are called, for config.json: id2label and label2id.
void add_labels(Json& config, const std::vector<std::string>& labels);

/// Writes config.json and model.safetensors into `folder`, which is made if it does not exist.
/// Throws Error("file").
void save_pretrained(const std::string& folder, const Json& config, const TensorDict& weights);

}  // namespace tarsier::zoo
