// Attention: the fused op compared with its reference form of primitive ops, forward and backward
// as a model calls it, on views of one qkv tensor. Prints milliseconds and ratios. Then attention
// within a window compared with attention to all earlier keys, as the text grows.
#include <benchmark/benchmark.h>

#include <cstdint>
#include <cstdio>
#include <string>
#include <tuple>

#include "autograd/base/parallel.h"
#include "autograd/ops.h"
#include "autograd/simd/isa.h"
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
  /// Of a forward pass: two products of T × T × D, half of that with a causal mask.
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

// ------------------------------------------------------------------------------ within a window

/// A causal window of 128 keys; 0: all earlier keys.
constexpr int64_t kWindow = 128;
const int64_t kLengths[] = {1024, 2048, 4096, 8192, 16384};

std::string local_name(int64_t time, int64_t window) {
  return "local_attention/" + std::to_string(time) + (window > 0 ? "/window" : "/all");
}

constexpr int64_t kHeads = 2, kHeadSize = 64;

/// Of forward and backward: seven products per pair of a query and a visible key.
double local_flops(int64_t time, int64_t window) {
  const auto all = static_cast<double>(time * (time + 1) / 2);
  const auto hidden = static_cast<double>((time - window) * (time - window + 1) / 2);
  return 14.0 * static_cast<double>(kHeads * kHeadSize) * (window > 0 ? all - hidden : all);
}

/// Times one sequence.
void time_local(benchmark::State& state, int64_t time, int64_t window) {
  set_num_threads(1);
  const Inputs in({"", 1, kHeads, time, kHeadSize});
  const AttentionWindow seen{.left = window > 0 ? window - 1 : AttentionWindow::kUnlimited,
                             .right = 0};
  for (auto _ : state) {
    const Tensor y = local_attention(in.q, in.k, in.v, seen);
    benchmark::DoNotOptimize(grad({y}, {in.q, in.k, in.v}, {in.dy}));
  }
  state.counters["flops"] =
      benchmark::Counter(local_flops(time, window), benchmark::Counter::kIsIterationInvariantRate,
                         benchmark::Counter::kIs1000);
}

void print_local_table(const bench::Medians& medians) {
  if (!medians.ran("local_attention/")) return;
  std::printf("\nlocal attention f32, forward and backward, %s: medians\n\n",
              kernels::name_of(kernels::active_isa()));
  std::printf(
      "| T     | window of %-3d, ms | µs / token | all keys, ms | all ÷ window |\n"
      "|------:|------------------:|-----------:|-------------:|-------------:|\n",
      static_cast<int>(kWindow));
  for (int64_t time : kLengths) {
    const auto seconds = [&](int64_t keys) {
      const double speed = bench::Medians::get(medians.flops, local_name(time, keys));
      return speed > 0 ? local_flops(time, keys) / speed : 0;
    };
    const double window = seconds(kWindow), all = seconds(0);
    if (window == 0 || all == 0) continue;
    std::printf("| %5d | %17.2f | %10.2f | %12.2f | %12.1f |\n", static_cast<int>(time),
                1e3 * window, 1e6 * window / static_cast<double>(time), 1e3 * all, all / window);
  }
}

// ------------------------------------------------------------------------------------ all of them

void register_all() {
  for (int64_t time : kLengths)
    for (int64_t window : {kWindow, int64_t{0}})
      benchmark::RegisterBenchmark(local_name(time, window).c_str(), time_local, time, window);
  for (const Case& c : kCases)
    for (const auto& [way, fused, threads] :
         {std::tuple{"fused", true, 1}, {"fused_2", true, 2}, {"reference", false, 1}}) {
      const std::string name = c.name() + "/" + way;
      auto* forward = benchmark::RegisterBenchmark((name + "/forward").c_str(), time_forward, c,
                                                   fused, threads);
      auto* backward = benchmark::RegisterBenchmark((name + "/backward").c_str(), time_backward, c,
                                                    fused, threads);
      // One thread is timed by its CPU time, because other programs may use the machine.
      if (threads > 1) forward->UseRealTime(), backward->UseRealTime();
    }
}

void print_table(const bench::Medians& medians) {
  print_local_table(medians);
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
  std::printf("\nattention f32, %s, milliseconds: medians\n\n",
              kernels::name_of(kernels::active_isa()));
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
