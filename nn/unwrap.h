#pragma once
// Names of weights as PyTorch's wrappers leave them, and without.
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

/// The names of a state without what wrappers put into them. "module." goes only where all names
/// begin with it: a model may have a part that is called so.
std::vector<std::string> unwrapped(std::vector<std::string> names);

/// The same tensors under these names: what a model that is not wrapped loads.
///   model.load_state_dict(nn::unwrapped(load_safetensors("compiled.safetensors")));
/// Throws Error("tensor_dict") where two would have one name.
TensorDict unwrapped(const TensorDict& state);

/// For an error message: which wrapper the names are from, and what to do; "" where from none.
std::string wrapper_hint(const TensorDict& state);

}  // namespace tarsier::nn
