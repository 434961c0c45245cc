#include "zoo/task/place_names.h"

#include "autograd/base/error.h"

namespace tarsier::zoo {

std::vector<std::string> place_names(int64_t rows, int64_t columns) {
  std::vector<std::string> names;
  for (int64_t i = 0; i < rows * columns; ++i)
    names.push_back(concat(i / columns + 1, ", ", i % columns + 1));
  return names;
}

}  // namespace tarsier::zoo
