#pragma once
// Initial values of parameters. All change a floating tensor in place, without recording, and
// return it. Names, arguments and formulas as torch.nn.init
// (https://pytorch.org/docs/stable/nn.init.html).

#include <string_view>

#include "../autograd/base/random.h"
#include "../autograd/tensor/tensor.h"

namespace tarsier::nn {

/// While it lives, the initialisers below that draw random numbers do nothing on this thread, and
/// draw nothing: for a model whose weights are loaded next. Until then those parameters are
/// uninitialised. As torch.nn.utils.skip_init.
///   auto model = [] { NoInit guard; return std::make_unique<Gpt>(…); }();
///   model->load_state_dict(load_safetensors(path));
class NoInit {
 public:
  NoInit();
  ~NoInit();
  NoInit(const NoInit&) = delete;
  NoInit& operator=(const NoInit&) = delete;

 private:
  bool before_;
};

Tensor zeros_(const Tensor& x);
Tensor ones_(const Tensor& x);
Tensor constant_(const Tensor& x, double value);

/// Uniform in [a, b).
Tensor uniform_(const Tensor& x, double a = 0, double b = 1,
                Generator& generator = default_generator());
/// Normal with the given mean and standard deviation.
Tensor normal_(const Tensor& x, double mean = 0, double std = 1,
               Generator& generator = default_generator());
/// Normal, limited to [a, b] by inverting the distribution function there. The bounds are values,
/// not numbers of deviations. Throws Error("trunc_normal_") unless a < b, std > 0 and the normal
/// distribution has some of its mass between them.
Tensor trunc_normal_(const Tensor& x, double mean = 0, double std = 1, double a = -2, double b = 2,
                     Generator& generator = default_generator());

/// The number of inputs and outputs of one element of a weight (out, in, kernel sizes…).
struct Fans {
  int64_t in;
  int64_t out;
};
/// Throws Error("fan_in_and_fan_out") for less than two dimensions.
Fans fan_in_and_fan_out(const Tensor& weight);

/// The factor that keeps the variance through `nonlinearity`: "linear", "sigmoid" 1, "tanh" 5/3,
/// "relu" √2, "leaky_relu" √(2 / (1 + a²)), "selu" 3/4.
/// Throws Error("calculate_gain") for other names.
double calculate_gain(std::string_view nonlinearity, double a = 0.01);

/// U(−b, b), b = gain·√(6 / (fan_in + fan_out)). Source: Glorot & Bengio 2010.
Tensor xavier_uniform_(const Tensor& x, double gain = 1,
                       Generator& generator = default_generator());
/// N(0, gain²·2 / (fan_in + fan_out)).
Tensor xavier_normal_(const Tensor& x, double gain = 1, Generator& generator = default_generator());
/// U(−b, b), b = gain·√(3 / fan); `mode` is "fan_in" or "fan_out". Source: He et al. 2015.
Tensor kaiming_uniform_(const Tensor& x, double a = 0, std::string_view mode = "fan_in",
                        std::string_view nonlinearity = "leaky_relu",
                        Generator& generator = default_generator());
/// N(0, gain² / fan).
Tensor kaiming_normal_(const Tensor& x, double a = 0, std::string_view mode = "fan_in",
                       std::string_view nonlinearity = "leaky_relu",
                       Generator& generator = default_generator());

/// gain·Q, where the rows of Q (as a matrix of size(0) rows) are orthonormal, or, if there are more
/// rows than columns, its columns; drawn uniformly from all such matrices.
/// Throws Error("orthogonal_") for less than two dimensions.
/// Source: Saxe et al. 2013, "Exact solutions to the nonlinear dynamics of learning".
Tensor orthogonal_(const Tensor& x, double gain = 1, Generator& generator = default_generator());

}  // namespace tarsier::nn
