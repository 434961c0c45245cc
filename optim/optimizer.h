#pragma once
// What all optimisers have: groups of named parameters, and state by parameter name.

#include <cstdint>
#include <string>
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

/// Changes parameters by their gradients. Once per training step:
///   optimizer.zero_grad();  loss.backward();  optimizer.step();
/// Parameters whose grad() is undefined are left alone. Updates are in place, parallel and not
/// recorded; the result does not depend on the number of threads.
class Optimizer {
 public:
  virtual ~Optimizer() = default;
  Optimizer(const Optimizer&) = delete;
  Optimizer& operator=(const Optimizer&) = delete;

  /// Drops the gradients of all parameters (grad() is undefined afterwards).
  void zero_grad();
  /// Changes every parameter that has a gradient.
  /// Throws Error(tag) where a parameter was converted to another dtype since the last step, and
  /// where it was a module's when the optimiser was made, and another tensor was assigned in its
  /// place since: that one would not be trained.
  void step();

  /// The learning rate of a group. Starts as its options say; a schedule changes it.
  double lr(int64_t group = 0) const;
  /// The one that its options say.
  double initial_lr(int64_t group = 0) const;
  /// Sets the learning rate of all groups:
  ///   optimizer.set_lr(schedule(step));
  /// Throws Error(tag) unless it is finite and not negative, and where the groups' options have
  /// different rates, which one number for all would wipe out: there use scale_lr().
  void set_lr(double lr);
  /// Sets that of one group.
  void set_lr(int64_t group, double lr);
  /// Sets the learning rate of each group to its initial_lr times `factor`, as schedules whose lr
  /// is 1 give it:
  ///   const Schedule factor = optim::linear_lr(1, 0.1, 1, 20);
  ///   optimizer.scale_lr(factor(step));
  /// Throws Error(tag) unless it is finite and not negative.
  void scale_lr(double factor);
  int64_t num_groups() const { return static_cast<int64_t>(lrs_.size()); }

  /// What the optimiser remembers, by parameter: "fc.weight.step" (i64, a scalar) and
  /// "fc.weight.exp_avg", … (most shaped as the parameter). Shares memory with the optimiser.
  /// Options are not part of it: they come from who builds the optimiser.
  TensorDict state_dict() const;
  /// Takes over a copy of such a state. A parameter of which `state` has nothing starts afresh.
  /// Throws Error(tag) that lists all names that do not belong, are missing beside others of the
  /// same parameter, or have the wrong shape or dtype; nothing is changed then.
  void load_state_dict(const TensorDict& state);

 protected:
  /// A parameter, and what is remembered of it.
  struct Slot {
    std::string name;
    Tensor parameter;
    int64_t group;
    bool of_module;             // it was a module's parameter when the optimiser was made
    int64_t steps = 0;          // how often it was changed
    std::vector<Tensor> state;  // one for each of memory(*this); none before the first step
  };
  /// A tensor to remember for a parameter; all its elements are `start` before the first step.
  struct Memory {
    std::string name;
    Shape shape;
    double start = 0;
  };
  /// A parameter that has a gradient, and that gradient, contiguous.
  struct Change {
    const Slot* slot;
    Tensor grad;
  };

  /// `tag` is the name in errors. Throws Error(tag) for no parameters at all, or none that asks for
  /// a gradient; for one that is given twice or not a contiguous floating leaf; and for a learning
  /// rate below 0.
  template <class Options>
  Optimizer(const char* tag, const std::vector<ParameterGroup<Options>>& groups) : tag_(tag) {
    for (const ParameterGroup<Options>& group : groups)
      add_group(group.parameters, group.options.lr);
    check_not_empty();
  }

  /// Throws Error(tag) that names the option unless low ≤ value < high.
  void check_option(const char* name, double value, double low, double high) const;

  /// What to remember of a parameter.
  virtual std::vector<Memory> memory(const Slot& slot) const = 0;
  /// Changes parameters and what is remembered of them, with recording off. slot->steps counts this
  /// step already.
  virtual void update(const std::vector<Change>& changes) const = 0;

  const char* tag() const { return tag_; }
  const std::vector<Slot>& slots() const { return slots_; }

 private:
  void add_group(const TensorDict& parameters, double lr);
  void check_not_empty() const;
  void check_lr(double lr) const;

  /// Counts this optimiser among those of its parameters, while it lives.
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

/// An optimiser that treats every element by itself: one parallel loop over the elements of all
/// parameters.
class ElementwiseOptimizer : public Optimizer {
 protected:
  using Optimizer::Optimizer;
  void update(const std::vector<Change>& changes) const final;
  /// Changes elements begin … end − 1 of one parameter; `grad` is the whole gradient. Called on
  /// several threads at once, for disjoint pieces.
  virtual void update(const Slot& slot, const Tensor& grad, int64_t begin, int64_t end) const = 0;
};

}  // namespace tarsier::optim
