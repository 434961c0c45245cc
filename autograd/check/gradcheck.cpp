#include "autograd/check/gradcheck.h"

#include <cmath>
#include <memory>
#include <string>

#include "autograd/base/random.h"
#include "autograd/check/layout.h"
#include "autograd/tape/tape.h"

namespace tarsier {
namespace {

using Tensors = std::vector<Tensor>;
/// A function of tensors that the caller holds and may change between calls.
using Results = std::function<Tensors()>;

/// Elements ±[½, 1½): none so small that it hides an error.
Tensor random_upstream(const Tensor& like, RandomKey key) {
  Tensor upstream = Tensor::empty(like.shape(), f64);
  double* p = upstream.data<double>();
  for (int64_t i = 0; i < upstream.numel(); ++i) {
    const double u = 2 * uniform<double>(key, static_cast<uint64_t>(i)) - 1;
    p[i] = u < 0 ? u - 0.5 : u + 0.5;
  }
  return upstream;
}

/// Σ_j Σ weights_j · values_j. An undefined value is zero.
double weighted_sum(const Tensors& values, const Tensors& weights) {
  double sum = 0;
  for (size_t j = 0; j < values.size(); ++j) {
    if (!values[j].defined()) continue;
    const std::vector<double> v = values[j].to_vector(), w = weights[j].to_vector();
    for (size_t i = 0; i < v.size(); ++i) sum += v[i] * w[i];
  }
  return sum;
}

/// The address of element `i` (in row-major order) of a tensor of any strides.
double* element(const Tensor& x, int64_t i) {
  int64_t at = 0;
  for (int d = x.dim() - 1; d >= 0; --d) {
    at += i % x.shape()[d] * x.strides()[d];
    i /= x.shape()[d];
  }
  return x.data<double>() + at;
}

/// Changes an element while it lives.
struct Nudge {
  Nudge(double* element, double by) : element(element), before(*element) { *element += by; }
  ~Nudge() { *element = before; }
  Nudge(const Nudge&) = delete;
  Nudge& operator=(const Nudge&) = delete;
  double* element;
  double before;
};

/// "element (1, 2) of input 0"
std::string name_of(const Tensor& x, int64_t i, const std::string& what) {
  Shape index = Shape::filled(x.dim(), 0);
  for (int d = x.dim() - 1; d >= 0; --d) {
    index[d] = i % x.shape()[d];
    i /= x.shape()[d];
  }
  return concat("element ", index, " of ", what);
}

struct Variable {
  Tensor tensor;
  std::string name;
};

/// Compares `gradients`, the claimed gradients of L = Σ weights · results(), with differences.
void compare(const Results& results, const Tensors& weights, const std::vector<Variable>& variables,
             const Tensors& gradients, const char* order, const GradcheckOptions& options) {
  for (size_t v = 0; v < variables.size(); ++v) {
    const auto& [x, name] = variables[v];
    const Tensor& dx = gradients[v];
    if (dx.defined())
      check(dx.shape() == x.shape() && dx.dtype() == f64, "gradcheck", order, " gradient of ", name,
            " is ", dx.dtype(), " ", dx.shape(), ", but ", name, " is f64 ", x.shape());
    for (int64_t i = 0; i < x.numel(); ++i) {
      double above, below;
      {
        const Nudge nudge(element(x, i), options.eps);
        above = weighted_sum(results(), weights);
      }
      {
        const Nudge nudge(element(x, i), -options.eps);
        below = weighted_sum(results(), weights);
      }
      const double numerical = (above - below) / (2 * options.eps);
      const double analytical = dx.defined() ? *element(dx, i) : 0;
      const double error = std::abs(analytical - numerical);
      // Written so that a NaN on either side is an error.
      check(error <= options.atol + options.rtol * std::abs(numerical), "gradcheck", order,
            " gradient is wrong at ", name_of(x, i, name), ": backward says ", analytical,
            ", differences say ", numerical,
            dx.defined() ? "" : " (backward gave no gradient at all)");
    }
  }
}

/// The same gradients, computed with and without recording, must agree up to rounding.
void compare_recorded(const Tensors& plain, const Tensors& recorded,
                      const std::vector<Variable>& variables, const GradcheckOptions& options) {
  for (size_t v = 0; v < variables.size(); ++v) {
    check(plain[v].defined() == recorded[v].defined(), "gradcheck", "the gradient of ",
          variables[v].name, " exists only ", plain[v].defined() ? "without" : "with",
          " create_graph");
    if (!plain[v].defined()) continue;
    const std::vector<double> a = plain[v].to_vector(), b = recorded[v].to_vector();
    for (size_t i = 0; i < a.size(); ++i)
      check(std::abs(a[i] - b[i]) <= options.atol + options.rtol * std::abs(a[i]), "gradcheck",
            "with create_graph the gradient differs at ",
            name_of(plain[v], static_cast<int64_t>(i), variables[v].name), ": ", b[i],
            " instead of ", a[i]);
  }
}

/// Checks the function (inputs, upstream) ↦ gradients of f, as compare() checks f. It is linear in
/// `upstream`, so a backward that breaks the graph shows even if f has no second derivative.
void check_second_order(const std::function<Tensor()>& f, const std::vector<Variable>& variables,
                        const Tensors& inputs, Tensor upstream, const Tensors& first,
                        const GradcheckOptions& options) {
  upstream.requires_grad_();
  const Tensors recorded = grad({f()}, inputs, {upstream}, /*retain_graph=*/true,
                                /*create_graph=*/true, /*allow_unused=*/true);
  compare_recorded(first, recorded, variables, options);

  Tensors weights, outputs, output_weights;
  for (size_t v = 0; v < recorded.size(); ++v) {
    weights.push_back(random_upstream(inputs[v], {options.seed, 1 + v}));
    if (!recorded[v].defined() || !recorded[v].requires_grad()) continue;
    outputs.push_back(recorded[v]);
    output_weights.push_back(weights.back());
  }
  std::vector<Variable> all = variables;
  all.push_back({upstream, "the upstream gradient"});
  Tensors wanted = inputs;
  wanted.push_back(upstream);
  const Tensors second = outputs.empty()
                             ? Tensors(wanted.size())
                             : grad(outputs, wanted, output_weights, /*retain_graph=*/false,
                                    /*create_graph=*/false, /*allow_unused=*/true);

  const Tensor plain_upstream = upstream.detach();  // shares memory, and so sees the nudges
  compare([&] { return grad({f()}, inputs, {plain_upstream}, false, false, true); }, weights, all,
          second, "second-order", options);
}

// ---- layouts: f is compared with itself

/// The result of f, and the gradients of Σ upstream · f.
struct Outcome {
  Tensor y;
  Tensors gradients;
};

class LayoutCheck {
 public:
  LayoutCheck(const std::function<Tensor(const Tensors&)>& f, const Tensors& inputs,
              const std::vector<Variable>& variables, const Tensors& wanted,
              const GradcheckOptions& options)
      : f_(f), inputs_(inputs), variables_(variables), wanted_(wanted), options_(options) {}

