#include "nn/layers/activation.h"

#include <vector>

namespace tarsier::nn {

GELU::GELU(std::string_view approximate) : approximate(approximate) {
  check(approximate == "none" || approximate == "tanh", "gelu", "approximate '", approximate,
        "': use none or tanh");
}
std::string GELU::extra_repr() const { return "approximate='" + approximate + "'"; }

LeakyReLU::LeakyReLU(double negative_slope) : negative_slope(negative_slope) {}
std::string LeakyReLU::extra_repr() const { return concat("negative_slope=", negative_slope); }

ELU::ELU(double alpha) : alpha(alpha) {}
std::string ELU::extra_repr() const { return concat("alpha=", alpha); }

Softplus::Softplus(double beta, double threshold) : beta(beta), threshold(threshold) {}
std::string Softplus::extra_repr() const {
  return concat("beta=", beta, ", threshold=", threshold);
}

CELU::CELU(double alpha) : alpha(alpha) {}
std::string CELU::extra_repr() const { return concat("alpha=", alpha); }

PReLU::PReLU(int64_t num_parameters, double init) : num_parameters(num_parameters) {
  register_parameter("weight", weight, full({num_parameters}, init));
}
std::string PReLU::extra_repr() const { return concat("num_parameters=", num_parameters); }

Hardtanh::Hardtanh(double min_val, double max_val) : min_val(min_val), max_val(max_val) {}
std::string Hardtanh::extra_repr() const {
  return concat("min_val=", min_val, ", max_val=", max_val);
}

Softmax::Softmax(int64_t dim) : dim(dim) {}
std::string Softmax::extra_repr() const { return concat("dim=", dim); }

LogSoftmax::LogSoftmax(int64_t dim) : dim(dim) {}
std::string LogSoftmax::extra_repr() const { return concat("dim=", dim); }

// ---- gated units

GatedUnit::GatedUnit(const char* op, Gate gate, int64_t dim) : dim(dim), op_(op), gate_(gate) {}

Tensor GatedUnit::forward(const Arg& x) {
  check(x.size(dim) % 2 == 0, op_, "shape ", x.shape(), ": dimension ", dim,
        " must have an even size, to be split in two");
  const CallScope here(x.at);
  const std::vector<Tensor> halves = chunk(x, 2, dim);
  return halves[0] * gate_(halves[1]);
}
std::string GatedUnit::extra_repr() const { return concat("dim=", dim); }

GLU::GLU(int64_t dim) : GatedUnit("glu", sigmoid, dim) {}
std::string GLU::type_name() const { return "GLU"; }

SwiGLU::SwiGLU(int64_t dim) : GatedUnit("swiglu", silu, dim) {}
std::string SwiGLU::type_name() const { return "SwiGLU"; }

GEGLU::GEGLU(int64_t dim)
    : GatedUnit(
          "geglu", [](const Arg& x) { return gelu(x); }, dim) {}
std::string GEGLU::type_name() const { return "GEGLU"; }

// ---- by name

Activation::Function Activation::named(const std::string& name) {
  if (name == "relu") return relu;
  if (name == "gelu") return [](const Arg& x) { return gelu(x); };
  if (name == "gelu_tanh") return [](const Arg& x) { return gelu(x, "tanh"); };
  if (name == "silu") return silu;
  if (name == "tanh") return tanh;
  if (name == "sigmoid") return sigmoid;
  fail("activation", "no function '", name,
       "': use relu, gelu, gelu_tanh, silu, tanh, sigmoid, or a function of your own");
}

}  // namespace tarsier::nn
