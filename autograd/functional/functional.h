#pragma once
// Derivatives of whole functions: Jacobian and Hessian matrices, and products with a Jacobian. They
// neither read nor change any grad(). As torch.autograd.functional.

#include <functional>
#include <vector>

#include "../tape/tape.h"

namespace tarsier {

/// The Jacobian matrix of y = f(x): J[i…, j…] = ∂y[i…] / ∂x[j…], (*y.shape(), *x.shape()). Takes
/// one backward per element of y. Inputs that y does not depend on give zeros. `create_graph`
/// records it, so that it can be differentiated again, with respect to x and whatever else f reads.
/// Throws Error("jacobian") if x or y is not floating.
Tensor jacobian(const std::function<Tensor(const Tensor&)>& f, const Tensor& x,
                bool create_graph = false, SourceLine at = SourceLine::current());
/// The same for several inputs: one matrix for each.
std::vector<Tensor> jacobian(const std::function<Tensor(const std::vector<Tensor>&)>& f,
                             const std::vector<Tensor>& inputs, bool create_graph = false,
                             SourceLine at = SourceLine::current());

/// The Hessian matrix of a function with one result: H[i…, j…] = ∂²f / ∂x[i…] ∂x[j…], of shape
/// (*x.shape(), *x.shape()): the Jacobian of the gradient.
/// Throws Error("hessian") if f(x) has more than one element.
Tensor hessian(const std::function<Tensor(const Tensor&)>& f, const Tensor& x,
               bool create_graph = false, SourceLine at = SourceLine::current());
/// The same for several inputs: H[a][b] holds ∂²f / ∂inputs[a] ∂inputs[b].
std::vector<std::vector<Tensor>> hessian(const std::function<Tensor(const std::vector<Tensor>&)>& f,
                                         const std::vector<Tensor>& inputs,
                                         bool create_graph = false,
                                         SourceLine at = SourceLine::current());

/// f(x), and its derivative in the direction v.
struct ValueJvp {
  Tensor value, jvp;
};
/// J · v: how f(x) changes as x moves along v, which has the shape of x. Without the matrix, by two
/// backwards: u ↦ Jᵀ u is linear, and J v is a derivative of (Jᵀ u) · v. Throws Error("jvp") if x
/// and v differ in shape or dtype. The backwards of all ops must be differentiable.
ValueJvp jvp(const std::function<Tensor(const Tensor&)>& f, const Tensor& x, const Tensor& v,
             bool create_graph = false, SourceLine at = SourceLine::current());
/// The same for several inputs, and a v for each.
ValueJvp jvp(const std::function<Tensor(const std::vector<Tensor>&)>& f,
             const std::vector<Tensor>& inputs, const std::vector<Tensor>& v,
             bool create_graph = false, SourceLine at = SourceLine::current());

}  // namespace tarsier
