// Steps so small that everything but arithmetic shows: a training step of microgpt (one layer, four
// heads, 16 × 16 tokens of 27; RMSNorm, ReLU, Adam; 4,240 weights at width 16), and one
// multiplication of two scalars, forward and backward; both also as captured steps. bench/peers/microgpt_step.py runs the same
// in PyTorch.
#include <benchmark/benchmark.h>

#include <cstdint>
#include <cstdio>
#include <string>

#include "autograd/base/parallel.h"
#include "autograd/simd/isa.h"
#include "autograd/tape/capture.h"
#include "bench/bench.h"
#include "optim/optim.h"
#include "zoo/gpt/model.h"

namespace tarsier {
namespace {

constexpr int64_t kBatch = 16, kTime = 16, kLetters = 27;

zoo::gpt::Config config_of(int64_t width) {
  zoo::gpt::Config config;
  config.n_layer = 1;
  config.n_head = 4;
  config.n_embd = width;
  config.block_size = kTime;
  config.vocab_size = kLetters;
  config.rms_norm = true;
  config.activation = nn::Activation("relu");
  config.tied = false;
  return config;
}

void microgpt(benchmark::State& state, int64_t width, bool captured) {
  set_num_threads(1);
  Generator generator(1);
  zoo::gpt::Gpt model(config_of(width), generator);
  optim::Adam optimizer(model.named_parameters(), {.lr = 1e-3, .betas = {0.9, 0.95}});
  const Tensor inputs = randint(0, kLetters, {kBatch, kTime}, generator);
  const Tensor targets = randint(0, kLetters, {kBatch, kTime}, generator);
  const auto step = [&] {
    optimizer.zero_grad();
    model.loss(inputs, targets).backward();
    optimizer.step();
  };
  if (captured) {
    const CapturedStep replay = capture(step);
    for (auto _ : state) replay();
  } else {
    for (auto _ : state) step();
  }
}

/// y = a · b, and dy/da.
void scalar(benchmark::State& state, bool captured) {
  set_num_threads(1);
  Tensor a = full({}, 2.0).requires_grad_();
  const Tensor b = full({}, 3.0);
  const auto step = [&] {
    a.set_grad({});
    (a * b).backward();
  };
  if (captured) {
    const CapturedStep replay = capture(step);
    for (auto _ : state) replay();
  } else {
    for (auto _ : state) step();
  }
}

void register_all() {
  for (const bool captured : {false, true}) {
    const std::string end = captured ? "/captured" : "";
    for (const int64_t width : {16, 64})
      benchmark::RegisterBenchmark(("microgpt/" + std::to_string(width) + end).c_str(), microgpt,
                                   width, captured)
          ->Unit(benchmark::kMicrosecond);
    benchmark::RegisterBenchmark(("scalar" + end).c_str(), scalar, captured);
  }
}

void print_table(const bench::Medians& medians) {
  if (!medians.ran("microgpt/") && !medians.ran("scalar")) return;
  std::printf(
      "\ntiny steps, µs, f32, one thread, %s: medians\n\n"
      "| work | step | captured step |\n|---|---:|---:|\n",
      kernels::name_of(kernels::active_isa()));
  for (const std::string name : {"microgpt/16", "microgpt/64", "scalar"})
    std::printf("| %s | %.2f | %.2f |\n", name.c_str(),
                1e6 * bench::Medians::get(medians.seconds, name),
                1e6 * bench::Medians::get(medians.seconds, name + "/captured"));
}

const bench::Suite suite(register_all, print_table);

}  // namespace
}  // namespace tarsier
