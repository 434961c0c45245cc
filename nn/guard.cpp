#include "nn/guard.h"

#include <cmath>

namespace tarsier::nn {
namespace {

void print_line(std::ostream& out, const char* title, const std::vector<std::string>& names) {
  for (const std::string& name : names)
    out << (&name == &names.front() ? title : ", ") << name << (&name == &names.back() ? "\n" : "");
}

}  // namespace

GradientReport check_gradients(const Module& module) {
  const NoGrad guard;
  GradientReport report;
  for (const auto& [name, parameter] : module.named_parameters()) {
    if (!parameter.requires_grad() || parameter.numel() == 0) continue;
    const Tensor grad = parameter.grad();
    if (!grad.defined()) {
      report.missing.push_back(name);
      continue;
    }
    const double largest = max(abs(grad)).item();  // NaN if there is one
    if (largest == 0) report.zero.push_back(name);
    if (!std::isfinite(largest)) report.non_finite.push_back(name);
  }
  return report;
}

std::ostream& operator<<(std::ostream& out, const GradientReport& report) {
  print_line(out, "no gradient: ", report.missing);
  print_line(out, "all-zero gradient: ", report.zero);
  print_line(out, "NaN or infinite gradient: ", report.non_finite);
  return out;
}

}  // namespace tarsier::nn
