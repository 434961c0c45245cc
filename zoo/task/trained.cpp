#include "zoo/task/trained.h"

namespace tarsier::zoo {

std::unique_ptr<Task> configured_task(const ModelEntry& entry, const RunConfig& config) {
  std::unique_ptr<Task> task = entry.make();
  Settings settings = task->settings();
  config.apply_to(settings);
  task->restore_data(config.data);
  return task;
}

std::unique_ptr<Task> trained_task(const ModelEntry& entry, const RunFolder& folder,
                                   const RunConfig& config) {
  std::unique_ptr<Task> task = configured_task(entry, config);
  task->build(config.seed);
  const bool int8 = folder.holds_int8();
  const TensorDict weights = int8 ? TensorDict() : folder.load_weights();
  try {
    if (int8)
      folder.load_int8(task->model());
    else
      task->model().load_state_dict(weights);
  } catch (const Error& error) {
    fail("run", folder.path(),
         ": model.safetensors and config.json do not belong together: ", error.what());
  }
  task->model().eval();
  return task;
}

}  // namespace tarsier::zoo
