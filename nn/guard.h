#pragma once
// Guards against silent mistakes in a model: parameters that do not learn.

#include <ostream>
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
