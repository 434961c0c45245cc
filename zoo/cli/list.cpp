#include <iostream>

#include "zoo/cli/commands.h"
#include "zoo/task/models.h"

namespace tarsier::zoo {

namespace {

int list_models(const Arguments&, const std::string& program) {
  for (const ModelEntry& entry : models()) {
    std::cout << entry.name << "\n"
              << "  learns   " << wrapped(entry.learns, 11) << "  data     "
              << wrapped(entry.data, 11) << "  reaches  " << wrapped(entry.reaches, 11)
              << "  takes    " << wrapped(entry.takes, 11) << "\n";
  }
  std::cout << "Train one with:  " << program << " train " << models().front().name << "\n";
  return 0;
}

}  // namespace

Command list_command() {
  CommandSpec spec;
  spec.name = "list";
  spec.summary =
      "list the models: what each learns, from which data, how well, and how long it takes";
  return {spec, list_models};
}

}  // namespace tarsier::zoo
