#pragma once
// Every function of one variable: its value and its gradient, next to each other.
//
// V is a vector register (Simd<T>, for each instruction set) in the kernels, and Traced (traced.h)
// if a gradient is differentiated again: then the same formula records ops. So a derivative is
// written once, and has derivatives of any order. The functions that the formulas call (exp,
// select, …) are found next to V: in simd/math.h, or in traced.h. No standard library here: this
// file is compiled once per instruction set.

namespace tarsier::kernels {

// clang-format off
/// The list of functions. `count` is their number.
enum class Unary : unsigned char {
  neg, abs, sign, floor, ceil, round, trunc, reciprocal, square, sqrt, rsqrt,
  exp, expm1, exp2, log, log1p, log2, log10,
  sin, cos, tan, asin, acos, atan, sinh, cosh, tanh, erf,
  sigmoid, logsigmoid, relu, leaky_relu, elu, selu, celu, gelu, gelu_tanh, silu, mish, softplus,
  softsign, hardtanh, hardsigmoid, hardswish,
  count
};

/// What the gradient is computed from besides dy: nothing, the argument, or the result.
enum class Saves : unsigned char { nothing, x, y };

/// Most functions: computing takes far longer than loading.
template <Saves what>
struct Costly {
  static constexpr Saves saves = what;
  static constexpr bool cheap = false;
};
/// Functions that are limited by memory.
template <Saves what>
struct Cheap {
  static constexpr Saves saves = what;
  static constexpr bool cheap = true;
};

constexpr double kLn2 = 0.69314718055994531, kLn10 = 2.302585092994046;

/// The number `c` as a V, in all lanes.
template <class V>
V all(double c) { return V(static_cast<typename V::Lane>(c)); }

/// One function. `value` is y = f(x), and `grad` is dx = dy · f′, from what the function saves.
/// Parameters of the function, two at most, are the last arguments of both.
template <Unary>
struct Function;

// ---------------------------------------------------------------------------- signs and powers

template <> struct Function<Unary::neg> : Cheap<Saves::nothing> {
  static constexpr const char* name = "neg";
  template <class V> static V value(V x) { return -x; }
  template <class V> static V grad(V, V dy) { return -dy; }
};

template <> struct Function<Unary::abs> : Cheap<Saves::x> {
  static constexpr const char* name = "abs";
  template <class V> static V value(V x) { return abs(x); }
  template <class V> static V grad(V x, V dy) { return dy * sign(x); }
};

/// −1, 0 or 1.
template <> struct Function<Unary::sign> : Cheap<Saves::nothing> {
  static constexpr const char* name = "sign";
  template <class V> static V value(V x) { return sign(x); }
  template <class V> static V grad(V, V) { return all<V>(0); }
};

/// The largest integer up to x. Steps have slope 0, as in PyTorch.
template <> struct Function<Unary::floor> : Cheap<Saves::nothing> {
  static constexpr const char* name = "floor";
  template <class V> static V value(V x) { return floor(x); }
  template <class V> static V grad(V, V) { return all<V>(0); }
};

template <> struct Function<Unary::ceil> : Cheap<Saves::nothing> {
  static constexpr const char* name = "ceil";
  template <class V> static V value(V x) { return ceil(x); }
  template <class V> static V grad(V, V) { return all<V>(0); }
};

/// Halves go to the even integer.
template <> struct Function<Unary::round> : Cheap<Saves::nothing> {
  static constexpr const char* name = "round";
  template <class V> static V value(V x) { return round(x); }
  template <class V> static V grad(V, V) { return all<V>(0); }
};

template <> struct Function<Unary::trunc> : Cheap<Saves::nothing> {
  static constexpr const char* name = "trunc";
  template <class V> static V value(V x) { return trunc(x); }
  template <class V> static V grad(V, V) { return all<V>(0); }
};

template <> struct Function<Unary::reciprocal> : Cheap<Saves::y> {
  static constexpr const char* name = "reciprocal";
  template <class V> static V value(V x) { return all<V>(1) / x; }
  template <class V> static V grad(V y, V dy) { return -dy * (y * y); }
};

template <> struct Function<Unary::square> : Cheap<Saves::x> {
  static constexpr const char* name = "square";
  template <class V> static V value(V x) { return x * x; }
  template <class V> static V grad(V x, V dy) { return dy * (all<V>(2) * x); }
};

template <> struct Function<Unary::sqrt> : Costly<Saves::y> {
  static constexpr const char* name = "sqrt";
  template <class V> static V value(V x) { return sqrt(x); }
  template <class V> static V grad(V y, V dy) { return dy / (all<V>(2) * y); }
};

/// 1/√x; its derivative is −½ x^{−3/2} = −½ y³.
template <> struct Function<Unary::rsqrt> : Costly<Saves::y> {
  static constexpr const char* name = "rsqrt";
  template <class V> static V value(V x) { return all<V>(1) / sqrt(x); }
  template <class V> static V grad(V y, V dy) { return dy * (all<V>(-0.5) * (y * y * y)); }
};

// ----------------------------------------------------------------------- exponentials, logarithms

template <> struct Function<Unary::exp> : Costly<Saves::y> {
  static constexpr const char* name = "exp";
  template <class V> static V value(V x) { return exp(x); }
  template <class V> static V grad(V y, V dy) { return dy * y; }
};

/// eˣ − 1, accurate near 0.
template <> struct Function<Unary::expm1> : Costly<Saves::y> {
  static constexpr const char* name = "expm1";
  template <class V> static V value(V x) { return expm1(x); }
  template <class V> static V grad(V y, V dy) { return dy * (y + all<V>(1)); }
};

/// 2ˣ.
template <> struct Function<Unary::exp2> : Costly<Saves::y> {
  static constexpr const char* name = "exp2";
  template <class V> static V value(V x) { return exp2(x); }
  template <class V> static V grad(V y, V dy) { return dy * (y * all<V>(kLn2)); }
};

template <> struct Function<Unary::log> : Costly<Saves::x> {
  static constexpr const char* name = "log";
  template <class V> static V value(V x) { return log(x); }
  template <class V> static V grad(V x, V dy) { return dy / x; }
};

/// ln(1 + x), accurate near 0.
template <> struct Function<Unary::log1p> : Costly<Saves::x> {
  static constexpr const char* name = "log1p";
  template <class V> static V value(V x) { return log1p(x); }
  template <class V> static V grad(V x, V dy) { return dy / (all<V>(1) + x); }
};

template <> struct Function<Unary::log2> : Costly<Saves::x> {
  static constexpr const char* name = "log2";
  template <class V> static V value(V x) { return log2(x); }
  template <class V> static V grad(V x, V dy) { return dy / (x * all<V>(kLn2)); }
};

template <> struct Function<Unary::log10> : Costly<Saves::x> {
  static constexpr const char* name = "log10";
  template <class V> static V value(V x) { return log10(x); }
  template <class V> static V grad(V x, V dy) { return dy / (x * all<V>(kLn10)); }
};

// ----------------------------------------------------------------------- angles, error function

template <> struct Function<Unary::sin> : Costly<Saves::x> {
  static constexpr const char* name = "sin";
  template <class V> static V value(V x) { return sin(x); }
  template <class V> static V grad(V x, V dy) { return dy * cos(x); }
};

template <> struct Function<Unary::cos> : Costly<Saves::x> {
  static constexpr const char* name = "cos";
  template <class V> static V value(V x) { return cos(x); }
  template <class V> static V grad(V x, V dy) { return -dy * sin(x); }
};

template <> struct Function<Unary::tan> : Costly<Saves::y> {
  static constexpr const char* name = "tan";
  template <class V> static V value(V x) { return tan(x); }
  template <class V> static V grad(V y, V dy) { return dy * (all<V>(1) + y * y); }
};

/// 1 − x² as (1 − x)(1 + x), which keeps its digits near ±1.
template <> struct Function<Unary::asin> : Costly<Saves::x> {
  static constexpr const char* name = "asin";
  template <class V> static V value(V x) { return asin(x); }
  template <class V> static V grad(V x, V dy) { return dy / sqrt((all<V>(1) - x) * (all<V>(1) + x)); }
};

template <> struct Function<Unary::acos> : Costly<Saves::x> {
  static constexpr const char* name = "acos";
  template <class V> static V value(V x) { return acos(x); }
  template <class V> static V grad(V x, V dy) { return -dy / sqrt((all<V>(1) - x) * (all<V>(1) + x)); }
};

template <> struct Function<Unary::atan> : Costly<Saves::x> {
  static constexpr const char* name = "atan";
  template <class V> static V value(V x) { return atan(x); }
  template <class V> static V grad(V x, V dy) { return dy / (all<V>(1) + x * x); }
};

template <> struct Function<Unary::sinh> : Costly<Saves::x> {
  static constexpr const char* name = "sinh";
  template <class V> static V value(V x) { return sinh(x); }
  template <class V> static V grad(V x, V dy) { return dy * cosh(x); }
};

template <> struct Function<Unary::cosh> : Costly<Saves::x> {
  static constexpr const char* name = "cosh";
  template <class V> static V value(V x) { return cosh(x); }
  template <class V> static V grad(V x, V dy) { return dy * sinh(x); }
};

template <> struct Function<Unary::tanh> : Costly<Saves::y> {
  static constexpr const char* name = "tanh";
  template <class V> static V value(V x) { return tanh(x); }
  template <class V> static V grad(V y, V dy) { return dy * (all<V>(1) - y * y); }
};

/// 2/√π ∫₀ˣ e^{−t²} dt.
template <> struct Function<Unary::erf> : Costly<Saves::x> {
  static constexpr const char* name = "erf";
  template <class V> static V value(V x) { return erf(x); }
  template <class V> static V grad(V x, V dy) {
    return dy * (all<V>(1.1283791670955126) * exp(-(x * x)));  // 2/√π
  }
};

// -------------------------------------------------------------------------------- activations

/// 1 / (1 + e⁻ˣ).
template <> struct Function<Unary::sigmoid> : Costly<Saves::y> {
  static constexpr const char* name = "sigmoid";
  template <class V> static V value(V x) { return sigmoid(x); }
  template <class V> static V grad(V y, V dy) { return dy * (y * (all<V>(1) - y)); }
};

/// log σ(x) = −log(1 + e⁻ˣ), with slope 1 − σ(x) = σ(−x).
template <> struct Function<Unary::logsigmoid> : Costly<Saves::x> {
  static constexpr const char* name = "logsigmoid";
  template <class V> static V value(V x) { return -softplus(-x); }
  template <class V> static V grad(V x, V dy) { return dy * sigmoid(-x); }
};

/// max(0, x). NaN stays NaN, because max then returns its second argument.
template <> struct Function<Unary::relu> : Cheap<Saves::y> {
  static constexpr const char* name = "relu";
  template <class V> static V value(V x) { return max(all<V>(0), x); }
  template <class V> static V grad(V y, V dy) { return select(y > all<V>(0), dy, all<V>(0)); }
};

template <> struct Function<Unary::leaky_relu> : Cheap<Saves::x> {
  static constexpr const char* name = "leaky_relu";
  template <class V> static V value(V x, V slope) { return select(x > all<V>(0), x, slope * x); }
  template <class V> static V grad(V x, V dy, V slope) {
    return select(x > all<V>(0), dy, dy * slope);
  }
};

/// x where x > 0, otherwise α(eˣ − 1). The slope α eˣ equals y + α, but far below 0, where y is
/// nearly −α, that sum has no digits left. Source: Clevert, Unterthiner & Hochreiter 2016.
template <> struct Function<Unary::elu> : Costly<Saves::x> {
  static constexpr const char* name = "elu";
  template <class V> static V value(V x, V alpha) {
    return select(x > all<V>(0), x, expm1(x) * alpha);
  }
  template <class V> static V grad(V x, V dy, V alpha) {
    // 0 where it is unused: an infinite eˣ there would make second derivatives NaN.
    const V below = select(x > all<V>(0), all<V>(0), x);
    return select(x > all<V>(0), dy, dy * (alpha * exp(below)));
  }
};

/// λ · elu(x, α). Source: Klambauer et al. 2017.
template <> struct Function<Unary::selu> : Costly<Saves::x> {
  static constexpr const char* name = "selu";
  static constexpr double alpha = 1.6732632423543772, lambda = 1.0507009873554805;
  template <class V> static V value(V x) {     return all<V>(lambda) * Function<Unary::elu>::value(x, all<V>(alpha)); }
  template <class V> static V grad(V x, V dy) {     return all<V>(lambda) * Function<Unary::elu>::grad(x, dy, all<V>(alpha)); }
};

/// x where x > 0, otherwise α(e^{x/α} − 1): elu with slope 1 at 0. Source: Barron 2017.
template <> struct Function<Unary::celu> : Costly<Saves::x> {
  static constexpr const char* name = "celu";
  template <class V> static V value(V x, V alpha) {     return select(x > all<V>(0), x, alpha * expm1(x / alpha)); }
  template <class V> static V grad(V x, V dy, V alpha) {
    const V below = select(x > all<V>(0), all<V>(0), x);
    return select(x > all<V>(0), dy, dy * exp(below / alpha));
  }
};

/// x · Φ(x), with Φ the distribution of a normal variable and φ its density: (xΦ)′ = Φ + xφ.
template <> struct Function<Unary::gelu> : Costly<Saves::x> {
  static constexpr const char* name = "gelu";
  template <class V> static V value(V x) { return x * normal(x).cdf; }
  template <class V> static V grad(V x, V dy) {
    const auto [cdf, pdf] = normal(x);
    return dy * fma(x, pdf, cdf);
  }
};

/// ½x(1 + tanh u) with u = √(2/π)(x + 0.044715x³). As ½(1 + tanh u) = σ(v) with v = 2u, one
/// exponential and one division do: (x·σ(v))′ = σ + x·σ(1 − σ)·v′, v′ = 2√(2/π)(1 + 3·0.044715x²).
template <> struct Function<Unary::gelu_tanh> : Costly<Saves::x> {
  static constexpr const char* name = "gelu";
  static constexpr double a = 1.5957691216057308, b = 0.044715;  // 2√(2/π)
  template <class V> static V value(V x) {
    return x * sigmoid(x * fma(x * x, all<V>(a * b), all<V>(a)));
  }
  template <class V> static V grad(V any_x, V dy) {
    // Beyond ±10⁴ the slope is 0 or 1, and x² may overflow.
    using Lane = typename V::Lane;
    const V x = clamp(any_x, Lane(-1e4), Lane(1e4));
    const V x2 = x * x, s = sigmoid(x * fma(x2, all<V>(a * b), all<V>(a)));
    const V x_dv = x * fma(x2, all<V>(3 * a * b), all<V>(a));
    return dy * fma(s * (all<V>(1) - s), x_dv, s);
  }
};

/// x · σ(x): (xσ)′ = σ + x·σ(1 − σ). Source: Elfwing, Uchibe & Doya 2018.
template <> struct Function<Unary::silu> : Costly<Saves::x> {
  static constexpr const char* name = "silu";
  template <class V> static V value(V x) { return x * sigmoid(x); }
  template <class V> static V grad(V x, V dy) {
    const V s = sigmoid(x);
    return dy * fma(s * (all<V>(1) - s), x, s);
  }
};

/// x · t with t = tanh(log(1 + eˣ)): (xt)′ = t + x·(1 − t²)·σ(x). Source: Misra 2019.
template <> struct Function<Unary::mish> : Costly<Saves::x> {
  static constexpr const char* name = "mish";
  template <class V> static V value(V x) { return x * tanh(softplus(x)); }
  template <class V> static V grad(V x, V dy) {
    const V t = tanh(softplus(x));
    return dy * fma(x * sigmoid(x), all<V>(1) - t * t, t);
  }
};

/// log(1 + e^{z}) / β with z = βx, and x itself where z > threshold.
template <> struct Function<Unary::softplus> : Costly<Saves::x> {
  static constexpr const char* name = "softplus";
  template <class V> static V value(V x, V beta, V threshold) {
    const V z = x * beta;
    return select(z > threshold, x, softplus(z) / beta);
  }
  template <class V> static V grad(V x, V dy, V beta, V threshold) {
    const V z = x * beta;
    return select(z > threshold, dy, dy * sigmoid(z));
  }
};
/// x / (1 + |x|).
template <> struct Function<Unary::softsign> : Costly<Saves::x> {
  static constexpr const char* name = "softsign";
  template <class V> static V value(V x) { return x / (all<V>(1) + abs(x)); }
  template <class V> static V grad(V x, V dy) {
    const V d = all<V>(1) + abs(x);
    return dy / (d * d);
  }
};

/// x limited to [low, high]. The slope at the bounds is 0.
template <> struct Function<Unary::hardtanh> : Cheap<Saves::x> {
  static constexpr const char* name = "hardtanh";
  template <class V> static V value(V x, V low, V high) { return min(high, max(low, x)); }
  template <class V> static V grad(V x, V dy, V low, V high) {     return select(x <= low, all<V>(0), select(x >= high, all<V>(0), dy)); }
};

/// (x + 3) / 6, limited to [0, 1].
template <> struct Function<Unary::hardsigmoid> : Cheap<Saves::x> {
  static constexpr const char* name = "hardsigmoid";
  template <class V> static V value(V x) {     return min(all<V>(6), max(all<V>(0), x + all<V>(3))) / all<V>(6); }
  template <class V> static V grad(V x, V dy) {     return select((x > all<V>(-3)) & (x < all<V>(3)), dy / all<V>(6), all<V>(0)); }
};

/// x · hardsigmoid(x). Source: Howard et al. 2019.
template <> struct Function<Unary::hardswish> : Cheap<Saves::x> {
  static constexpr const char* name = "hardswish";
  template <class V> static V value(V x) {     return x * min(all<V>(6), max(all<V>(0), x + all<V>(3))) / all<V>(6); }
  template <class V> static V grad(V x, V dy) {
    const V inside = dy * (x / all<V>(3) + all<V>(0.5));
    return select(x <= all<V>(-3), all<V>(0), select(x < all<V>(3), inside, dy));
  }
};
// clang-format on

// ------------------------------------------------------------------------------- parameters

/// F's value, with as many of the parameters as it takes.
template <class F, class V>
V value_of(V x, V a, V b) {
  if constexpr (requires { F::value(x, a, b); })
    return F::value(x, a, b);
  else if constexpr (requires { F::value(x, a); })
    return F::value(x, a);
  else
    return F::value(x);
}
/// F's gradient.
template <class F, class V>
V grad_of(V saved, V dy, V a, V b) {
  if constexpr (requires { F::grad(saved, dy, a, b); })
    return F::grad(saved, dy, a, b);
  else if constexpr (requires { F::grad(saved, dy, a); })
    return F::grad(saved, dy, a);
  else
    return F::grad(saved, dy);
}

}  // namespace tarsier::kernels
