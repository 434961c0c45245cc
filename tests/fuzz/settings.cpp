// --set NAME=VALUE: one per line.
#include "zoo/task/settings.h"

#include "tests/fuzz/fuzz.h"
#include "zoo/data/lines.h"

void tarsier::fuzz::read_input(std::string_view bytes) {
  int64_t layers = 4;
  double rate = 1e-3;
  bool tied = true;
  std::string tokens = "characters";
  zoo::Settings settings("gpt");
  settings.add("n_layer", layers, "blocks", 1, 100);
  settings.add("learning_rate", rate, "of the optimiser", 0, 1);
  settings.add("tied", tied, "one matrix");
  settings.add("tokens", tokens, "units that a text is split into", {"words", "characters", "bpe"});
  for (std::string_view line : zoo::split_lines(bytes)) {
    const std::string name(take_part(line, '='));
    settings.set(name, std::string(line));
    promise(layers >= 1 && layers <= 100 && rate >= 0 && rate <= 1, "limits hold");
    const std::string value = settings.get(name);
    settings.set(name, value);
    promise(settings.get(name) == value, "a value is read as it was written");
  }
  settings.describe();
}
