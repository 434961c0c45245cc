// Is every gradient right? Held against differences, in f64, with random upstream gradients.
#include <doctest/doctest.h>

#include "autograd/gradcheck.h"
#include "tests/ops/compare.h"
#include "tests/ops/tolerance.h"

namespace tarsier::test {
namespace {

TEST_CASE("ops: gradients of first and second order agree with differences") {
  for_each_op([](const Op& op) -> std::string {
    if (!op.differentiable) return "";
    for (const Tensors& sample : op.samples)
      gradcheck(op.call, leaves(op, sample), {.eps = op.step, .second_order = true});
    return "";
  });
}

TEST_CASE("ops: the gradient of an input does not depend on who else asks for one") {
  for_each_op([](const Op& op) -> std::string {
    if (!op.differentiable) return "";
    for (const Tensors& sample : op.samples) {
      const Outcome all = run(op.call, leaves(op, sample));
      for (size_t i = 0; i < sample.size(); ++i) {
        if (!is_floating(sample[i].dtype()) || !all.dx[i].defined()) continue;
        Tensors inputs;
        for (const Tensor& x : sample) inputs.push_back(copy_as(x));
        inputs[i].requires_grad_();
        const Outcome one = run(op.call, inputs);
        if (one.dx.empty()) return concat("not recorded where only input ", i, " asks");
        const std::string text = difference(one.dx[i], all.dx[i], f64, kOpSteps);
        if (!text.empty()) return concat("where only input ", i, " asks: ", text);
      }
    }
    return "";
  });
}

TEST_CASE("ops: results record who made them and from which line, or nothing at all") {
  for_each_op([](const Op& op) -> std::string {
    for (const Tensors& sample : op.samples) {
      const Tensor y = op.call(leaves(op, sample));
      if (y.requires_grad() != op.differentiable)
        return op.differentiable ? "not recorded"
                                 : "recorded, but registered as not differentiable";
      if (!op.differentiable) continue;
      if (op.node == "*") continue;  // made of other ops, or its own input
      if (y.grad_fn() != op.node)
        return concat("recorded as '", y.grad_fn(), "' instead of '", op.node, "'");
      const std::string file = y.impl()->node->at.file_name();
      if (file.find("tests/ops/") == std::string::npos)
        return "recorded as called from " + file + ", which is not where it was called";
    }
    return "";
  });
}

TEST_CASE("ops: neither forward nor backward changes an input") {
  for_each_op([](const Op& op) -> std::string {
    for (const Tensors& sample : op.samples) {
      const Tensors inputs = leaves(op, sample);
      std::vector<int64_t> versions;
      for (const Tensor& x : inputs) versions.push_back(x.version());
      run(op.call, inputs);
      for (size_t i = 0; i < inputs.size(); ++i) {
        if (inputs[i].version() != versions[i]) return concat("input ", i, " has a new version");
        const std::string text = bit_difference(inputs[i], sample[i]);
        if (!text.empty()) return concat("input ", i, ": ", text);
      }
    }
    return "";
  });
}

}  // namespace
}  // namespace tarsier::test
