#pragma once
// What other programs need to go on with the training of a gpt: the weights, the state of AdamW
// under the numbers that PyTorch gives parameters, and the tokens of the data.

#include <memory>
#include <string>

#include "../../autograd/tensor/tensor_dict.h"
#include "../gpt/model.h"
#include "../task/recipe.h"
#include "../task/run_folder.h"
#include "../task/task.h"
#include "python_value.h"

namespace tarsier::zoo {

/// A run of gpt.
struct GptRun {
  RunConfig config;
  std::unique_ptr<Task> task;  ///< with the weights that are kept, in eval()
  const gpt::Gpt* model;       ///< the task's
  int64_t steps;               ///< of the whole run

  /// Throws Error("export") for a run of another model, and what loading throws.
  explicit GptRun(const RunFolder& run);
  /// The same for a task that is loaded already.
  GptRun(RunConfig config, std::unique_ptr<Task> task);
};

/// The weights as PyTorch's state_dict() has them: with the head, which shares the embedding's memory
/// if it is tied.
TensorDict with_head(const TensorDict& weights, bool tied);

/// What torch.optim.AdamW.state_dict() is after these steps: the parameters of two or more
/// dimensions are the first group, with weight decay, all others the second; each in the order of
/// `parameters`. `state` is that of a checkpoint, `lr` the rate of the next step.
/// Throws Error("export") that names a parameter which another optimiser trains.
PythonValue adamw_state(const TensorDict& parameters, const TensorDict& state, const Recipe& recipe,
                        double lr);

/// Writes train.bin and val.bin into `folder`: the tokens of the run's data, u16 each, as nanoGPT
/// has them. Returns a remark for the user if it cannot: the data are gone or changed, or the
/// vocabulary is larger than 65,536; "" otherwise.
std::string write_token_files(const RunConfig& config, const std::string& folder);

}  // namespace tarsier::zoo
