#pragma once
// Recording an expression for the study page:
//
//   study::Recorder recorder;
//   recorder.name("x", x);
//   recorder.watch(model);
//   Tensor loss = mse_loss(model(x), y);
//   loss.backward();
//   recorder.write("page.html");

#include <functional>
#include <memory>
#include <string>

#include "../../autograd/tensor/tensor.h"
#include "../../nn/module.h"
#include "recording.h"

namespace tarsier::study {

struct RecorderOptions {
  /// Run the reference forms of fused ops (attention, layer norm, …) on the same numbers, so that
  /// their inside is shown.
  bool inside = true;
};

/// Records what this thread computes while it lives: every op that leads to a gradient, its values,
/// what it saved, and what backward() sent where. It keeps copies, so later changes in place do not
/// matter. Computation and gradients have the same bits as without it.
///
/// After several walks the numbers are those of the last one that computed gradients for results
/// of this recorder.
class Recorder {
 public:
  explicit Recorder(RecorderOptions options = {});
  ~Recorder();
  Recorder(const Recorder&) = delete;
  Recorder& operator=(const Recorder&) = delete;

  /// Calls a tensor that no op made by `name` on the page: an input, a target, a weight.
  /// Throws Error("study") if `x` is undefined.
  void name(const std::string& name, const Tensor& x);
  /// Names all parameters and buffers of a module.
  void watch(const nn::Module& module);

  /// A function that computes the loss again, in f64: the gradients are then checked against
  /// differences. add_proof() says what it must fulfil.
  void prove(std::function<Tensor()> loss);

  /// Ends the recording (the destructor does as well): later ops are not recorded.
  void stop();

  /// What was recorded; the loss is the tensor whose backward() ran last.
  /// Throws Error("study") if nothing was recorded, because nothing requires a gradient, and if
  /// backward() has not run.
  Recording recording();

  /// Writes the page, one file that needs nothing else. Throws Error("study") as recording(), and
  /// Error("file") if it cannot be written; a file that was there before is then unchanged.
  void write(const std::string& path);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tarsier::study
