#pragma once
// Guards against silent mistakes in a model: parameters that do not learn.
//
// These checks always run, at negligible cost. A model throws Error("module"):
// - if a recorded call reaches a module that its caller made as a part of itself, but did not
//   register. For a part that is meant to stay outside, call requires_grad_(false), or make its
//   optimiser before the call; a module that is older than the caller and held by reference is
//   fine.
// - in its first recorded call, if a tensor that requires a gradient is used that is neither an
//   argument of the call, nor a registered parameter of any module, nor in an optimiser, and that
//   something other than the graph holds.
// - if a parameter's member was assigned a tensor that requires no gradient.
// An optimiser throws, with its own tag, if a tensor that it trains was a module's parameter when
// the optimiser was made, and another tensor has been assigned in its place since.
// A tensor that is meant as a parameter, but is not registered and requires no gradient, looks like
// a constant: nothing can detect that.

#include <iosfwd>
#include <string>
#include <vector>

#include "module.h"

namespace tarsier::nn {

/// The parameters whose gradient looks like a mistake, by name.
struct GradientReport {
  std::vector<std::string> missing;     ///< forward does not use it, or it is cut off by
                                        ///< detach(), NoGrad or an op without gradient
  std::vector<std::string> zero;        ///< 0 in every element: a dead activation, a factor of 0
  std::vector<std::string> non_finite;  ///< NaN or an infinity somewhere: AnomalyMode finds the op

  bool empty() const { return missing.empty() && zero.empty() && non_finite.empty(); }
};

/// Checks the gradients of backward(). Call it after the first one:
///   loss.backward();
///   if (const auto report = nn::check_gradients(model); !report.empty()) std::cerr << report;
/// Tied parameters count once; those that require no gradient (frozen) and those without
/// elements do not count.
GradientReport check_gradients(const Module& module);

/// One line per non-empty list: "no gradient: head.weight, head.bias".
std::ostream& operator<<(std::ostream& out, const GradientReport& report);

}  // namespace tarsier::nn
