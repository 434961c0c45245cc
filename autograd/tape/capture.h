#pragma once
// A step that is recorded once and replayed: its arithmetic alone, without tensors, shapes, nodes.

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "../base/random.h"
#include "../tensor/tensor.h"

namespace tarsier {

namespace detail {
class Capture;
}

/// What capture() returns: call it to run the step again.
class CapturedStep {
 public:
  /// The computations of the step, in order, on the same memory with the numbers that are in it
  /// now. Throws what they throw (an index out of range), named with the line that called the op.
  /// Throws Error("capture") if another thread is running the same step, if memory that the step
  /// adds to was replaced (the gradient of a parameter), and if it depends on numbers that decide
  /// more than numbers: how many targets of cross_entropy count.
  void operator()() const;
  /// The names of the ops that compute, in order: "linear", "copy", "adamw", …
  std::vector<std::string> ops() const;

 private:
  friend CapturedStep capture(const std::function<void()>& step, SourceLine at);
  std::shared_ptr<detail::Capture> capture_;
};

/// Runs `step` once, as it is, and keeps what its ops compute. Calling the result computes the next
/// step: to the same bits as calling `step` again, but without its overhead, which is most of the
/// time of a small model.
///
///   const Tensor x = zeros({B, T}, i64), y = zeros({B, T}, i64);     // filled with every batch
///   Tensor loss;
///   const CapturedStep step = capture([&] {
///     optimizer.zero_grad();
///     loss = model.loss(x, y);
///     loss.backward();
///     optimizer.step();
///   });
///   …  copy_(x, batch.x); copy_(y, batch.y); step(); print(loss.item());
///
/// What is the same in every step is done only once: the C++ code of the step itself, shapes,
/// checks of shapes, options of layers (train or eval, the probability of a dropout). What may
/// change is read when it is needed: elements, the state of generators, the learning rate and the
/// step count of an optimiser. All tensors of the step keep their memory as long as the captured
/// step lives, so that they can be read after every call: the loss, the gradients. Generators and
/// optimisers must live as long.
///
/// Throws Error("capture") where that is not possible, with the name of the op: the step reads
/// numbers (item(), to_vector()), its result depends on values beyond their arithmetic
/// (masked_select), it makes numbers in a way that is not captured (rand, from_vector), it adds to
/// gradients that were undefined before (zero_grad() belongs into the step), it records gradients
/// of gradients, or it captures another step.
CapturedStep capture(const std::function<void()>& step, SourceLine at = SourceLine::current());

namespace detail {

/// generator.next(), of which every replay of a captured step takes a new one.
RandomKey draw(Generator& generator);
/// In a computation: the key to use for `key`, which draw() returned. In a replay it is the new one.
RandomKey current_key(RandomKey key);

/// For the tape, while a step is captured: the gradient of a leaf was cleared; or one arrived, which
/// becomes its gradient or is added to it.
void note_cleared(const std::shared_ptr<TensorImpl>& leaf);
void note_gradient(const std::shared_ptr<TensorImpl>& leaf);

}  // namespace detail
}  // namespace tarsier
