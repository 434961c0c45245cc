#include "nn/layers/dropout.h"

namespace tarsier::nn {

Dropout::Dropout(double p) : p(p) {
  check(p >= 0 && p <= 1, "dropout", "probability ", p, " must be in [0, 1]");
}

std::string Dropout::extra_repr() const { return concat("p=", p); }

}  // namespace tarsier::nn
