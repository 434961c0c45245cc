#include "optim/optimizer.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "autograd/base/parallel.h"
#include "autograd/ops.h"
#include "autograd/tensor/compute.h"

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

void Optimizer::check_betas(const std::pair<double, double>& betas) const {
  check_option("betas.first", betas.first, 0, 1);
  check_option("betas.second", betas.second, 0, 1);
}

void Optimizer::check_lr(double lr) const { check_option("lr", lr); }

void Optimizer::add_group(const TensorDict& parameters, double lr) {
  check_lr(lr);
  std::vector<Slot> slots = slots_;  // this has them all or, after an error, none
  for (const auto& [name, parameter] : parameters) {
    for (const Slot& slot : slots) {
      check(slot.parameter.impl() != parameter.impl(), tag_, "'", name, "' is the same tensor as '",
            slot.name, "': give every parameter once (named_parameters() does)");
      check(slot.name != name, tag_, "two parameters have the name '", name,
            "': give those of each model names of their own, as prefixed(\"encoder.\", ",
            "encoder.named_parameters()) does");
    }
    check(is_floating(parameter.dtype()) && parameter.is_leaf(), tag_, "'", name,
          "' is not a parameter: it must be a floating tensor that is not the result of a recorded "
          "op");
    check(parameter.is_contiguous(), tag_, "'", name,
          "' is not contiguous: train a contiguous(…) copy instead of a view");
    slots.push_back({name, parameter, num_groups(), parameter.impl()->modules > 0, 0, {}});
  }
  slots_ = std::move(slots);
  for (const auto& [name, parameter] : parameters) counted_.add(parameter);
  initial_lrs_.push_back(lr);
  lrs_.push_back(lr);
}

void Optimizer::check_not_empty() const {
  check(!slots_.empty(), tag_, "no parameters to train");
  bool any = false;
  for (const Slot& slot : slots_) any = any || slot.parameter.requires_grad();
  check(any, tag_, "none of the ", slots_.size(), " parameters requires a gradient, not even '",
        slots_[0].name, "': call requires_grad_() on those to train");
}

void Optimizer::Counted::add(const Tensor& parameter) {
  parameters_.push_back(parameter);
  ++parameter.impl()->optimizers;
}

Optimizer::Counted::~Counted() {
  for (const Tensor& parameter : parameters_) --parameter.impl()->optimizers;
}

// -------------------------------------------------------------------------------------------- rate

double Optimizer::lr(int64_t group) const {
  check(group >= 0 && group < num_groups(), tag_, "no group ", group, " among ", num_groups());
  return lrs_[static_cast<size_t>(group)];
}

double Optimizer::initial_lr(int64_t group) const {
  check(group >= 0 && group < num_groups(), tag_, "no group ", group, " among ", num_groups());
  return initial_lrs_[static_cast<size_t>(group)];
}

void Optimizer::set_lr(double lr) {
  check_lr(lr);
  for (const double other : initial_lrs_)
    check(other == initial_lrs_[0], tag_, "set_lr(", lr,
          ") would set one rate for all groups, but ", "their options say ", initial_lrs_[0],
          " and ", other, ": scale_lr(factor) multiplies ",
          "each group's own, with a schedule whose lr is 1; set_lr(group, lr) sets one");
  std::fill(lrs_.begin(), lrs_.end(), lr);
}

void Optimizer::set_lr(int64_t group, double lr) {
  this->lr(group);
  check_lr(lr);
  lrs_[static_cast<size_t>(group)] = lr;
}

void Optimizer::scale_lr(double factor) {
  check_option("the factor of the learning rate", factor);
  for (size_t group = 0; group < lrs_.size(); ++group) lrs_[group] = initial_lrs_[group] * factor;
}

// -------------------------------------------------------------------------------------------- step

void Optimizer::zero_grad() {
  for (const Slot& slot : slots_) slot.parameter.set_grad({});
}

void Optimizer::step() {
  const NoGrad guard;
  for (const Slot& slot : slots_)
    check(!slot.of_module || slot.parameter.impl()->modules > 0, tag_, "'", slot.name,
          "' is no longer a parameter of a module: another ",
          "tensor was assigned in its place, or the module is gone. The new tensor would not ",
          "be trained: make a new optimiser, or copy_() values instead of assigning");
  for (const Slot& slot : slots_)
    for (const Tensor& state : slot.state)
      check(state.dtype() == slot.parameter.dtype(), tag_, "'", slot.name, "' is ",
            slot.parameter.dtype(), " now, and its state ", state.dtype(),
            ": convert a model before making its optimiser");
  std::vector<std::pair<size_t, Tensor>> grads;  // with the places of their slots
  for (size_t i = 0; i < slots_.size(); ++i)
    if (const Tensor grad = slots_[i].parameter.grad(); grad.defined())
      grads.emplace_back(i, contiguous(grad));
  tarsier::detail::compute(tag_, [this, grads = std::move(grads)] {
    std::vector<Change> changes;
    for (const auto& [place, grad] : grads) {
      Slot& slot = slots_[place];
      if (slot.state.empty())
        for (const Memory& m : memory(slot))
          slot.state.push_back(full(m.shape, m.start, slot.parameter.dtype()));
      ++slot.steps;
      slot.parameter.impl()->storage->bump_version(tag_);
      changes.push_back({&slot, grad});
    }
    update(changes);
  });
}

void ElementwiseOptimizer::update(const std::vector<Change>& changes) const {
  std::vector<int64_t> starts;  // the offset of each parameter in the sequence of all elements
  int64_t total = 0;
  for (const Change& change : changes) {
    begin_step(*change.slot);
    starts.push_back(total);
    total += change.grad.numel();
  }
  // One loop over the elements of all parameters, so that many small ones fill whole chunks.
  parallel_for(total, kGrain, [&](int64_t begin, int64_t end) {
    auto i = static_cast<size_t>(std::upper_bound(starts.begin(), starts.end(), begin) -
                                 starts.begin() - 1);
    for (; i < changes.size() && starts[i] < end; ++i) {
      const auto& [slot, grad] = changes[i];
      const int64_t first = std::max(begin - starts[i], int64_t{0});
      const int64_t last = std::min(end - starts[i], grad.numel());
      if (first < last) update(*slot, grad, first, last);
    }
  });
}

// ------------------------------------------------------------------------------------------- state

TensorDict Optimizer::state_dict() const {
  TensorDict state;
  for (const Slot& slot : slots_) {
    if (slot.steps == 0) continue;
    state.add(slot.name + ".step", from_vector<int64_t>({slot.steps}, {}));
    const std::vector<Memory> memories = memory(slot);
    for (size_t i = 0; i < memories.size(); ++i)
      state.add(slot.name + "." + memories[i].name, slot.state[i]);
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
    std::vector<Memory> wanted = memory(slot);
    wanted.insert(wanted.begin(), {"step", {}});
    std::vector<const Tensor*> found;
    for (const Memory& m : wanted) {
      known.push_back(slot.name + "." + m.name);
      found.push_back(state.find(known.back()));
    }
    if (std::all_of(found.begin(), found.end(), [](auto* tensor) { return !tensor; })) continue;
    for (size_t i = 0; i < wanted.size(); ++i) {
      const auto& [name, shape, start] = wanted[i];
      const DType dtype = i == 0 ? i64 : slot.parameter.dtype();
      if (found[i] == nullptr) {
        problems += concat("\n  ", slot.name, ".", name, " is missing");
      } else if (!(found[i]->shape() == shape) || found[i]->dtype() != dtype) {
        problems += concat("\n  ", slot.name, ".", name, " is ", found[i]->dtype(), " ",
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
