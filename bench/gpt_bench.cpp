// One training step of the zoo's GPT in nanoGPT's CPU configuration, as the recipe runs it: batch,
// forward, backward, clipping, AdamW. bench/peers/nanogpt_step.py runs the same step in PyTorch.
#include <benchmark/benchmark.h>

#include <cstdint>
#include <cstdio>
#include <string>

#include "autograd/base/parallel.h"
#include "autograd/simd/isa.h"
#include "bench/bench.h"
#include "optim/optim.h"
#include "zoo/gpt/model.h"

namespace tarsier {
namespace {

constexpr int64_t kBatch = 12;

/// Multiply-adds count twice: 6 for each weight of a matrix and token (2 forward, 4 backward), and
/// the two products of attention, 12·C·T for each token and layer without a causal mask.
double step_flops(const zoo::gpt::Config& c) {
  const double tokens = static_cast<double>(kBatch * c.block_size);
  const double weights =
      static_cast<double>(c.n_layer * 12 * c.n_embd * c.n_embd + c.vocab_size * c.n_embd);
  const double attention = static_cast<double>(c.n_layer * 12 * c.n_embd * c.block_size);
  return tokens * (6 * weights + attention);
}

void time_step(benchmark::State& state, int threads) {
  set_num_threads(threads);
  Generator generator(1);
  zoo::gpt::Gpt model(zoo::gpt::Config{}, generator);
  optim::AdamW optimizer(model.named_parameters(), {.lr = 1e-3, .betas = {0.9, 0.99}});
  const std::vector<Tensor> parameters = model.parameters();
  const Shape shape{kBatch, model.config.block_size};
  for (auto _ : state) {
    const Tensor inputs = randint(0, model.config.vocab_size, shape, generator);
    const Tensor targets = randint(0, model.config.vocab_size, shape, generator);
    optimizer.zero_grad();
    model.loss(inputs, targets).backward();
    optim::clip_grad_norm_(parameters, 1.0);
    optimizer.step();
  }
  state.counters["flops"] =
      benchmark::Counter(step_flops(model.config), benchmark::Counter::kIsIterationInvariantRate,
                         benchmark::Counter::kIs1000);
}

void register_all() {
  for (const int threads : {1, 2})
    benchmark::RegisterBenchmark(("gpt_step/" + std::to_string(threads)).c_str(), time_step,
                                 threads)
        ->UseRealTime()
        ->Unit(benchmark::kMillisecond)
        ->MinTime(0.2);
}

void print_table(const bench::Medians& medians) {
  if (!medians.ran("gpt_step/")) return;
  std::printf(
      "\nstep of the small GPT, f32, %s: medians\n\n"
      "| threads | ms / step | GFLOP/s |\n|---:|---:|---:|\n",
      kernels::name_of(kernels::active_isa()));
  for (const int threads : {1, 2}) {
    const double flops = bench::Medians::get(medians.flops, "gpt_step/" + std::to_string(threads));
    if (flops > 0)
      std::printf("| %d | %.1f | %.0f |\n", threads, 1e3 * step_flops(zoo::gpt::Config{}) / flops,
                  flops / 1e9);
  }
}

const bench::Suite suite(register_all, print_table);

}  // namespace
}  // namespace tarsier
