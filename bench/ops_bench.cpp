// Single ops, forward or forward and backward, on one thread. bench/peers/ops.py does the same work
// in PyTorch, and compares.
#include <benchmark/benchmark.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "autograd/autograd.h"
#include "autograd/base/parallel.h"
#include "bench/bench.h"
#include "nn/nn.h"

namespace tarsier {
namespace {

using Step = std::function<void()>;

Tensor leaf(const Shape& shape) { return randn(shape).requires_grad_(); }

/// A step that only computes the value of f.
template <class F>
Step value(const F& f) {
  return [f] {
    const NoGrad no_grad;
    benchmark::DoNotOptimize(f().impl());
  };
}

/// A step that also computes the gradients of `inputs`, from a random upstream.
template <class F>
Step with_grad(const std::vector<Tensor>& inputs, const F& f) {
  const Tensor dy = no_grad([&] { return randn(f().shape()); });
  return [inputs, dy, f] { benchmark::DoNotOptimize(grad({f()}, inputs, {dy})); };
}

Step norm_step(const std::shared_ptr<nn::Module>& norm, const std::function<Tensor(Tensor)>& f) {
  const Tensor x = leaf({16, 64, 32, 32});
  std::vector<Tensor> inputs = norm->parameters();
  inputs.push_back(x);
  return with_grad(inputs, [=] { return f(x); });
}

struct Work {
  std::string name;
  std::function<Step()> make;
};

/// Called before each, so that only one is in memory.
const std::vector<Work>& works() {
  constexpr int64_t kMany = 1'000'000;
  static const std::vector<Work> all = {
      {"dot",
       [] { return value([a = randn({kMany}), b = randn({kMany})] { return matmul(a, b); }); }},
      {"softmax, middle",
       [] {
         const Tensor x = leaf({64, 128, 64});
         return with_grad({x}, [x] { return softmax(x, 1); });
       }},
      {"softmax, first",
       [] {
         const Tensor x = leaf({512, 1024});
         return with_grad({x}, [x] { return softmax(x, 0); });
       }},
      {"linear",
       [] {
         const Tensor x = leaf({1024, 768}), w = leaf({768, 768}), b = leaf({768});
         return with_grad({x, w, b}, [=] { return linear(x, w, b); });
       }},
      {"linear, small",
       [] {
         const Tensor x = leaf({256, 64}), w = leaf({64, 64}), b = leaf({64});
         return with_grad({x, w, b}, [=] { return linear(x, w, b); });
       }},
      {"conv2d",
       [] {
         const Tensor x = leaf({8, 64, 32, 32}), w = leaf({64, 64, 3, 3});
         return with_grad({x, w}, [=] { return conv2d(x, w, {}, {.padding = 1}); });
       }},
      {"dropout",
       [] {
         const Tensor x = leaf({kMany});
         return with_grad({x}, [x] { return dropout(x, 0.1); });
       }},
      {"attention",
       [] {
         const Tensor q = leaf({4, 4, 512, 64}), k = leaf({4, 4, 512, 64}),
                      v = leaf({4, 4, 512, 64});
         return with_grad({q, k, v},
                          [=] { return scaled_dot_product_attention(q, k, v, {}, 0, true); });
       }},
      {"depthwise",
       [] {
         const Tensor x = leaf({8, 64, 32, 32}), w = leaf({64, 1, 3, 3});
         return with_grad({x, w}, [=] { return conv2d(x, w, {}, {.padding = 1, .groups = 64}); });
       }},
      {"batch norm",
       [] {
         const auto norm = std::make_shared<nn::BatchNorm2d>(64);
         return norm_step(norm, [norm](const Tensor& x) { return norm->forward(x); });
       }},
      {"group norm",
       [] {
         const auto norm = std::make_shared<nn::GroupNorm>(8, 64);
         return norm_step(norm, [norm](const Tensor& x) { return norm->forward(x); });
       }},
      {"randperm", [] { return value([] { return randperm(kMany / 10); }); }},
      {"multinomial",
       [] {
         return value([w = rand({64, 1000})] { return multinomial(w, 100, true); });
       }},
      {"mean of 0, 2, 3",
       [] {
         return value([x = randn({16, 64, 32, 32})] { return mean(x, {0, 2, 3}); });
       }},
      {"pow, number", [] { return value([x = rand({kMany})] { return pow(x, 1.7); }); }},
      {"pow", [] { return value([x = rand({kMany}), p = randn({kMany})] { return pow(x, p); }); }},
      {"sum of bool", [] { return value([x = randn({kMany}) > 0.0] { return sum(x); }); }},
      {"gelu",
       [] {
         const Tensor x = leaf({kMany});
         return with_grad({x}, [x] { return gelu(x); });
       }},
      {"nearest",
       [] {
         const Tensor x = leaf({8, 32, 32, 32});
         return with_grad({x}, [x] { return interpolate(x, {.scale_factor = 2}); });
       }},
      {"sin", [] { return value([x = randn({kMany}) * 3] { return sin(x); }); }},
      {"gather, last",
       [] {
         return value([x = randn({1024, 1024}), i = randint(0, 1024, {1024, 1024})] {
           return gather(x, 1, i);
         });
       }},
      {"max pool",
       [] {
         const Tensor x = leaf({8, 64, 32, 32});
         return with_grad({x}, [x] { return max_pool2d(x, 2); });
       }},
      {"BCE with logits",
       [] {
         const Tensor x = leaf({1024, 256}), t = rand({1024, 256});
         return with_grad({x}, [=] { return nn::binary_cross_entropy_with_logits(x, t); });
       }},
      {"topk",
       [] {
         return value([x = randn({64, 10'000})] { return topk(x, 10).values; });
       }},
      {"scatter_add", [] {
         return value([x = randn({1024, 1024}), i = randint(0, 1024, {1024, 1024})] {
           return scatter_add(x, 1, i, x);
         });
       }}};
  return all;
}

void time_work(benchmark::State& state, const Work& work) {
  set_num_threads(1);
  const Step step = work.make();
  step();
  for (auto _ : state) step();
}

void register_all() {
  for (const Work& work : works())
    benchmark::RegisterBenchmark(("ops/" + work.name).c_str(), time_work, work)
        ->Unit(benchmark::kMillisecond);
}

const bench::Suite suite(register_all, [](const bench::Medians&) {});

}  // namespace
}  // namespace tarsier
