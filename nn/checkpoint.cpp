#include "nn/checkpoint.h"

namespace tarsier::nn::detail {

UnchangedBuffers::UnchangedBuffers(const Module& module) : state_(module.state_dict()) {
  for (const auto& [name, tensor] : state_) versions_.push_back(tensor.version());
}

void UnchangedBuffers::check_now() const {
  auto before = versions_.begin();
  for (const auto& [name, tensor] : state_)
    check(tensor.version() == *before++, "checkpoint", "the forward of the module changes '", name,
          "', and would change it again in backward: call it without checkpoint(), or in eval()");
}

}  // namespace tarsier::nn::detail
