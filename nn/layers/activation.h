#pragma once
// Elementwise functions as layers, for Sequential, and as options of other layers (Activation).
// Formulas in autograd/ops.h. Any floating shape.

#include <concepts>
#include <functional>
#include <string>
#include <string_view>
#include <utility>

#include "../module.h"

namespace tarsier::nn {

/// x · Φ(x), exactly or by the tanh formula. Source: Hendrycks & Gimpel 2016.
/// As https://pytorch.org/docs/stable/generated/torch.nn.GELU.html
struct GELU : Layer<GELU> {
  const std::string approximate;

  /// `approximate` is "none" or "tanh". Throws Error("gelu") otherwise.
  explicit GELU(std::string_view approximate = "none");
  Tensor forward(const Arg& x) { return gelu(x, approximate); }
  std::string extra_repr() const override;
};

/// max(x, 0).
struct ReLU : Layer<ReLU> {
  Tensor forward(const Arg& x) { return relu(x); }
};

/// x · σ(x).
struct SiLU : Layer<SiLU> {
  Tensor forward(const Arg& x) { return silu(x); }
};

/// (eˣ − e⁻ˣ) / (eˣ + e⁻ˣ).
struct Tanh : Layer<Tanh> {
  Tensor forward(const Arg& x) { return tanh(x); }
};

/// 1 / (1 + e⁻ˣ).
struct Sigmoid : Layer<Sigmoid> {
  Tensor forward(const Arg& x) { return sigmoid(x); }
};

/// x, or negative_slope · x where x < 0. Source: Maas et al. 2013.
struct LeakyReLU : Layer<LeakyReLU> {
  const double negative_slope;
  explicit LeakyReLU(double negative_slope = 0.01);
  Tensor forward(const Arg& x) { return leaky_relu(x, negative_slope); }
  std::string extra_repr() const override;
};

/// x, or alpha · (eˣ − 1) where x < 0. Source: Clevert et al. 2016.
struct ELU : Layer<ELU> {
  const double alpha;
  explicit ELU(double alpha = 1);
  Tensor forward(const Arg& x) { return elu(x, alpha); }
  std::string extra_repr() const override;
};

/// log(1 + e^{beta·x}) / beta; x itself where beta·x > threshold.
struct Softplus : Layer<Softplus> {
  const double beta, threshold;
  explicit Softplus(double beta = 1, double threshold = 20);
  Tensor forward(const Arg& x) { return softplus(x, beta, threshold); }
  std::string extra_repr() const override;
};

/// 1.0507… · elu(x, 1.6732…). Source: Klambauer et al. 2017.
struct SELU : Layer<SELU> {
  Tensor forward(const Arg& x) { return selu(x); }
};

/// x, or alpha · (e^{x/alpha} − 1) where x < 0. Source: Barron 2017.
struct CELU : Layer<CELU> {
  const double alpha;
  explicit CELU(double alpha = 1);
  Tensor forward(const Arg& x) { return celu(x, alpha); }
  std::string extra_repr() const override;
};

/// x, or weight · x where x < 0. `weight` (num_parameters) is learned, and starts at `init`: one
/// for all, or one for each channel (dimension 1). Source: He et al. 2015.
/// As https://pytorch.org/docs/stable/generated/torch.nn.PReLU.html
struct PReLU : Layer<PReLU> {
  const int64_t num_parameters;
  Tensor weight;
  explicit PReLU(int64_t num_parameters = 1, double init = 0.25);
  Tensor forward(const Arg& x) { return prelu(x, weight); }
  std::string extra_repr() const override;
};

/// x · tanh(log(1 + eˣ)). Source: Misra 2019.
struct Mish : Layer<Mish> {
  Tensor forward(const Arg& x) { return mish(x); }
};

/// log σ(x).
struct LogSigmoid : Layer<LogSigmoid> {
  Tensor forward(const Arg& x) { return logsigmoid(x); }
};

/// x / (1 + |x|).
struct Softsign : Layer<Softsign> {
  Tensor forward(const Arg& x) { return softsign(x); }
};

/// x limited to [min_val, max_val]. Throws Error("hardtanh") if min_val > max_val.
struct Hardtanh : Layer<Hardtanh> {
  const double min_val, max_val;
  explicit Hardtanh(double min_val = -1, double max_val = 1);
  Tensor forward(const Arg& x) { return hardtanh(x, min_val, max_val); }
  std::string extra_repr() const override;
};

/// x limited to [0, 6].
struct ReLU6 : Layer<ReLU6> {
  Tensor forward(const Arg& x) { return relu6(x); }
};

/// (x + 3) / 6 limited to [0, 1].
struct Hardsigmoid : Layer<Hardsigmoid> {
  Tensor forward(const Arg& x) { return hardsigmoid(x); }
};

/// x · hardsigmoid(x). Source: Howard et al. 2019.
struct Hardswish : Layer<Hardswish> {
  Tensor forward(const Arg& x) { return hardswish(x); }
};

/// e^{x_i} / Σ_j e^{x_j} along `dim`.
struct Softmax : Layer<Softmax> {
  const int64_t dim;
  explicit Softmax(int64_t dim);
  Tensor forward(const Arg& x) { return softmax(x, dim); }
  std::string extra_repr() const override;
};

/// log(e^{x_i} / Σ_j e^{x_j}) along `dim`.
struct LogSoftmax : Layer<LogSoftmax> {
  const int64_t dim;
  explicit LogSoftmax(int64_t dim);
  Tensor forward(const Arg& x) { return log_softmax(x, dim); }
  std::string extra_repr() const override;
};

/// Gated linear units: x is split into two halves along `dim`, and the second half, through a
/// function, gates the first: (…, 2C) → (…, C). Like PyTorch's GLU, for three functions.
/// The usual block has two linear maps around it: gate(Linear(C, 2F)(x)), then Linear(F, C).
/// Throws Error(name) if the size of `dim` is odd.
/// Sources: Dauphin et al. 2017; Shazeer 2020, "GLU variants improve Transformer".
/// As https://pytorch.org/docs/stable/generated/torch.nn.GLU.html
class GatedUnit : public Layer<GatedUnit> {
 public:
  const int64_t dim;

