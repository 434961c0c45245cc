#include "nn/layers/adaptive_computation.h"

#include "nn/init.h"

namespace tarsier::nn {

namespace {

constexpr const char* kName = "adaptive_computation";

int64_t checked_width(int64_t embed_dim, int64_t max_steps,
                      const AdaptiveComputationOptions& options) {
  check(embed_dim > 0 && max_steps > 0, kName, "embed_dim ", embed_dim, " and max_steps ",
        max_steps, " must be positive");
  check(options.epsilon >= 0 && options.epsilon < 1, kName, "epsilon ", options.epsilon,
        " must be at least 0 and below 1: positions halt at the sum 1 - epsilon");
  return embed_dim;
}

}  // namespace

AdaptiveComputation::AdaptiveComputation(int64_t embed_dim, int64_t max_steps,
                                         const AdaptiveComputationOptions& options)
    : halt(checked_width(embed_dim, max_steps, options), 1),
      max_steps(max_steps),
      options(options) {
  register_module("halt", halt);
  constant_(halt.bias, options.bias);
}

ComputationResult AdaptiveComputation::forward(const Arg& x, const Step& step) {
  Tensor state = x;
  Tensor running = full(select(state, -1, 0).shape(), 1, boolean);  // (…)
  Tensor sum = zeros(running.shape(), state.dtype()), steps = sum, ponder = sum;
  Tensor output = zeros(state.shape(), state.dtype());
  for (int64_t n = 0; n < max_steps && any(running).item<bool>(); ++n) {
    const Tensor next = step(state, n);
    check(next.shape() == state.shape(), kName, "step ", n, " makes ", next.shape(), " of ",
          state.shape(), ": expected the same shape");
    const Tensor h = squeeze(sigmoid(halt(next)), -1);
    const bool last = n + 1 == max_steps;
    const Tensor full_sum = last ? running : (sum + h).detach() >= 1 - options.epsilon;
    const Tensor ends = where(running, full_sum, running), goes_on = where(ends, !running, running);
    const Tensor remainder = where(ends, 1 - sum, 0.0), share = where(goes_on, h, 0.0);
    output = output + unsqueeze(remainder + share, -1) * next;
    steps = steps + tarsier::to(running, state.dtype());
    ponder = ponder + remainder;
    sum = sum + share;
    state = where(unsqueeze(running, -1), next, state);
    running = goes_on;
  }
  return {output, steps + ponder, steps};
}

std::string AdaptiveComputation::extra_repr() const {
  return concat("max_steps=", max_steps, ", epsilon=", options.epsilon);
}

}  // namespace tarsier::nn
