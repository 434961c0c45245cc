#pragma once
// The base of all optimisers: groups of named parameters, and state by parameter name.

#include <cstdint>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "../autograd/tensor/tensor.h"
#include "../autograd/tensor/tensor_dict.h"

namespace tarsier::optim {

/// Parameters that are trained with the same options:
///   optim::AdamW opt({{decayed, {.weight_decay = 0.1}}, {others, {.weight_decay = 0}}});
template <class Options>
struct ParameterGroup {
  TensorDict parameters;
  Options options;
};

/// Updates parameters with their gradients. Once per training step:
///   optimizer.zero_grad();  loss.backward();  optimizer.step();
/// Parameters whose grad() is undefined do not change. Updates are in place, parallel and not
/// recorded. The result does not depend on the number of threads.
class Optimizer {
 public:
  virtual ~Optimizer() = default;
  Optimizer(const Optimizer&) = delete;
  Optimizer& operator=(const Optimizer&) = delete;

  /// Drops the gradients of all parameters: grad() is undefined afterwards.
  void zero_grad();
  /// Updates every parameter that has a gradient.
  /// Throws Error(tag) if a parameter was converted to another dtype since the last step; or if it
  /// belonged to a module when the optimiser was made, and the module now has another tensor
  /// instead, which would not be trained.
  void step();

  /// The current learning rate of a group. It starts with that of the options.
  double lr(int64_t group = 0) const;
  /// The learning rate in the group's options.
  double initial_lr(int64_t group = 0) const;
  /// Sets the learning rate of all groups:
  ///   optimizer.set_lr(schedule(step));
  /// Throws Error(tag) unless it is finite and not negative, and if the groups' options have
  /// different rates, which a single rate would overwrite: use scale_lr() then.
  void set_lr(double lr);
  /// Sets the learning rate of one group.
  void set_lr(int64_t group, double lr);
  /// Sets the learning rate of each group to its initial_lr times `factor`, which comes from a
  /// schedule whose lr is 1:
  ///   const Schedule factor = optim::linear_lr(1, 0.1, 1, 20);
  ///   optimizer.scale_lr(factor(step));
  /// Throws Error(tag) unless it is finite and not negative.
  void scale_lr(double factor);
  int64_t num_groups() const { return static_cast<int64_t>(lrs_.size()); }

  /// The state of every parameter: "fc.weight.step" (i64, a scalar) and "fc.weight.exp_avg", …
  /// (mostly with the shape of the parameter). It shares memory with the optimiser. Options are
  /// not part of it: they belong to the code that builds the optimiser.
  TensorDict state_dict() const;
  /// Copies such a state. A parameter without any entry in `state` starts from its initial state.
  /// Throws Error(tag), which lists all names that are unknown, missing (if others of the same
  /// parameter are there), or have the wrong shape or dtype; then nothing changes.
  void load_state_dict(const TensorDict& state);

 protected:
  /// A parameter and its state.
  struct Slot {
    std::string name;
    Tensor parameter;
    int64_t group;
    bool of_module;             // it was a module's parameter when the optimiser was made
    int64_t steps = 0;          // the number of updates
    std::vector<Tensor> state;  // one for each of memory(*this); none before the first step
  };
  /// A tensor of a parameter's state. All its elements are `start` before the first step.
  struct Memory {
    std::string name;
    Shape shape;
    double start = 0;
  };
  /// A parameter that has a gradient, and its gradient, contiguous.
  struct Change {
    const Slot* slot;
    Tensor grad;
  };

  /// `tag` is the name in errors.
  explicit Optimizer(const char* tag) : tag_(tag) {}

  /// Throws Error(tag), and changes nothing, if a parameter is given twice or is not a contiguous
  /// floating leaf, and for a negative learning rate.
  void add_group(const TensorDict& parameters, double lr);
  /// Throws Error(tag) if there are no parameters, or none that requires a gradient.
  void check_not_empty() const;
  /// Throws Error(tag), which names the option, unless low ≤ value < high.
  void check_option(const char* name, double value, double low = 0,
                    double high = std::numeric_limits<double>::infinity()) const;
  /// The same for a pair of β: 0 ≤ β < 1.
  void check_betas(const std::pair<double, double>& betas) const;

  /// The tensors of a parameter's state.
  virtual std::vector<Memory> memory(const Slot& slot) const = 0;
  /// Updates parameters and their state, with recording off. slot->steps includes this step.
  virtual void update(const std::vector<Change>& changes) const = 0;

  const char* tag() const { return tag_; }
  const std::vector<Slot>& slots() const { return slots_; }

 private:
  void check_lr(double lr) const;

  /// While it lives, its parameters know that this optimiser trains them.
  class Counted {
   public:
    Counted() = default;
    ~Counted();
    Counted(const Counted&) = delete;
    Counted& operator=(const Counted&) = delete;
    void add(const Tensor& parameter);

   private:
    std::vector<Tensor> parameters_;
  };

  const char* tag_;
  std::vector<Slot> slots_;
  Counted counted_;
  std::vector<double> initial_lrs_, lrs_;  // by group
};

/// An optimiser with an elementwise update: one parallel loop over the elements of all parameters.
class ElementwiseOptimizer : public Optimizer {
 protected:
  using Optimizer::Optimizer;
  void update(const std::vector<Change>& changes) const final;
  /// Called once in every step of a parameter, before its elements are updated: for state that is
  /// one number for all of them.
  virtual void begin_step(const Slot&) const {}
  /// Updates elements begin … end − 1 of one parameter; `grad` is the whole gradient. Several
  /// threads call it at once, for disjoint ranges.
  virtual void update(const Slot& slot, const Tensor& grad, int64_t begin, int64_t end) const = 0;
};

/// An optimiser whose groups have options of this type. It is an ElementwiseOptimizer, or with
/// `Base` = Optimizer one that updates whole parameters.
template <class Options, class Base = ElementwiseOptimizer>
class OptimizerWith : public Base {
 public:
  /// Trains these parameters as well from now on, as group num_groups() − 1: for layers that were
  /// frozen at first. Their state starts with their first step.
  ///   optimizer.add_param_group({body.named_parameters(), {.lr = 1e-5}});
  /// Throws Error(tag) as the constructor does for its groups; then nothing changes.
  void add_param_group(const ParameterGroup<Options>& group) {
    check_group(group);
    this->add_group(group.parameters, group.options.lr);
    options_.push_back(group.options);
  }
  /// The same with the options of the first group.
  void add_param_group(const TensorDict& parameters) { add_param_group({parameters, options_[0]}); }

 protected:
  using Slot = Optimizer::Slot;
  using Memory = Optimizer::Memory;
  using Change = Optimizer::Change;
  using Base::Base;

  /// For the constructor. Throws Error(tag) as add_param_group(), and as check_not_empty().
  void add_groups(const std::vector<ParameterGroup<Options>>& groups) {
    for (const ParameterGroup<Options>& group : groups) add_param_group(group);
    this->check_not_empty();
  }
  /// Throws Error(tag) for options that make no sense. The learning rate and the parameters are
  /// checked elsewhere.
  virtual void check_group(const ParameterGroup<Options>& group) const = 0;
  /// The options of the group of a parameter.
  const Options& options(const Slot& slot) const {
    return options_[static_cast<size_t>(slot.group)];
  }

 private:
  std::vector<Options> options_;  // by group
};

}  // namespace tarsier::optim
