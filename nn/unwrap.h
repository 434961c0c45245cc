#pragma once
// Removes the parts that PyTorch's wrappers add to names of weights.
//
//   torch.compile(model)               _orig_mod.layer.weight, also in the middle of a name
//   DistributedDataParallel(model)     module.layer.weight, at the beginning of every name
//   DataParallel(model)                the same
//   FullyShardedDataParallel(model)    _fsdp_wrapped_module.layer.weight, also in the middle
//   checkpoint_wrapper(layer)          _checkpoint_wrapped_module.weight, also in the middle

#include <string>
#include <vector>

#include "../autograd/tensor/tensor_dict.h"

namespace tarsier::nn {

/// The names of a state without the parts that wrappers add. "module." is removed only if all names
/// begin with it, because a model may have a part of that name.
std::vector<std::string> unwrapped(std::vector<std::string> names);

/// The same tensors under these names, for a model without wrappers:
///   model.load_state_dict(nn::unwrapped(load_safetensors("compiled.safetensors")));
/// Throws Error("tensor_dict") if two would have the same name.
TensorDict unwrapped(const TensorDict& state);

/// For an error message: which wrapper the names are from, and what to do; "" for no wrapper.
std::string wrapper_hint(const TensorDict& state);

}  // namespace tarsier::nn
