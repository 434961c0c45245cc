// A run's checkpoint and weights.
#include "tests/fuzz/fuzz.h"
#include "zoo/task/run_folder.h"

void tarsier::fuzz::read_input(std::string_view bytes) {
  folder().write("config.json", "{}");
  folder().write("model.safetensors", bytes);
  folder().write("checkpoint/state.safetensors", bytes);
  const zoo::RunFolder run = zoo::RunFolder::open(folder().path());
  try {
    run.load_weights();
  } catch (const Error&) {  // the checkpoint may still be readable
  }
  const zoo::Checkpoint checkpoint = run.load_checkpoint();
  promise(checkpoint.step >= 0, "steps are counted from 0");
  run.save_checkpoint(checkpoint);
  promise(run.load_checkpoint().step == checkpoint.step, "a checkpoint is read as it was written");
}