  void run(const Tensor& upstream, const Outcome& contiguous) const {
    for (const Layout layout : {Layout::transposed, Layout::gaps})
      compare_inputs(layout, upstream, contiguous);
    if (const Outcome expected = at_repeated_inputs(upstream); expected.y.defined())
      compare_inputs(Layout::expanded, upstream, expected);
    for (const Layout layout : {Layout::transposed, Layout::gaps})
      compare_upstream(layout, copy_as(upstream, layout), contiguous);
    const Tensor all_same = spread(0.75, upstream);
    compare_upstream(Layout::expanded, all_same, evaluate(copy_as(all_same)));
  }

 private:
  using LaidOut = std::vector<std::unique_ptr<LaidOutAs>>;

  template <class Copy>
  LaidOut lay_out(const Copy& copy) const {
    LaidOut all;
    for (size_t i = 0; i < inputs_.size(); ++i) {
      const auto same = [&](size_t j) {
        return inputs_[j].defined() && inputs_[j].impl() == inputs_[i].impl();
      };
      bool seen = !inputs_[i].defined();
      for (size_t j = 0; j < i; ++j) seen = seen || same(j);
      if (!seen) all.push_back(std::make_unique<LaidOutAs>(inputs_[i], copy(inputs_[i])));
    }
    return all;
  }

  Outcome evaluate(const Tensor& upstream) const {
    const Tensor y = f_(inputs_);
    return {y, grad({y}, wanted_, {upstream}, false, false, /*allow_unused=*/true)};
  }

  /// Undefined if f refuses such values.
  Outcome at_repeated_inputs(const Tensor& upstream) const {
    const LaidOut all = lay_out([](const Tensor& x) { return repeated(x); });
    try {
      return evaluate(upstream);
    } catch (const Error&) {
      return {};
    }
  }

