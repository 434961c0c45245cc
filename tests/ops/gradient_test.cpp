// Is every gradient right? Compared with differences, in f64, with random upstream gradients.
#include <doctest/doctest.h>

#include "autograd/tape/node.h"
#include "tests/ops/compare.h"

namespace tarsier::test {
namespace {

TEST_CASE("ops: gradients of first and second order agree with differences") {
  for_each_op(check_op_gradients);
}

TEST_CASE("ops: the gradient of an input does not depend on which other inputs require one") {
  for_each_op(check_op_single_gradients);
}

TEST_CASE("ops: results record their op and the calling line, or nothing at all") {
  for_each_op([](const Op& op) -> std::string {
    for (const Tensors& sample : op.samples) {
      const Tensor y = op.call(leaves(sample, op.constants));
      if (y.requires_grad() != op.differentiable)
        return op.differentiable ? "not recorded"
                                 : "recorded, but registered as not differentiable";
      if (!op.differentiable) continue;
      if (op.node == "*") continue;  // made of other ops, or the input itself
      if (y.grad_fn() != op.node)
        return concat("recorded as '", y.grad_fn(), "' instead of '", op.node, "'");
      const std::string file = y.impl()->node->at.file_name();
      if (file.find("tests/ops/") == std::string::npos)
        return "recorded as called from " + file + ", which is not the caller";
    }
    return "";
  });
}

TEST_CASE("ops: neither forward nor backward changes an input") { for_each_op(check_op_inputs); }

}  // namespace
}  // namespace tarsier::test
