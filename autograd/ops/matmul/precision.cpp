#include "autograd/ops/matmul/precision.h"

#include <atomic>

namespace tarsier {
namespace {

constexpr MatmulPrecision kPrecisions[] = {MatmulPrecision::medium, MatmulPrecision::high,
                                           MatmulPrecision::highest};

std::atomic<MatmulPrecision> current = MatmulPrecision::highest;

}  // namespace

void set_matmul_precision(MatmulPrecision precision) { current = precision; }

MatmulPrecision matmul_precision() { return current; }

const char* name_of(MatmulPrecision precision) {
  switch (precision) {
    case MatmulPrecision::medium:
      return "medium";
    case MatmulPrecision::high:
      return "high";
    case MatmulPrecision::highest:
      return "highest";
  }
  return "?";
}

std::optional<MatmulPrecision> matmul_precision_named(std::string_view name) {
  for (MatmulPrecision precision : kPrecisions)
    if (name_of(precision) == name) return precision;
  return {};
}

}  // namespace tarsier
