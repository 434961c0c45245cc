#pragma once
// Guards against silent mistakes in a model: parameters that do not learn.
//
// Without being asked, and at no cost worth the name, a model says so with Error("module"):
// - where a call that records comes to a module that its caller made as a part of itself, but did
//   not register. A part that is meant to stay outside has no parameter that asks for a gradient
//   (requires_grad_(false)), or an optimiser of its own, made before; or it was made before the
//   caller, and is there by reference.
// - in its first call that records, where a tensor that asks for a gradient takes part and is
//   neither an argument of the call, nor a registered parameter of any module, nor in an optimiser,
//   and somebody holds on to it.
// - where a parameter's member was assigned a tensor that asks for no gradient.
// An optimiser says, with its own tag, where a tensor that it trains was a module's parameter when
// the optimiser was made, and another was assigned in its place since.
// A tensor that is meant as a parameter, but neither registered nor asks for a gradient, looks like
// any constant: nothing can notice that.

#include <iosfwd>
#include <string>
#include <vector>

#include "module.h"

namespace tarsier::nn {

/// The parameters whose gradient looks like a mistake, by name.
struct GradientReport {
  std::vector<std::string> missing;     ///< none came: forward does not use it, or is cut off by
                                        ///< detach(), NoGrad or an op without gradient
  std::vector<std::string> zero;        ///< 0 in every element: a dead activation, a factor of 0
  std::vector<std::string> non_finite;  ///< NaN or an infinity somewhere: AnomalyMode finds the op

  bool empty() const { return missing.empty() && zero.empty() && non_finite.empty(); }
};

/// Looks at the gradients that backward() left; to be called after the first one:
///   loss.backward();
///   if (const auto report = nn::check_gradients(model); !report.empty()) std::cerr << report;
/// Tied parameters count once; those that do not ask for a gradient (frozen) and those without
/// elements do not count.
GradientReport check_gradients(const Module& module);

/// A line for each list: "no gradient: head.weight, head.bias". Nothing for an empty report.
std::ostream& operator<<(std::ostream& out, const GradientReport& report);

}  // namespace tarsier::nn
