#pragma once
// Runs the checks of autograd/check/check_op.h on the registry.

#include <functional>
#include <string>

#include "autograd/check/check_op.h"
#include "autograd/check/outcome.h"
#include "tests/ops/registry.h"

namespace tarsier::test {

/// The input of check_op for a registered op.
OpCheck check_of(const Op& op);

/// Calls check(op) for every op of the registry (with TARSIER_TEST_OP=softmax only for that one);
/// it returns "" or what is wrong. An exception is a failure as well.
void for_each_op(const std::function<std::string(const Op&)>& check);
/// The same for one of the checks of check_op.h.
void for_each_op(void (*check)(const OpCheck&));

}  // namespace tarsier::test
