#include "zoo/cli/threads.h"

#include "autograd/base/parallel.h"

namespace tarsier::zoo {

OptionSpec threads_option() {
  return {"threads", "N", "default: all processors. Results do not depend on it"};
}

void set_threads(const Arguments& arguments) {
  if (const auto threads = arguments.integer("threads", 1, 1024))
    set_num_threads(static_cast<int>(*threads));
}

}  // namespace tarsier::zoo