  Tensor forward(const Arg& x);
  std::string extra_repr() const override;

 protected:
  using Gate = Tensor (*)(const Arg&);
  GatedUnit(const char* op, Gate gate, int64_t dim);

 private:
  const char* const op_;
  const Gate gate_;
};

/// a · σ(b).
struct GLU : GatedUnit {
  explicit GLU(int64_t dim = -1);
  std::string type_name() const override;
};

/// a · silu(b) = a · b · σ(b).
struct SwiGLU : GatedUnit {
  explicit SwiGLU(int64_t dim = -1);
  std::string type_name() const override;
};

/// a · gelu(b), the exact one.
struct GEGLU : GatedUnit {
  explicit GEGLU(int64_t dim = -1);
  std::string type_name() const override;
};

/// An elementwise function as an option of a layer: a name, or anything that maps a tensor to one
/// of the same shape, with a name for prints.
///   {.activation = "gelu"}   {.activation = silu}   {.activation = {squared_relu, "relu²"}}
class Activation {
 public:
  /// "relu", "gelu", "gelu_tanh", "silu", "tanh" or "sigmoid". Throws Error("activation") for
  /// others.
  template <std::convertible_to<std::string_view> Name>
  Activation(const Name& name) : name_(std::string_view(name)), function_(named(name_)) {}
  template <std::invocable<const Arg&> Function>
  Activation(Function function, std::string name = "custom")
      : name_(std::move(name)), function_(std::move(function)) {}

  Tensor operator()(const Arg& x) const { return function_(x); }
  const std::string& name() const { return name_; }

 private:
  using Function = std::function<Tensor(const Arg&)>;
  static Function named(const std::string& name);

  std::string name_;
  Function function_;
};

}  // namespace tarsier::nn
