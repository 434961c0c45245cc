// Attention, fused beside its reference form in primitive ops: forward and backward of the op as a
// model calls it, on views of one qkv tensor. Prints milliseconds and ratios.
#include <benchmark/benchmark.h>

#include <cstdint>
#include <cstdio>
#include <string>
#include <tuple>

#include "autograd/kernels/kernels.h"
#include "autograd/ops.h"
#include "autograd/parallel.h"
#include "bench/bench.h"

namespace tarsier {
namespace {

struct Case {
  const char* use;
  int64_t batch, heads, time, size;
  bool causal = true;
  double dropout_p = 0;
  bool mask = false;  // (time, time) bool

  std::string name() const {
    return "attention/" + std::to_string(batch) + "x" + std::to_string(heads) + "x" +
           std::to_string(time) + "x" + std::to_string(size) + (causal ? "_causal" : "") +
           (dropout_p > 0 ? "_dropout" : "") + (mask ? "_mask" : "");
  }
  /// Of a forward pass: two products of T × T × D, half of it under a causal mask.
  double flops() const {
    return 4.0 * static_cast<double>(batch * heads * time * time * size) / (causal ? 2 : 1);
  }
};

const Case kCases[] = {
    {"small GPT", 12, 4, 64, 32},
    {"small GPT, not causal", 12, 4, 64, 32, false},
    {"small GPT, dropout", 12, 4, 64, 32, true, 0.2},
    {"small GPT, mask", 12, 4, 64, 32, false, 0, true},
    {"larger GPT", 4, 4, 256, 64},
    {"one long sequence", 1, 2, 1024, 64},
};

/// The inputs of a case: q, k and v as transposed views of one (B, T, 3·H·D) tensor.
struct Inputs {
  Tensor q, k, v, mask, dy;

  explicit Inputs(const Case& c) {
    Generator generator(1);
    const Tensor qkv = randn({c.batch, c.time, 3 * c.heads * c.size}, f32, generator);
    const auto heads = [&](int64_t i) {
      const Tensor part = slice(qkv, -1, i * c.heads * c.size, (i + 1) * c.heads * c.size);
      Tensor x = transpose(reshape(part, {c.batch, c.time, c.heads, c.size}), 1, 2);
      return x.detach().requires_grad_();
    };
    q = heads(0);
    k = heads(1);
    v = heads(2);
    if (c.mask) mask = tril_mask(c.time, c.time);
    dy = transpose(randn({c.batch, c.time, c.heads, c.size}, f32, generator), 1, 2);
  }
};

Tensor attend(const Case& c, const Inputs& in, bool fused) {
  return fused ? scaled_dot_product_attention(in.q, in.k, in.v, in.mask, c.dropout_p, c.causal)
               : scaled_dot_product_attention_reference(in.q, in.k, in.v, in.mask, c.dropout_p,
                                                        c.causal, {}, default_generator().next());
}

void time_forward(benchmark::State& state, Case c, bool fused, int threads) {
  set_num_threads(threads);
  const Inputs in(c);
  NoGrad guard;
  for (auto _ : state) benchmark::DoNotOptimize(attend(c, in, fused));
  state.counters["flops"] = benchmark::Counter(
      c.flops(), benchmark::Counter::kIsIterationInvariantRate, benchmark::Counter::kIs1000);
}

void time_backward(benchmark::State& state, Case c, bool fused, int threads) {
  set_num_threads(threads);
  const Inputs in(c);
  const Tensor y = attend(c, in, fused);
  for (auto _ : state)
    benchmark::DoNotOptimize(grad({y}, {in.q, in.k, in.v}, {in.dy}, /*retain_graph=*/true));
  state.counters["flops"] = benchmark::Counter(
      2.5 * c.flops(), benchmark::Counter::kIsIterationInvariantRate, benchmark::Counter::kIs1000);
}

void register_all() {
  for (const Case& c : kCases)
    for (const auto& [way, fused, threads] :
         {std::tuple{"fused", true, 1}, {"fused_2", true, 2}, {"reference", false, 1}}) {
      const std::string name = c.name() + "/" + way;
      auto* forward = benchmark::RegisterBenchmark((name + "/forward").c_str(), time_forward, c,
                                                   fused, threads);
      auto* backward = benchmark::RegisterBenchmark((name + "/backward").c_str(), time_backward, c,
                                                    fused, threads);
      // One thread is timed by what the processor spent on it: others may be using the machine too.
      if (threads > 1) forward->UseRealTime(), backward->UseRealTime();
    }
}

void print_table(const bench::Medians& medians) {
  if (!medians.ran("attention/")) return;
  const auto print_row = [&](const Case& c, const std::string& pass, double flops) {
    const auto speed = [&](const char* way) {
      return bench::Medians::get(medians.flops, c.name() + way + pass);
    };
    const double one = speed("/fused"), two = speed("/fused_2"), reference = speed("/reference");
    if (one == 0 || two == 0 || reference == 0) return;
    std::printf("| %-22s | %-9s | %8.3f | %8.1f | %8.3f | %9.3f | %9.2f |\n", c.use,
                pass.c_str() + 1, 1e3 * flops / one, one / 1e9, 1e3 * flops / two,
                1e3 * flops / reference, one / reference);
  };
  std::printf("\nattention f32, %s, milliseconds: medians\n\n", kernels::active_isa());
  std::printf(
      "| use                    | pass      | fused    | GFLOP/s  | 2 thr    | reference | ratio "
      "    |\n"
      "|------------------------|-----------|---------:|---------:|---------:|----------:|---------"
      "-:|\n");
  for (const Case& c : kCases) {
    print_row(c, "/forward", c.flops());
    print_row(c, "/backward", 2.5 * c.flops());
  }
}

const bench::Suite suite(register_all, print_table);

}  // namespace
}  // namespace tarsier
