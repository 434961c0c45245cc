#include "autograd/functional/functional.h"

#include "autograd/loops/copy.h"
#include "autograd/ops.h"
#include "autograd/tape/recording.h"

namespace tarsier {
namespace {

using Tensors = std::vector<Tensor>;
using Function = std::function<Tensor(const Tensors&)>;

/// New handles of the inputs, with respect to which is differentiated: leaves, so that no grad()
/// changes, or for `create_graph` results that lead back to the inputs.
Tensors names_of(const Tensors& inputs, bool create_graph, const char* op) {
  check(!inputs.empty(), op, "no inputs: give at least one");
  Tensors names;
  for (size_t i = 0; i < inputs.size(); ++i) {
    const Tensor& x = inputs[i];
    check(x.defined() && is_floating(x.dtype()), op, "input ", i, " is ",
          x.defined() ? name_of(x.dtype()) : "undefined", ": f32 or f64 is needed");
    Tensor name = x.detach();
    if (create_graph)
      name = record("alias", {x}, name, Save{},
                    [](const Saved&, const Tensor& dy) -> Grads { return {dy}; });
    if (!name.requires_grad()) name.requires_grad_();
    names.push_back(name);
  }
  return names;
}

Tensor result_of(const Function& f, const Tensors& inputs, const char* op) {
  const Tensor y = f(inputs);
  check(y.defined() && is_floating(y.dtype()), op, "the function returned ",
        y.defined() ? name_of(y.dtype()) : "an undefined tensor", ": f32 or f64 is needed");
  return y;
}

/// The gradients of Σ y · dy with respect to x, zeros where there is none.
Tensors gradients(const Tensor& y, const Tensors& x, const Tensor& dy, bool create_graph) {
  Tensors dx(x.size());
  if (y.requires_grad()) dx = grad({y}, x, {dy}, /*retain_graph=*/true, create_graph, true);
  for (size_t i = 0; i < x.size(); ++i)
    if (!dx[i].defined()) dx[i] = zeros_like(x[i]);
  return dx;
}

/// ∂y / ∂x for every x: a backward for each element of y, whose upstream gradient is 1 there.
Tensors matrices(const Tensor& y, const Tensors& x, bool create_graph) {
  const int64_t n = y.numel();
  std::vector<Tensors> rows(x.size());
  for (int64_t k = 0; k < n; ++k) {
    Tensor dy = zeros({n}, y.dtype());
    fill_elements(dy.view_as({}, {}, k), 1);
    const Tensors dx = gradients(y, x, reshape(dy, y.shape()), create_graph);
    for (size_t i = 0; i < x.size(); ++i) rows[i].push_back(dx[i]);
  }
  Tensors jacobians;
  for (size_t i = 0; i < x.size(); ++i) {
    Shape shape = y.shape();
    for (const int64_t size : x[i].shape()) shape.push_back(size);
    jacobians.push_back(n == 0 ? zeros(shape, x[i].dtype()) : reshape(stack(rows[i]), shape));
  }
  return jacobians;
}

Tensors detached(Tensors xs, bool create_graph) {
  if (!create_graph)
    for (Tensor& x : xs) x = x.detach();
  return xs;
}

/// A function of one tensor as one of a list.
Function of_list(const std::function<Tensor(const Tensor&)>& f) {
  return [f](const Tensors& x) { return f(x[0]); };
}

}  // namespace

Tensors jacobian(const Function& f, const Tensors& inputs, bool create_graph, SourceLine at) {
  const CallSite site(at);
  const detail::Recording recording;
  const Tensors x = names_of(inputs, create_graph, "jacobian");
  return detached(matrices(result_of(f, x, "jacobian"), x, create_graph), create_graph);
}

std::vector<Tensors> hessian(const Function& f, const Tensors& inputs, bool create_graph,
                             SourceLine at) {
  const CallSite site(at);
  const detail::Recording recording;
  const Tensors x = names_of(inputs, create_graph, "hessian");
  const Tensor y = result_of(f, x, "hessian");
  check(y.numel() == 1, "hessian", "the function returned shape ", y.shape(),
        ", but one element is needed: sum it, or use jacobian()");
  std::vector<Tensors> rows;
  for (const Tensor& dx : gradients(y, x, ones_like(y), /*create_graph=*/true))
    rows.push_back(detached(matrices(dx, x, create_graph), create_graph));
  return rows;
}

ValueJvp jvp(const Function& f, const Tensors& inputs, const Tensors& v, bool create_graph,
             SourceLine at) {
  const CallSite site(at);
  const detail::Recording recording;
  const Tensors x = names_of(inputs, create_graph, "jvp");
  check(v.size() == x.size(), "jvp", v.size(), " directions for ", x.size(),
        " inputs: give one for each");
  for (size_t i = 0; i < x.size(); ++i)
    check(v[i].defined() && v[i].shape() == x[i].shape() && v[i].dtype() == x[i].dtype(), "jvp",
          "direction ", i, " is not of shape ", x[i].shape(), " and dtype ", x[i].dtype(),
          ", which its input has");
  const Tensor y = result_of(f, x, "jvp");
  // u ↦ Jᵀ u; the derivative of (Jᵀ u) · v with respect to u is J v, at any u.
  const Tensor u = zeros_like(y).requires_grad_();
  const Tensors back = gradients(y, x, u, /*create_graph=*/true);
  Tensor dot = sum(back[0] * v[0]);
  for (size_t i = 1; i < x.size(); ++i) dot = dot + sum(back[i] * v[i]);
  const Tensor along = gradients(dot, {u}, ones_like(dot), create_graph)[0];
  return create_graph ? ValueJvp{y, along} : ValueJvp{y.detach(), along.detach()};
}

// ------------------------------------------------------------------------------------- one input

Tensor jacobian(const std::function<Tensor(const Tensor&)>& f, const Tensor& x, bool create_graph,
                SourceLine at) {
  return jacobian(of_list(f), Tensors{x}, create_graph, at)[0];
}

Tensor hessian(const std::function<Tensor(const Tensor&)>& f, const Tensor& x, bool create_graph,
               SourceLine at) {
  return hessian(of_list(f), Tensors{x}, create_graph, at)[0][0];
}

ValueJvp jvp(const std::function<Tensor(const Tensor&)>& f, const Tensor& x, const Tensor& v,
             bool create_graph, SourceLine at) {
  return jvp(of_list(f), Tensors{x}, Tensors{v}, create_graph, at);
}

}  // namespace tarsier
