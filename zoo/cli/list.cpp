#include <iostream>

#include "zoo/cli/commands.h"
#include "zoo/models.h"

namespace tarsier::zoo {

namespace {

int run(const Arguments&, const std::string& program) {
  for (const ModelEntry& entry : models()) {
    std::cout << entry.name << "\n"
              << "  learns   " << entry.learns << "\n"
              << "  reaches  " << entry.reaches << "\n"
              << "  takes    " << entry.takes << "\n\n";
  }
  std::cout << "Train one with:  " << program << " train " << models().front().name << "\n";
  return 0;
}

}  // namespace

Command list_command() {
  CommandSpec spec;
  spec.name = "list";
  spec.summary = "what is in the zoo: what each learns, how well, and in what time";
  return {spec, run};
}

}  // namespace tarsier::zoo
