// Registrations of the elementwise ops, comparisons and logic.
#include <algorithm>
#include <cmath>

#include "tests/ops/registry.h"

namespace tarsier::test {
namespace {

using Std1 = double (*)(double);
using Std2 = double (*)(double, double);

void add_unary(const std::string& name, Tensor (*f)(const Arg&), Std1 scalar, double low = -2,
               double high = 2) {
  add({.name = name,
       .call = [=](const Tensors& x) { return f(x[0]); },
       .samples = unary(low, high),
       .sized = rows_of(1, low, high),
       .scalar = scalar});
}
/// Adds a function with a kink at 0.
void add_kinked(const std::string& name, const OpCall& f, Std1 scalar,
                const std::string& what = "") {
  add({.name = name,
       .what = what,
       .call = f,
       .samples = unary_distinct(),
       .sized = rows_of(1),
       .scalar = scalar});
}
/// Adds a form of an op with a number on one side.
void add_with_number(const std::string& name, const std::string& what, const std::string& node,
                     const OpCall& f, Std1 scalar, double low = -2, double high = 2) {
  add({.name = name,
       .what = what,
       .call = f,
       .samples = unary(low, high),
       .sized = rows_of(1, low, high),
       .scalar = scalar,
       .node = node});
}
void add_binary(const std::string& name, const std::string& node,
                Tensor (*f)(const Arg&, const Arg&), Std2 scalar,
                const std::vector<Tensors>& samples, const Sized& sized = rows_of(2)) {
  add({.name = name,
       .call = [=](const Tensors& x) { return f(x[0], x[1]); },
       .samples = samples,
       .sized = sized,
       .scalar2 = scalar,
       .node = node});
}
void add_comparison(const std::string& name, Tensor (*f)(const Arg&, const Arg&),
                    Tensor (*with_number)(const Arg&, double), Std2 scalar) {
  // Numbers with many ties.
  const auto some = [](const Shape& a, const Shape& b) {
    return Tensors{numbers(std::vector<double>(static_cast<size_t>(a.numel()), 1.5), a),
                   distinct(b)};
  };
  add({.name = name,
       .call = [=](const Tensors& x) { return f(x[0], x[1]); },
       .samples = {some({5}, {5}), some({2, 3}, {3}), some({}, {4}), {values({}), values({})}},
       .sized = rows_of(2),
       .scalar2 = scalar,
       .differentiable = false});
  add({.name = name,
       .what = "number",
       .call = [=](const Tensors& x) { return with_number(x[0], 0.625); },
       .samples = unary_distinct(),
       .sized = rows_of(1),
       .differentiable = false});
}

double gelu_exact(double x) { return 0.5 * x * std::erfc(-x / std::sqrt(2.0)); }
double gelu_tanh(double x) {
  return 0.5 * x * (1 + std::tanh(std::sqrt(2 / M_PI) * (x + 0.044715 * x * x * x)));
}

void register_arithmetic() {
  add_binary(
      "operator+", "add", operator+, [](double a, double b) { return a + b; }, binary());
  add_binary(
      "operator-", "sub", operator-, [](double a, double b) { return a - b; }, binary());
  add_binary(
      "operator*", "mul", operator*, [](double a, double b) { return a * b; }, binary());
  add_binary(
      "operator/", "div", operator/, [](double a, double b) { return a / b; }, binary(0.5, 3),
      rows_of(2, 0.5, 3));
  add_with_number(
      "operator+", "x + number", "add", [](const Tensors& x) { return x[0] + 0.75; },
      [](double x) { return x + 0.75; });
  add_with_number(
      "operator+", "number + x", "add", [](const Tensors& x) { return 0.75 + x[0]; },
      [](double x) { return 0.75 + x; });
  add_with_number(
      "operator-", "x - number", "sub", [](const Tensors& x) { return x[0] - 0.75; },
      [](double x) { return x - 0.75; });
  add_with_number(
      "operator-", "number - x", "sub", [](const Tensors& x) { return 0.75 - x[0]; },
      [](double x) { return 0.75 - x; });
  add_with_number(
      "operator*", "x * number", "mul", [](const Tensors& x) { return x[0] * 0.75; },
      [](double x) { return x * 0.75; });
  add_with_number(
      "operator*", "number * x", "mul", [](const Tensors& x) { return 0.75 * x[0]; },
      [](double x) { return 0.75 * x; });
  add_with_number(
      "operator/", "x / number", "div", [](const Tensors& x) { return x[0] / 0.75; },
      [](double x) { return x / 0.75; });
  add_with_number(
      "operator/", "number / x", "div", [](const Tensors& x) { return 0.75 / x[0]; },
      [](double x) { return 0.75 / x; }, 0.5, 3);
  add_with_number(
      "operator-", "-x", "neg", [](const Tensors& x) { return -x[0]; },
      [](double x) { return -x; });
  // The same tensor on both sides: two edges to one leaf.
  add({.name = "operator*",
       .what = "x * x",
       .call = [](const Tensors& x) { return x[0] * x[0]; },
       .samples = unary(),
       .sized = rows_of(1),
       .node = "mul"});
}

void register_functions() {
  for (double p : {3.0, 2.0, 1.0, 0.0, 0.5, -1.5})
    add({.name = "pow",
         .what = concat("number ", p),
         .call = [=](const Tensors& x) { return pow(x[0], p); },
         .samples = unary(0.25, 3),
         .sized = rows_of(1, 0.25, 3),
         .scalar = [=](double x) { return p == 0.5 ? std::sqrt(x) : std::pow(x, p); }});
  add({.name = "pow",
       .what = "whole number of negatives",
       .call = [](const Tensors& x) { return pow(x[0], 3); },
       .samples = unary(-3, -0.5),
       .sized = rows_of(1, -3, -0.5),
       .scalar = [](double x) { return std::pow(x, 3); }});
  add_binary(
      "pow", "pow", pow, [](double a, double b) { return std::pow(a, b); }, binary(0.25, 3),
      rows_of(2, 0.25, 3));
  add_kinked(
      "abs", [](const Tensors& x) { return abs(x[0]); }, [](double x) { return std::abs(x); });
  add_kinked(
      "sign", [](const Tensors& x) { return sign(x[0]); },
      [](double x) { return static_cast<double>((x > 0) - (x < 0)); });
  add_unary("exp", exp, [](double x) { return std::exp(x); });
  add_unary("expm1", expm1, [](double x) { return std::expm1(x); });
  add_unary(
      "log", log, [](double x) { return std::log(x); }, 0.25, 4);
  add_unary(
      "log1p", log1p, [](double x) { return std::log1p(x); }, -0.75, 3);
  add_unary(
      "sqrt", sqrt, [](double x) { return std::sqrt(x); }, 0.25, 4);
  add_unary(
      "rsqrt", rsqrt, [](double x) { return 1 / std::sqrt(x); }, 0.25, 4);
  add_unary("square", square, [](double x) { return x * x; });
  add_unary(
      "sin", sin, [](double x) { return std::sin(x); }, -7, 7);
  add_unary(
      "cos", cos, [](double x) { return std::cos(x); }, -7, 7);
  add_unary("tanh", tanh, [](double x) { return std::tanh(x); });
  add_unary(
      "sigmoid", sigmoid, [](double x) { return 1 / (1 + std::exp(-x)); }, -5, 5);
  add_kinked(
      "relu", [](const Tensors& x) { return relu(x[0]); }, [](double x) { return x < 0 ? 0 : x; });
  add_kinked(
      "leaky_relu", [](const Tensors& x) { return leaky_relu(x[0], 0.2); },
      [](double x) { return x > 0 ? x : 0.2 * x; });
  add_kinked(
      "elu", [](const Tensors& x) { return elu(x[0], 1.5); },
      [](double x) { return x > 0 ? x : 1.5 * std::expm1(x); });
  add_unary(
      "gelu", [](const Arg& x) { return gelu(x); }, gelu_exact, -4, 4);
  add({.name = "gelu",
       .what = "tanh",
       .call = [](const Tensors& x) { return gelu(x[0], "tanh"); },
       .samples = unary(-4, 4),
       .sized = rows_of(1, -4, 4),
       .scalar = gelu_tanh});
  add_unary(
      "silu", silu, [](double x) { return x / (1 + std::exp(-x)); }, -5, 5);
  add_unary(
      "softplus", [](const Arg& x) { return softplus(x); },
      [](double x) { return x > 20 ? x : std::log1p(std::exp(x)); }, -5, 5);
  add_kinked(
      "softplus", [](const Tensors& x) { return softplus(x[0], 2, 1.5); },
      [](double x) { return 2 * x > 1.5 ? x : std::log1p(std::exp(2 * x)) / 2; },
      "beta and threshold");
  add_unary("erf", erf, [](double x) { return std::erf(x); });
}

/// log(1 + eˣ).
double log_1_exp(double x) { return std::fmax(x, 0.0) + std::log1p(std::exp(-std::abs(x))); }
double hard_sigmoid(double x) { return std::isnan(x) ? x : std::clamp(x + 3, 0.0, 6.0) / 6; }
double scaled_elu(double x) {
  return 1.0507009873554805 * (x > 0 ? x : 1.6732632423543772 * std::expm1(x));
}

void register_more_functions() {
  add_kinked(
      "floor", [](const Tensors& x) { return floor(x[0]); },
      [](double x) { return std::floor(x); });
  add_kinked(
      "ceil", [](const Tensors& x) { return ceil(x[0]); }, [](double x) { return std::ceil(x); });
  add_kinked(
      "round", [](const Tensors& x) { return round(x[0]); }, [](double x) { return std::rint(x); });
  add_kinked(
      "trunc", [](const Tensors& x) { return trunc(x[0]); },
      [](double x) { return std::trunc(x); });
  add_unary(
      "reciprocal", reciprocal, [](double x) { return 1 / x; }, 0.25, 3);
  add_unary("exp2", exp2, [](double x) { return std::exp2(x); });
  add_unary(
      "log2", log2, [](double x) { return std::log2(x); }, 0.25, 4);
  add_unary(
      "log10", log10, [](double x) { return std::log10(x); }, 0.25, 4);
  add_unary(
      "tan", tan, [](double x) { return std::tan(x); }, -1, 1);
  add_unary(
      "asin", asin, [](double x) { return std::asin(x); }, -0.75, 0.75);
  add_unary(
      "acos", acos, [](double x) { return std::acos(x); }, -0.75, 0.75);
  add_unary("atan", atan, [](double x) { return std::atan(x); });
  add_unary("sinh", sinh, [](double x) { return std::sinh(x); });
  add_unary("cosh", cosh, [](double x) { return std::cosh(x); });
  add_unary(
      "logsigmoid", logsigmoid, [](double x) { return -log_1_exp(-x); }, -5, 5);
  add_unary(
      "mish", mish, [](double x) { return x * std::tanh(log_1_exp(x)); }, -5, 5);
  add_kinked(
      "selu", [](const Tensors& x) { return selu(x[0]); }, scaled_elu);
  add_kinked(
      "celu", [](const Tensors& x) { return celu(x[0], 1.5); },
      [](double x) { return x > 0 ? x : 1.5 * std::expm1(x / 1.5); });
  add_kinked(
      "softsign", [](const Tensors& x) { return softsign(x[0]); },
      [](double x) { return x / (1 + std::abs(x)); });
  add_kinked(
      "hardtanh", [](const Tensors& x) { return hardtanh(x[0], -0.5, 0.75); },
      [](double x) { return std::clamp(x, -0.5, 0.75); });
  add({.name = "relu6",
       .call = [](const Tensors& x) { return relu6(x[0]); },
       .samples = unary_distinct(),
       .sized = rows_of(1, -2, 8),
       .scalar = [](double x) { return std::clamp(x, 0.0, 6.0); },
       .node = "hardtanh"});
  add_kinked(
      "hardsigmoid", [](const Tensors& x) { return hardsigmoid(x[0]); }, hard_sigmoid);
  add_kinked(
      "hardswish", [](const Tensors& x) { return hardswish(x[0]); },
      [](double x) { return x * hard_sigmoid(x); });
  const auto channels = [](const Shape& x, int64_t n) { return Tensors{distinct(x), values({n})}; };
  add({.name = "prelu",
       .call = [](const Tensors& x) { return prelu(x[0], x[1]); },
       .samples = {channels({2, 3, 2}, 3), channels({2, 3}, 3), channels({5}, 1), channels({}, 1),
                   channels({2, 3}, 1)},
       .sized =
           [](int64_t rows, int64_t n) {
             return Tensors{values({rows, n}), values({n})};
           }});
}

void register_functions_of_two() {
  for (double x : {2.0, 0.5, 0.0})
    add({.name = "pow",
         .what = concat("of ", x),
         .call = [=](const Tensors& p) { return pow(x, p[0]); },
         .samples = unary(0.25, 3),
         .sized = rows_of(1, 0.25, 3),
         .scalar = [=](double p) { return std::pow(x, p); }});
  const auto modulo = [](double a, double b) {
    const double rest = std::fmod(a, b);
    return rest != 0 && (rest < 0) != (b < 0) ? rest + b : rest;
  };
  // Never near a multiple, where the function jumps.
  const Tensors rests = {numbers({5, -5, 5, -5, 0.5, 7}, {2, 3}),
                         numbers({3, 3, -3, -3, 2, 2}, {2, 3})};
  add({.name = "remainder",
       .call = [](const Tensors& x) { return remainder(x[0], x[1]); },
       .samples = {rests, {numbers({5, -5}, {2, 1}), numbers({3, -3, 2}, {3})}},
       .sized = rows_of(2, 1, 3),
       .scalar2 = modulo});
  add({.name = "remainder",
       .what = "by a number",
       .call = [](const Tensors& x) { return remainder(x[0], 1.5); },
       .samples = {{numbers({5, -5, 0.5, -0.5}, {4})}},
       .sized = rows_of(1),
       .scalar = [=](double x) { return modulo(x, 1.5); }});
  add_binary(
      "xlogy", "xlogy", xlogy, [](double a, double b) { return a == 0 ? 0 : a * std::log(b); },
      binary(0.25, 3), rows_of(2, 0.25, 3));
  add_binary(
      "logaddexp", "logaddexp", logaddexp,
      [](double a, double b) { return std::fmax(a, b) + std::log1p(std::exp(-std::abs(a - b))); },
      binary());
  add_binary(
      "atan2", "atan2", atan2, [](double a, double b) { return std::atan2(a, b); }, binary(0.25, 3),
      rows_of(2, 0.25, 3));
}

void register_choices() {
  const double kInf = INFINITY;
  add_kinked(
      "clamp", [](const Tensors& x) { return clamp(x[0], -0.5, 0.75); },
      [](double x) { return std::clamp(x, -0.5, 0.75); });
  add_kinked(
      "clamp", [](const Tensors& x) { return clamp(x[0], {}, 0.5); },
      [](double x) { return std::min(x, 0.5); }, "upper bound alone");
  add_kinked(
      "clamp", [=](const Tensors& x) { return clamp(x[0], 0.5, kInf); },
      [](double x) { return std::max(x, 0.5); }, "lower bound alone");
  add({.name = "clamp",
       .what = "from a tensor on",
       .call = [](const Tensors& x) { return clamp(x[0], x[1]); },
       .samples = binary_distinct(),
       .sized = rows_of(2),
       .scalar2 = [](double x, double low) { return std::max(x, low); },
       .node = "maximum"});
  add({.name = "clamp",
       .what = "between tensors",
       .call = [](const Tensors& x) { return clamp(x[0], x[1], x[1] + 1); },
       .samples = binary_distinct(),
       .sized = rows_of(2),
       .scalar2 = [](double x, double low) { return std::clamp(x, low, low + 1); },
       .node = "minimum"});
  add_kinked(
      "nan_to_num", [](const Tensors& x) { return nan_to_num(x[0], 3, 5, -7); },
      [](double x) {
        if (std::isfinite(x)) return x;
        return std::isnan(x) ? 3.0 : x > 0 ? 5.0 : -7.0;
      });
  add_binary(
      "minimum", "minimum", minimum, [](double a, double b) { return std::min(a, b); },
      binary_distinct());
  add_binary(
      "maximum", "maximum", maximum, [](double a, double b) { return std::max(a, b); },
      binary_distinct());
  const Sized masked = [](int64_t rows, int64_t n) {
    return Tensors{mask({rows, n}), values({rows, n}), values({rows, n})};
  };
  add({.name = "where",
       .call = [](const Tensors& x) { return where(x[0], x[1], x[2]); },
       .samples = {{mask({2, 3}), values({2, 3}), values({2, 3})},
                   {mask({3}), values({2, 1}), values({3})},
                   {mask({2, 1}), values({}), values({1, 3})},
                   {mask({}), values({2}), values({1})}},
       .sized = masked});
  add({.name = "where",
       .what = "number second",
       .call = [](const Tensors& x) { return where(x[0], x[1], -1.5); },
       .samples = {{mask({2, 3}), values({2, 3})}, {mask({2, 1}), values({3})}},
       .sized = masked});
  add({.name = "where",
       .what = "number first",
       .call = [](const Tensors& x) { return where(x[0], 2.5, x[1]); },
       .samples = {{mask({2, 3}), values({2, 3})}, {mask({2, 1}), values({3})}},
       .sized = masked});
  add({.name = "masked_fill",
       .call = [](const Tensors& x) { return masked_fill(x[1], x[0], -3); },
       .samples = {{mask({2, 3}), values({2, 3})},
                   {mask({3}), values({2, 3})},
                   {mask({2, 1}), values({2, 3})}},
       .sized = masked});
  for (double weight : {0.0, 0.25, 0.75, 1.0, 1.5})
    add({.name = "lerp",
         .what = concat("weight ", weight),
         .call = [=](const Tensors& x) { return lerp(x[0], x[1], weight); },
         .samples = binary(),
         .sized = rows_of(2),
         .scalar2 = [=](double a, double b) { return a + weight * (b - a); }});
}

void register_comparisons() {
  add_comparison("operator==", operator==, operator==,
                 [](double a, double b) { return double(a == b); });
  add_comparison("operator!=", operator!=, operator!=,
                 [](double a, double b) { return double(a != b); });
  add_comparison("operator<", operator<, operator<,
                 [](double a, double b) { return double(a < b); });
  add_comparison("operator<=", operator<=, operator<=,
                 [](double a, double b) { return double(a <= b); });
  add_comparison("operator>", operator>, operator>,
                 [](double a, double b) { return double(a > b); });
  add_comparison("operator>=", operator>=, operator>=,
                 [](double a, double b) { return double(a >= b); });
  const Sized masks = [](int64_t rows, int64_t n) {
    return Tensors{mask({rows, n}), mask({rows, n})};
  };
  add({.name = "operator&&",
       .call = [](const Tensors& x) { return x[0] && x[1]; },
       .samples = {{mask({2, 3}), mask({3})}},
       .sized = masks,
       .scalar2 = [](double a, double b) { return double(a && b); },
       .differentiable = false});
  add({.name = "operator||",
       .call = [](const Tensors& x) { return x[0] || x[1]; },
       .samples = {{mask({2, 3}), mask({3})}},
       .sized = masks,
       .scalar2 = [](double a, double b) { return double(a || b); },
       .differentiable = false});
  add({.name = "operator!",
       .call = [](const Tensors& x) { return !x[0]; },
       .samples = {{mask({2, 3})}},
       .sized = masks,
       .scalar = [](double a) { return double(!a); },
       .differentiable = false});
  const std::pair<const char*, Tensor (*)(const Arg&)> tests[] = {
      {"isfinite", isfinite}, {"isinf", isinf}, {"isnan", isnan}};
  for (const auto& [name, f] : tests)
    add({.name = name,
         .call = [f = f](const Tensors& x) { return f(x[0]); },
         .samples = {{numbers({1, INFINITY, -INFINITY, NAN, 0, -2}, {2, 3})}},
         .sized = rows_of(1),
         .differentiable = false});
}

}  // namespace

void register_elementwise() {
  register_arithmetic();
  register_functions();
  register_more_functions();
  register_functions_of_two();
  register_choices();
  register_comparisons();
}

}  // namespace tarsier::test
