#include "optim/optimizer.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "autograd/ops.h"
#include "autograd/parallel.h"

namespace tarsier::optim {
namespace {

/// Elements of a parallel chunk: some 5 µs of work.
constexpr int64_t kGrain = 16384;

}  // namespace

// ----------------------------------------------------------------------------------------- options

void Optimizer::check_option(const char* name, double value, double low, double high) const {
  // NaN fails both comparisons.
  check(value >= low && value < high, tag_, name, " is ", value, ": it must be ", low,
        " or more, and less than ", high);
}

void Optimizer::check_lr(double lr) const {
  check_option("lr", lr, 0, std::numeric_limits<double>::infinity());
}

void Optimizer::add_group(const TensorDict& parameters, double lr) {
  check_lr(lr);
  const int64_t group = num_groups();
  for (const auto& [name, parameter] : parameters) {
    for (const Slot& slot : slots_) {
      check(slot.parameter.impl() != parameter.impl(), tag_, "'", name, "' is the same tensor as '",
            slot.name, "': give every parameter once (named_parameters() does)");
      check(slot.name != name, tag_, "two parameters have the name '", name, "'");
    }
    check(is_floating(parameter.dtype()) && parameter.is_leaf(), tag_, "'", name,
          "' is not a parameter: it must be a floating tensor that no recorded op made");
    check(parameter.is_contiguous(), tag_, "'", name,
          "' is not contiguous: train a contiguous(…) copy instead of a view");
    slots_.push_back({name, parameter, group, 0, {}});
  }
  lrs_.push_back(lr);
}

void Optimizer::check_not_empty() const { check(!slots_.empty(), tag_, "no parameters to train"); }

double Optimizer::lr(int64_t group) const {
  check(group >= 0 && group < num_groups(), tag_, "no group ", group, " among ", num_groups());
  return lrs_[static_cast<size_t>(group)];
}

void Optimizer::set_lr(double lr) {
  check_lr(lr);
  std::fill(lrs_.begin(), lrs_.end(), lr);
}

void Optimizer::set_lr(int64_t group, double lr) {
  this->lr(group);
  check_lr(lr);
  lrs_[static_cast<size_t>(group)] = lr;
}

// -------------------------------------------------------------------------------------------- step

void Optimizer::zero_grad() {
  for (const Slot& slot : slots_) slot.parameter.set_grad({});
}

void Optimizer::step() {
  const NoGrad guard;
  struct Work {
    const Slot* slot;
    Tensor grad;
    int64_t begin;  // of this parameter in the row of all elements
  };
  std::vector<Work> work;
  int64_t total = 0;
  for (const Slot& slot : slots_)
    for (const Tensor& state : slot.state)
      check(state.dtype() == slot.parameter.dtype(), tag_, "'", slot.name, "' is ",
            slot.parameter.dtype(), " now, and its state ", state.dtype(),
            ": convert a model before making its optimiser");
  for (Slot& slot : slots_) {
    const Tensor grad = slot.parameter.grad();
    if (!grad.defined()) continue;
    if (slot.state.empty())
      for (size_t i = 0; i < state_names(slot.group).size(); ++i)
        slot.state.push_back(zeros_like(slot.parameter));
    ++slot.steps;
    slot.parameter.impl()->storage->bump_version(tag_);
    work.push_back({&slot, contiguous(grad), total});
    total += slot.parameter.numel();
  }

  // One loop over the elements of all parameters: many small ones make as good chunks as a big one.
  parallel_for(total, kGrain, [&](int64_t begin, int64_t end) {
    auto it = std::upper_bound(work.begin(), work.end(), begin,
                               [](int64_t at, const Work& w) { return at < w.begin; });
    for (--it; it != work.end() && it->begin < end; ++it) {
      const int64_t first = std::max(begin - it->begin, int64_t{0});
      const int64_t last = std::min(end - it->begin, it->slot->parameter.numel());
      if (first < last) update(*it->slot, it->grad, first, last);
    }
  });
}

// ------------------------------------------------------------------------------------------- state

TensorDict Optimizer::state_dict() const {
  TensorDict state;
  for (const Slot& slot : slots_) {
    if (slot.steps == 0) continue;
    state.add(slot.name + ".step", from_vector<int64_t>({slot.steps}, {}));
    const std::vector<std::string> names = state_names(slot.group);
    for (size_t i = 0; i < names.size(); ++i) state.add(slot.name + "." + names[i], slot.state[i]);
  }
  return state;
}

void Optimizer::load_state_dict(const TensorDict& state) {
  std::vector<Slot> loaded = slots_;
  size_t used = 0;
  std::string problems;
  std::vector<std::string> known;
  for (Slot& slot : loaded) {
    slot.steps = 0;
    slot.state.clear();
    std::vector<std::string> names = state_names(slot.group);
    names.insert(names.begin(), "step");
    std::vector<const Tensor*> found;
    for (const std::string& name : names) {
      known.push_back(slot.name + "." + name);
      found.push_back(state.find(known.back()));
    }
    if (std::all_of(found.begin(), found.end(), [](auto* tensor) { return !tensor; })) continue;
    for (size_t i = 0; i < names.size(); ++i) {
      const Shape shape = i == 0 ? Shape{} : slot.parameter.shape();
      const DType dtype = i == 0 ? i64 : slot.parameter.dtype();
      if (found[i] == nullptr) {
        problems += concat("\n  ", slot.name, ".", names[i], " is missing");
      } else if (!(found[i]->shape() == shape) || found[i]->dtype() != dtype) {
        problems += concat("\n  ", slot.name, ".", names[i], " is ", found[i]->dtype(), " ",
                           found[i]->shape(), " where ", dtype, " ", shape, " belongs");
      } else if (i == 0) {
        slot.steps = found[i]->item<int64_t>();
        if (slot.steps < 1)
          problems += concat("\n  ", slot.name, ".step is ", slot.steps, ": it must be positive");
      } else {
        slot.state.push_back(clone(found[i]->detach()));
      }
      used += found[i] != nullptr;
    }
  }
  if (used != state.size()) {
    std::sort(known.begin(), known.end());
    for (const auto& [name, tensor] : state)
      if (!std::binary_search(known.begin(), known.end(), name))
        problems += concat("\n  ", name, " does not belong here");
  }
  check(problems.empty(), tag_, "this state does not fit the optimiser:", problems);
  slots_ = std::move(loaded);
}

}  // namespace tarsier::optim
