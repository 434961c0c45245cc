// Registrations of the reductions.
#include <cmath>

#include "tests/ops/registry.h"

namespace tarsier::test {
namespace {

using Reduction = std::function<Tensor(const Arg&, const Axes&, bool)>;

/// Over all, one or two dimensions, with and without keepdim; sized: along rows and across them.
void add_over_axes(const std::string& name, const Reduction& f,
                   const std::function<Tensor(const Shape&)>& make, bool differentiable = true,
                   const std::string& node = "", const std::string& suffix = "") {
  const auto add_one = [&](const std::string& what, const Axes& dims, bool keepdim,
                           const std::vector<Shape>& shapes, bool sized) {
    std::vector<Tensors> samples;
    for (const Shape& shape : shapes) samples.push_back({make(shape)});
    Op op{.name = name,
          .what = what + suffix,
          .call = [=](const Tensors& x) { return f(x[0], dims, keepdim); },
          .samples = samples,
          .node = node,
          .differentiable = differentiable};
    if (sized) op.sized = [=](int64_t rows, int64_t n) { return Tensors{make({rows, n})}; };
    add(op);
  };
  add_one("all", {}, false, {{}, {1}, {7}, {2, 3}}, true);
  add_one("all, keepdim", {}, true, {{2, 3}}, false);
  add_one("last", -1, false, {{5}, {2, 4}, {2, 2, 3}}, true);
  add_one("first", 0, false, {{5}, {4, 2}, {3, 2, 2}}, true);
  add_one("first, keepdim", 0, true, {{4, 2}}, false);
  add_one("middle, keepdim", 1, true, {{2, 3, 2}}, false);
  add_one("outer two", {0, 2}, false, {{2, 3, 2}}, false);
  add_one("inner two, keepdim", {-1, 1}, true, {{2, 3, 2}}, false);
}

Tensor plain(const Shape& shape) { return values(shape); }
Tensor around_one(const Shape& shape) { return values(shape, 0.75, 1.25); }

void add_along(const std::string& name, const std::string& what, const OpCall& f,
               const std::vector<Shape>& shapes, bool differentiable = true,
               const std::string& node = "") {
  std::vector<Tensors> samples;
  for (const Shape& shape : shapes) samples.push_back({distinct(shape)});
  add({.name = name,
       .what = what,
       .call = f,
       .samples = samples,
       .sized = rows_distinct(),
       .node = node,
       .differentiable = differentiable});
}

}  // namespace

void register_reductions() {
  add_over_axes(
      "sum", [](const Arg& x, const Axes& d, bool k) { return sum(x, d, k); }, plain);
  add_over_axes(
      "mean", [](const Arg& x, const Axes& d, bool k) { return mean(x, d, k); }, plain);
  // The sample variance of one element is NaN, so correction 1 has its own shapes.
  add_over_axes(
      "var", [](const Arg& x, const Axes& d, bool k) { return var(x, d, 0, k); }, plain);
  add({.name = "var",
       .what = "correction 1",
       .call = [](const Tensors& x) { return var(x[0], -1); },
       .samples = {{values({2})}, {values({3, 4})}, {values({2, 2, 3})}}});
  add({.name = "var",
       .what = "correction 1, two, keepdim",
       .call =
           [](const Tensors& x) {
             return var(x[0], {0, 1}, 1, true);
           },
       .samples = {{values({3, 4})}, {values({2, 2, 3})}}});
  add({.name = "stddev",
       .call = [](const Tensors& x) { return stddev(x[0], -1); },
       .samples = {{values({2})}, {values({3, 4})}, {values({2, 2, 3})}}});
  add({.name = "stddev",
       .what = "correction 0, keepdim",
       .call =
           [](const Tensors& x) {
             return stddev(x[0], {0, -1}, 0, true);
           },
       .samples = {{values({3, 4})}, {values({2, 2, 3})}}});
  add_over_axes(
      "amax", [](const Arg& x, const Axes& d, bool k) { return amax(x, d, k); }, distinct);
  add_over_axes(
      "amin", [](const Arg& x, const Axes& d, bool k) { return amin(x, d, k); }, distinct);
  add_along(
      "max", "over all", [](const Tensors& x) { return max(x[0]); }, {{}, {2, 3}}, true, "amax");
  add_along(
      "min", "over all", [](const Tensors& x) { return min(x[0]); }, {{}, {2, 3}}, true, "amin");
  add_along("max", "last", [](const Tensors& x) { return max(x[0], -1).values; }, {{4}, {2, 3}});
  add_along("max", "first, keepdim", [](const Tensors& x) { return max(x[0], 0, true).values; },
            {{4}, {3, 2}, {2, 3, 2}});
  add_along("min", "last", [](const Tensors& x) { return min(x[0], -1).values; }, {{4}, {2, 3}});
  add_along("min", "first, keepdim", [](const Tensors& x) { return min(x[0], 0, true).values; },
            {{4}, {3, 2}, {2, 3, 2}});
  add_along(
      "max", "indices", [](const Tensors& x) { return max(x[0], 0).indices; }, {{3, 2}}, false);
  add_along(
      "min", "indices", [](const Tensors& x) { return min(x[0], 0).indices; }, {{3, 2}}, false);
  add_along(
      "argmax", "all", [](const Tensors& x) { return argmax(x[0]); }, {{3, 2}}, false);
  add_along(
      "argmax", "last", [](const Tensors& x) { return argmax(x[0], -1, true); }, {{3, 2}}, false);
  add_along(
      "argmin", "all", [](const Tensors& x) { return argmin(x[0]); }, {{3, 2}}, false);
  add_along(
      "argmin", "first", [](const Tensors& x) { return argmin(x[0], 0); }, {{3, 2}}, false);

  add_over_axes(
      "logsumexp", [](const Arg& x, const Axes& d, bool k) { return logsumexp(x, d, k); }, plain);
  for (double p : {1.0, 2.0, 3.0, 1.5, static_cast<double>(INFINITY)})
    add_over_axes(
        "norm", [=](const Arg& x, const Axes& d, bool k) { return norm(x, p, d, k); }, distinct,
        true, "", concat(", p = ", p));
  add_over_axes(
      "prod", [](const Arg& x, const Axes& d, bool k) { return prod(x, d, k); }, around_one);
  add({.name = "prod",
       .what = "with zeros",
       .call = [](const Tensors& x) { return prod(x[0], -1); },
       .samples = {{numbers({2, 0, 3, 0, 5, 0, 1, 2, 3}, {3, 3})}, {numbers({0}, {1})}}});
  for (int64_t dim : {-1, 0})
    add({.name = "cumsum",
         .what = concat("dim ", dim),
         .call = [=](const Tensors& x) { return cumsum(x[0], dim); },
         .samples = {{values({5})}, {values({2, 3})}, {values({2, 2, 3})}},
         .sized = rows_of(1)});
  for (int64_t dim : {-1, 0})
    add({.name = "cumprod",
         .what = concat("dim ", dim),
         .call = [=](const Tensors& x) { return cumprod(x[0], dim); },
         .samples = {{values({5})}, {values({2, 3})}, {values({2, 2, 3})}},
         .sized = rows_of(1, 0.8, 1.25)});
  add({.name = "cumprod",
       .what = "with zeros",
       .call = [](const Tensors& x) { return cumprod(x[0], -1); },
       .samples = {{numbers({2, 0, 3, 0, 5, 0, 1, 2, 3}, {3, 3})}, {numbers({0}, {1})}}});
  add_over_axes(
      "count_nonzero", [](const Arg& x, const Axes& d, bool) { return count_nonzero(x, d); }, mask,
      false);
  add_along("median", "over all", [](const Tensors& x) { return median(x[0]); }, {{}, {3}, {2, 3}});
  add_along("median", "last", [](const Tensors& x) { return median(x[0], -1).values; },
            {{4}, {2, 3}});
  add_along("median", "first, keepdim",
            [](const Tensors& x) { return median(x[0], 0, true).values; },
            {{4}, {3, 2}, {2, 3, 2}});
  add_along(
      "median", "indices", [](const Tensors& x) { return median(x[0], 0).indices; }, {{3, 2}},
      false);
  add_along(
      "quantile", "over all", [](const Tensors& x) { return quantile(x[0], 0.3); },
      {{}, {4}, {2, 3}}, true, "reshape");
  add_along(
      "quantile", "last, keepdim", [](const Tensors& x) { return quantile(x[0], 0.6, -1, true); },
      {{4}, {2, 3}}, true, "reshape");
  add_along(
      "quantile", "several, first",
      [](const Tensors& x) {
        return quantile(x[0], tensor({0, 0.45, 1}), 0);
      },
      {{5}, {4, 2}, {3, 2, 2}}, true, "reshape");
  add_over_axes(
      "any", [](const Arg& x, const Axes& d, bool k) { return any(x, d, k); }, mask, false);
  add_over_axes(
      "all", [](const Arg& x, const Axes& d, bool k) { return all(x, d, k); }, mask, false);
}

}  // namespace tarsier::test
