#include "optim/ema.h"

#include <algorithm>

#include "autograd/ops.h"

namespace tarsier::optim {

namespace {
constexpr const char* kUpdates = "ema.updates";
}  // namespace

ExponentialMovingAverage::ExponentialMovingAverage(const TensorDict& parameters, double decay)
    : decay_(decay) {
  check(decay >= 0 && decay < 1, "ema", "decay ", decay, " must be in [0, 1)");
  for (const auto& [name, parameter] : parameters) {
    parameters_.add(name, parameter);
    if (parameter.impl()->modules > 0) of_modules_.push_back(name);
    averages_.add(name, clone(parameter.detach()));
  }
}

void ExponentialMovingAverage::update() {
  const NoGrad no_grad;
  for (const std::string& name : of_modules_)
    check(
        parameters_[name].impl()->modules > 0, "ema", "'", name,
        "' is no longer a parameter of a module: another tensor was assigned in its place, or the ",
        "module is gone. Make a new average, or copy_() values instead of assigning");
  const auto t = static_cast<double>(updates_++);
  const double decay = std::min(decay_, (1 + t) / (10 + t));
  for (const auto& [name, average] : averages_) {
    copy_(average, lerp(average, parameters_[name], 1 - decay));
  }
}

void ExponentialMovingAverage::swap() {
  const NoGrad no_grad;
  for (const auto& [name, average] : averages_) {
    const Tensor kept = clone(average);
    copy_(average, parameters_[name]);
    copy_(parameters_[name], kept);
  }
}

TensorDict ExponentialMovingAverage::state_dict() const {
  TensorDict state = averages_;
  Tensor updates = zeros({}, i64);
  *updates.data<int64_t>() = updates_;
  state.add(kUpdates, updates);
  return state;
}

void ExponentialMovingAverage::load_state_dict(const TensorDict& state) {
  for (const auto& [name, average] : averages_) {
    const Tensor* saved = state.find(name);
    check(saved != nullptr, "ema", "the state has no average of '", name, "'");
    check(saved->shape() == average.shape(), "ema", "the average of '", name, "' has shape ",
          saved->shape(), ", but the parameter has ", average.shape());
  }
  const Tensor* updates = state.find(kUpdates);
  check(updates != nullptr && updates->dtype() == i64 && updates->numel() == 1, "ema",
        "the state does not say how many updates there were (", kUpdates, ")");
  const NoGrad no_grad;
  for (const auto& [name, average] : averages_) copy_(average, state[name]);
  updates_ = updates->item<int64_t>();
}

}  // namespace tarsier::optim
