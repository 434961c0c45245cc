#pragma once
// From the registry to the checks of autograd/check/check_op.h, which do the work.

#include <functional>
#include <string>

#include "autograd/check/check_op.h"
#include "autograd/check/outcome.h"
#include "tests/ops/registry.h"

namespace tarsier::test {

/// What check_op wants to know of a registered op.
OpCheck check_of(const Op& op);

/// Calls check(op) for every op of the registry (with TARSIER_TEST_OP=softmax for that one alone);
/// what it returns is "" or what is wrong. Exceptions are wrong as well.
void for_each_op(const std::function<std::string(const Op&)>& check);
/// The same for one of the checks of check_op.h.
void for_each_op(void (*check)(const OpCheck&));

}  // namespace tarsier::test
