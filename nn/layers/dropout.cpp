#include "nn/layers/dropout.h"

namespace tarsier::nn {

namespace {

void check_probability(const char* op, double p) {
  check(p >= 0 && p <= 1, op, "probability ", p, " must be in [0, 1]");
}

/// x times one number per channel, 0 or 1 / (1 − p). The last `spatial` dimensions of x are those
/// of a channel.
Tensor drop_channels(const Arg& x, double p, int spatial) {
  Shape channels = x.shape();
  for (int d = 1; d <= spatial; ++d) channels[x.dim() - d] = 1;
  const CallScope here(x.at);
  return x * dropout(ones(channels, x.dtype()), p);
}

}  // namespace

Dropout::Dropout(double p) : p(p) { check_probability("dropout", p); }

std::string Dropout::extra_repr() const { return concat("p=", p); }

Dropout1d::Dropout1d(double p) : p(p) { check_probability("dropout1d", p); }

Tensor Dropout1d::forward(const Arg& x) {
  check(is_floating(x.dtype()) && (x.dim() == 2 || x.dim() == 3), "dropout1d", "x of ", x.dtype(),
        " and shape ", x.shape(), ": expected floating (N, C, L) or (C, L)");
  return is_training() && p > 0 ? drop_channels(x, p, 1) : Tensor(x);
}

std::string Dropout1d::extra_repr() const { return concat("p=", p); }

Dropout2d::Dropout2d(double p) : p(p) { check_probability("dropout2d", p); }

Tensor Dropout2d::forward(const Arg& x) {
  check(is_floating(x.dtype()) && x.dim() == 4, "dropout2d", "x of ", x.dtype(), " and shape ",
        x.shape(), ": expected floating (N, C, H, W); Dropout1d is for (N, C, L), and ",
        "unsqueeze(x, 0) makes a batch of one image");
  return is_training() && p > 0 ? drop_channels(x, p, 2) : Tensor(x);
}

std::string Dropout2d::extra_repr() const { return concat("p=", p); }

}  // namespace tarsier::nn
