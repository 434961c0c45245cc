#include "nn/layers/ctc.h"

namespace tarsier::nn {

CTCLoss::CTCLoss(int64_t blank, Reduction reduction, bool zero_infinity)
    : blank(blank), reduction(reduction), zero_infinity(zero_infinity) {}

}  // namespace tarsier::nn
