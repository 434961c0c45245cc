#include "tests/ops/compare.h"

#include <doctest/doctest.h>

#include <cstdlib>

namespace tarsier::test {

OpCheck check_of(const Op& op) {
  return {.name = op.name,
          .call = op.call,
          .samples = op.samples,
          .sized = op.sized,
          .reference = op.reference,
          .constants = op.constants,
          .differentiable = op.differentiable,
          .any_layout = op.any_strides,
          .random = op.random,
          .step = op.step,
          .condition = op.condition};
}

void for_each_op(const std::function<std::string(const Op&)>& check) {
  const char* only = std::getenv("TARSIER_TEST_OP");
  for (const Op& op : registry()) {
    if (only != nullptr && op.name != only) continue;
    std::string wrong;
    try {
      wrong = check(op);
    } catch (const std::exception& error) {
      wrong = error.what();
    }
    CHECK_MESSAGE(wrong.empty(), op.name, op.what.empty() ? "" : " (" + op.what + ")", ": ", wrong);
  }
}

void for_each_op(void (*check)(const OpCheck&)) {
  for_each_op([&](const Op& op) -> std::string {
    check(check_of(op));
    return "";
  });
}

}  // namespace tarsier::test