  void compare_inputs(Layout layout, const Tensor& upstream, const Outcome& expected) const {
    const LaidOut all = lay_out([&](const Tensor& x) { return copy_as(x, layout, x.dtype()); });
    compare_outcomes(concat("with inputs that are ", name_of(layout)), upstream, expected);
  }
  void compare_upstream(Layout layout, const Tensor& upstream, const Outcome& expected) const {
    compare_outcomes(concat("with an upstream gradient that is ", name_of(layout)), upstream,
                     expected);
  }

  void compare_outcomes(const std::string& what, const Tensor& upstream,
                        const Outcome& expected) const {
    Outcome got;
    try {
      got = evaluate(upstream);
    } catch (const Error& error) {
      fail("gradcheck", what, ", and only so, the function throws: ", error.what(), kLayoutAdvice);
    }
    compare_tensors(what, "the result", got.y, expected.y);
    for (size_t v = 0; v < variables_.size(); ++v)
      compare_tensors(what, "the gradient of " + variables_[v].name, got.gradients[v],
                      expected.gradients[v]);
  }

  void compare_tensors(const std::string& what, const std::string& name, const Tensor& got,
                       const Tensor& expected) const {
    check(got.defined() == expected.defined(), "gradcheck", what, " ", name, " is ",
          got.defined() ? "defined, but is not" : "missing", kLayoutAdvice);
    if (!got.defined()) return;
    const std::vector<double> a = got.to_vector(), b = expected.to_vector();
    for (size_t i = 0; i < a.size(); ++i) {
      const bool both_nan = std::isnan(a[i]) && std::isnan(b[i]);
      const bool close = std::abs(a[i] - b[i]) <= options_.atol + options_.rtol * std::abs(b[i]);
      check(both_nan || a[i] == b[i] || close, "gradcheck", what, ", ",
            name_of(got, static_cast<int64_t>(i), name), " is ", a[i], ", but ", b[i],
            " with contiguous ones", kLayoutAdvice);
    }
  }

  static constexpr const char* kLayoutAdvice =
      ": a loop over raw memory takes span<T>() of contiguous(x), or follows x.strides(); set "
      "any_layout = false if the function requires contiguous tensors by contract";

  const std::function<Tensor(const Tensors&)>& f_;
  const Tensors& inputs_;
  const std::vector<Variable>& variables_;
  const Tensors& wanted_;
  const GradcheckOptions& options_;
};

}  // namespace

void gradcheck(const std::function<Tensor(const std::vector<Tensor>&)>& f,
               const std::vector<Tensor>& inputs, const GradcheckOptions& options) {
  std::vector<Variable> variables;
  Tensors wanted;
  for (size_t i = 0; i < inputs.size(); ++i) {
    if (!inputs[i].defined() || !inputs[i].requires_grad()) continue;
    check(inputs[i].dtype() == f64, "gradcheck", "input ", i, " is ", inputs[i].dtype(),
          ": differences need f64");
    check(inputs[i].is_leaf(), "gradcheck", "input ", i, " is the result of '", inputs[i].grad_fn(),
          "': pass leaves");
    variables.push_back({inputs[i], concat("input ", i)});
    wanted.push_back(inputs[i]);
  }
  check(!wanted.empty(), "gradcheck", "no input requires a gradient: call requires_grad_() on one");

  const Tensor y = f(inputs);
  check(y.defined() && y.dtype() == f64, "gradcheck", "the function must return one f64 tensor");
  check(y.requires_grad(), "gradcheck",
        "the function's result requires no gradient: what it calls does not record");
  const auto values = [&] {
    const NoGrad guard;
    return Tensors{f(inputs)};
  };
  const Tensor upstream = random_upstream(y, {options.seed, 0});
  const double once = weighted_sum({y}, {upstream}), again = weighted_sum(values(), {upstream});
  const bool same = once == again ||  // infinities
                    std::abs(once - again) <= options.atol + options.rtol * std::abs(once);
  check(same || std::isnan(once), "gradcheck", "two calls of the function differ (", once, " and ",
        again, "): it must be pure; give random ops a fresh Generator at every call");

  const Tensors first = grad({y}, wanted, {upstream}, false, false, /*allow_unused=*/true);
  compare(values, {upstream}, variables, first, "the", options);
  if (options.any_layout)
    LayoutCheck(f, inputs, variables, wanted, options).run(upstream, {y, first});
  if (options.second_order)
    check_second_order([&] { return f(inputs); }, variables, wanted, upstream, first, options);
}

}  // namespace tarsier
