// Gradients at points with more than one slope: at bounds and corners, and for equal elements.
// Compared with tests/golden/kinks.safetensors.
#include <cmath>
#include <functional>
#include <map>
#include <set>

#include "nn/nn.h"
#include "tests/nn/golden.h"

namespace tarsier {
namespace {

using Tensors = std::vector<Tensor>;
using Function = std::function<Tensor(const Tensors&)>;

constexpr double kInf = INFINITY;

Function norm_of(double p) {
  return [=](const Tensors& x) { return norm(x[0], p); };
}
Function smooth_l1(double beta) {
  return [=](const Tensors& x) {
    return nn::smooth_l1_loss(x[0], zeros_like(x[0]), Reduction::none, beta);
  };
}
Function huber(double delta) {
  return [=](const Tensors& x) {
    return nn::huber_loss(x[0], zeros_like(x[0]), Reduction::none, delta);
  };
}
Function cosine(double target) {
  return [=](const Tensors& x) {
    return nn::cosine_embedding_loss(x[0], x[1], full({1}, target, x[0].dtype()));
  };
}
Function triplet(bool swap) {
  return [=](const Tensors& x) {
    return nn::triplet_margin_loss(x[0], x[1], x[2], {.eps = 0, .swap = swap});
  };
}

const std::map<std::string, Function> functions = {
    {"clamp", [](auto& x) { return clamp(x[0], 0, 1); }},
    {"clamp_min", [](auto& x) { return clamp(x[0], 0.5); }},
    {"clamp_max", [](auto& x) { return clamp(x[0], {}, -0.5); }},
    {"clamp_point", [](auto& x) { return clamp(x[0], 1, 1); }},
    {"clamp_crossed", [](auto& x) { return clamp(x[0], 2, -1); }},
    {"relu", [](auto& x) { return relu(x[0]); }},
    {"leaky_relu", [](auto& x) { return leaky_relu(x[0], 0.1); }},
    {"elu", [](auto& x) { return elu(x[0], 1.5); }},
    {"softplus", [](auto& x) { return softplus(x[0], 2, 2); }},
    {"abs", [](auto& x) { return abs(x[0]); }},
    {"sign", [](auto& x) { return sign(x[0]); }},
    {"square_root", [](auto& x) { return sqrt(x[0]); }},
    {"power", [](auto& x) { return pow(x[0], 2); }},
    {"power_none", [](auto& x) { return pow(x[0], 0); }},
    {"power_tensor", [](auto& x) { return pow(x[0], x[1]); }},
    {"maximum", [](auto& x) { return maximum(x[0], x[1]); }},
    {"minimum", [](auto& x) { return minimum(x[0], x[1]); }},
    {"amax", [](auto& x) { return amax(x[0]); }},
    {"amin", [](auto& x) { return amin(x[0]); }},
    {"max", [](auto& x) { return max(x[0]); }},
    {"min", [](auto& x) { return min(x[0]); }},
    {"max_along", [](auto& x) { return max(x[0], 0).values; }},
    {"min_along", [](auto& x) { return min(x[0], 0).values; }},
    {"prod", [](auto& x) { return prod(x[0]); }},
    {"prod_one", [](auto& x) { return prod(x[0]); }},
    {"norm_0.5", norm_of(0.5)},
    {"norm_1", norm_of(1)},
    {"norm_1_zero", norm_of(1)},
    {"norm_1.5", norm_of(1.5)},
    {"norm_1.5_zero", norm_of(1.5)},
    {"norm_2", norm_of(2)},
    {"norm_2_zero", norm_of(2)},
    {"norm_3", norm_of(3)},
    {"norm_3_zero", norm_of(3)},
    {"norm_inf", norm_of(kInf)},
    {"norm_inf_zero", norm_of(kInf)},
    {"stddev", [](auto& x) { return stddev(x[0]); }},
    {"max_pool2d", [](auto& x) { return max_pool2d(x[0], 2); }},
    {"l1", [](auto& x) { return nn::l1_loss(x[0], zeros_like(x[0]), Reduction::none); }},
    {"smooth_l1_0.0", smooth_l1(0)},
    {"smooth_l1_0.5", smooth_l1(0.5)},
    {"smooth_l1_1.0", smooth_l1(1)},
    {"huber_0.5", huber(0.5)},
    {"huber_1.0", huber(1)},
    {"cosine_zero", cosine(-1)},
    {"cosine_square", cosine(-1)},
    {"cosine_same", cosine(1)},
    {"triplet", triplet(false)},
    {"triplet_swap", triplet(true)},
    {"binary_cross_entropy",
     [](auto& x) {
       return nn::binary_cross_entropy(x[0], to(tensor({0, 1, 1, 0}), x[0].dtype()), {},
                                       Reduction::none);
     }},
};

TEST_CASE("gradients at corners and of equal elements are PyTorch's") {
  for (const DType dtype : {f64, f32})
    for (const bool create_graph : {false, true}) {
      const TensorDict numbers = golden("kinks.safetensors", "", dtype);
      std::set<std::string> names;
      for (const auto& [key, tensor] : numbers) names.insert(key.substr(0, key.rfind('.')));
      CHECK(names.size() == functions.size());
      for (const auto& [name, function] : functions) {
        CAPTURE(name);
        CAPTURE(create_graph);
        Tensors x, expected;
        for (const std::string suffix : {"", "2", "3"})
          if (const Tensor* input = numbers.find(name + ".x" + suffix)) {
            x.push_back(clone(*input).requires_grad_());
            expected.push_back(numbers[name + ".dx" + suffix]);
          }
        const Tensors dx = grad({sum(function(x))}, x, {}, false, create_graph, true);
        for (size_t i = 0; i < x.size(); ++i)
          check_close(name, dx[i].defined() ? dx[i] : zeros_like(x[i]), expected[i]);
      }
    }
}

}  // namespace
}  // namespace tarsier
