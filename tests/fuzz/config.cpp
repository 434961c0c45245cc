// A run's config.json, and how its settings reach a recipe.
#include "tests/fuzz/fuzz.h"
#include "zoo/task/run_folder.h"

void tarsier::fuzz::read_input(std::string_view bytes) {
  folder().write("config.json", bytes);
  const zoo::RunFolder run = zoo::RunFolder::open(folder().path());
  const zoo::RunConfig config = run.read_config();
  int64_t layers = 4;
  double rate = 1e-3;
  bool tied = true;
  std::string tokens = "characters", vocab;
  zoo::Settings settings("gpt");
  settings.add("n_layer", layers, "blocks");
  settings.add("learning_rate", rate, "of the optimiser", 0, 1);
  settings.add("tied", tied, "one matrix");
  settings.add("tokens", tokens, "units that a text is split into", {"words", "characters", "bpe"});
  settings.add("vocab", vocab, "a folder", {});
  config.apply_to(settings);
  promise(layers >= 1 && layers <= INT32_MAX && rate >= 0 && rate <= 1, "limits hold");
  zoo::RunConfig again = config;
  again.keep(settings);
  run.write_config(again);
  promise(run.read_config().settings == again.settings, "a config is read as it was written");
}
