// Activations as layers: values and gradients are PyTorch's (2.15, in f64), for the same six numbers.
#include <doctest/doctest.h>

#include <cmath>
#include <sstream>

#include "nn/layers/activation.h"

namespace tarsier {
namespace {

const Tensor kX = tensor({-4, -2, -0.5, 0.25, 1.5, 4}, f64);

template <class M>
void check_layer(M&& layer, std::initializer_list<double> y, std::initializer_list<double> dx) {
  CAPTURE(layer.type_name());
  const Tensor x = clone(kX).requires_grad_();
  const Tensor got = layer(x);
  CHECK(allclose(got, tensor(y, f64), 1e-13, 1e-15));
  CHECK(allclose(grad({sum(got)}, {x})[0], tensor(dx, f64), 1e-13, 1e-15));
}

TEST_CASE("activation layers compute what PyTorch's compute") {
  check_layer(nn::Hardtanh(), {-1, -1, -0.5, 0.25, 1, 1}, {0, 0, 1, 1, 0, 0});
  check_layer(nn::ReLU6(), {0, 0, 0, 0.25, 1.5, 4}, {0, 0, 0, 1, 1, 1});
  check_layer(nn::Hardswish(),
              {-0.0, -0.3333333333333333, -0.20833333333333334, 0.13541666666666666, 1.125, 4.0},
              {0.0, -0.16666666666666663, 0.33333333333333337, 0.5833333333333334, 1.0, 1.0});
  const double sixth = 1.0 / 6;  // PyTorch's is rounded to f32, in f64 as well
  check_layer(nn::Hardsigmoid(),
              {0.0, 0.16666666666666666, 0.4166666666666667, 0.5416666666666666, 0.75, 1.0},
              {0, sixth, sixth, sixth, sixth, 0});
  check_layer(nn::Mish(),
              {-0.07259174079202535, -0.2525014826957089, -0.22074377465173, 0.1695724096638176,
               1.4033782663958028, 3.9974128069762385},
              {-0.05377320979348033, -0.1083550924203939, 0.28951067791351226, 0.7541726677205928,
               1.0884879850078475, 1.0044328769037503});
  check_layer(nn::SELU(),
              {-1.7258986281898945, -1.5201664685956948, -0.6917581878028713, 0.2626752468388701,
               1.5760514810332207, 4.202803949421922},
              {0.03220071265748214, 0.2379328722516818, 1.0663411530445053, 1.0507009873554805,
               1.0507009873554805, 1.0507009873554805});
  check_layer(nn::CELU(),
              {-0.9816843611112658, -0.8646647167633873, -0.3934693402873666, 0.25, 1.5, 4.0},
              {0.01831563888873418, 0.1353352832366127, 0.6065306597126334, 1.0, 1.0, 1.0});
  check_layer(nn::Softsign(), {-0.8, -0.6666666666666666, -0.3333333333333333, 0.2, 0.6, 0.8},
              {0.04, 0.1111111111111111, 0.4444444444444444, 0.64, 0.16, 0.04});
  check_layer(nn::LogSigmoid(),
              {-4.0181499279178094, -2.1269280110429727, -0.9740769841801067, -0.5759394198788436,
               -0.2014132779827524, -0.018149927917809738},
              {0.9820137900379085, 0.8807970779778824, 0.6224593312018545, 0.4378234991142019,
               0.18242552380635632, 0.017986209962091555});
}

TEST_CASE("PReLU learns one slope for all, or one for each channel") {
  nn::PReLU layer(2);
  CHECK(layer.state_dict().contains("weight"));
  CHECK(layer.weight.to_vector() == std::vector<double>{0.25, 0.25});
  {
    const NoGrad guard;
    copy_(layer.weight, tensor({0.25, 0.5}));
  }
  const double inf = INFINITY;
  const Tensor x = tensor({{1, -2}, {0, inf}, {-3, -1}}).requires_grad_();
  const Tensor y = layer(x);
  CHECK(y.to_vector() == std::vector<double>{1, -1, 0, inf, -0.75, -0.5});
  const std::vector<Tensor> dx = grad({y}, {x, layer.weight}, {ones({3, 2})});
  CHECK(dx[0].to_vector() == std::vector<double>{1, 0.5, 0.25, 1, 0.25, 0.5});
  CHECK(dx[1].to_vector() == std::vector<double>{-3, -3});
  CHECK_THROWS_WITH_AS(layer(ones({2, 3})), doctest::Contains("2 elements"), Error);
  CHECK(nn::PReLU()(tensor({-4, 4})).to_vector() == std::vector<double>{-1, 4});
}

TEST_CASE("activation layers print their options as PyTorch's do, and refuse wrong ones") {
  const auto printed = [](const nn::Module& layer) {
    std::ostringstream out;
    out << layer;
    return out.str();
  };
  CHECK(printed(nn::Hardtanh()).find("Hardtanh(min_val=-1, max_val=1)") == 0);
  CHECK(printed(nn::PReLU(3)).find("PReLU(num_parameters=3)") == 0);
  CHECK(printed(nn::CELU(2)).find("CELU(alpha=2)") == 0);
  CHECK_THROWS_AS(nn::Hardtanh(1, -1)(kX), Error);
  CHECK_THROWS_AS(nn::CELU(0)(kX), Error);
}

}  // namespace
}  // namespace tarsier
