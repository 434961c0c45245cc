#pragma once
// What a Module stores about one of its parameters or buffers.

#include <atomic>
#include <memory>
#include <string>
#include <utility>

#include "../autograd/tensor/tensor.h"

namespace tarsier::nn::detail {

struct Entry {
  Entry(std::string name_arg, Tensor* tensor_arg, bool is_parameter_arg, bool persistent_arg)
      : name(std::move(name_arg)),
        tensor(tensor_arg),
        is_parameter(is_parameter_arg),
        persistent(persistent_arg) {}
  std::string name;
  Tensor* tensor;  ///< the module's member
  bool is_parameter;
  bool persistent;
  // The parameter that counts this module among its `modules`: the one in *tensor, unless another
  // was assigned since. Stored twice, because threads compare the first without a lock.
  std::atomic<const TensorImpl*> known = nullptr;
  std::shared_ptr<TensorImpl> counted = {};
};

}  // namespace tarsier::nn::detail
