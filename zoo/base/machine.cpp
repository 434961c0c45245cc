#include "zoo/base/machine.h"

#include <unistd.h>

namespace tarsier::zoo {

double machine_memory() {
  return static_cast<double>(sysconf(_SC_PHYS_PAGES)) * static_cast<double>(sysconf(_SC_PAGE_SIZE));
}

}  // namespace tarsier::zoo
