#include "zoo/cli/cli.h"

namespace tarsier::zoo {

int run_program(const std::vector<std::string>&) { return 0; }

}  // namespace tarsier::zoo
