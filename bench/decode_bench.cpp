// Text token by token: one step of a GPT-2 of 124 million weights (random ones), for one sequence
// with 64 tokens before it, with f32 and with int8 weights. It waits for its weights, so the second
// number is the share of the memory's speed that it reaches, where the memory is only read.
// bench/peers/gpt2_decode.py runs the same step in PyTorch.
#include <benchmark/benchmark.h>

#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>

#include "autograd/base/parallel.h"
#include "autograd/simd/isa.h"
#include "bench/bench.h"
#include "nn/quantize.h"
#include "zoo/gpt/model.h"

namespace tarsier {
namespace {

constexpr int64_t kBefore = 64;

zoo::gpt::Config gpt2() {
  zoo::gpt::Config config;
  config.n_layer = config.n_head = 12;
  config.n_embd = 768;
  config.vocab_size = 50257;
  config.block_size = 1024;
  config.bias = true;
  return config;
}

/// The bytes of the matrices that a token multiplies: all but the embeddings, of which it reads one
/// row, and the head, which is tied to them.
double bytes_of(bool int8) {
  const zoo::gpt::Config c = gpt2();
  const auto weights =
      static_cast<double>(c.n_layer * 12 * c.n_embd * c.n_embd + c.vocab_size * c.n_embd);
  return weights * (int8 ? 1 : 4);
}

/// Bytes are the work here, in place of flops.
void count_bytes(benchmark::State& state, double bytes) {
  state.counters["flops"] = benchmark::Counter(bytes, benchmark::Counter::kIsIterationInvariantRate,
                                               benchmark::Counter::kIs1000);
}

/// The model, made when it is first timed, with a cache of kBefore tokens.
struct Decoder {
  explicit Decoder(bool int8) : model(gpt2()) {
    model.eval();
    if (int8) nn::quantize_(model);
    const NoGrad no_grad;
    model.next_logits(randint(0, model.config.vocab_size, {1, kBefore}), cache);
  }
  void step() {
    const NoGrad no_grad;
    benchmark::DoNotOptimize(model.next_logits(token, cache).data<float>());
    for (nn::KVCache& layer : cache) layer.truncate(kBefore);
  }
  zoo::gpt::Gpt model;
  zoo::gpt::Cache cache;
  const Tensor token = full({1, 1}, 7, i64);
};

void time_decoding(benchmark::State& state, bool int8, int threads) {
  set_num_threads(threads);
  static std::unique_ptr<Decoder> decoders[2];
  auto& decoder = decoders[int8 ? 1 : 0];
  if (!decoder) decoder = std::make_unique<Decoder>(int8);
  for (auto _ : state) decoder->step();
  count_bytes(state, bytes_of(int8));
}

/// Reads as many bytes as an f32 token does, from end to end, with nothing to compute.
void time_reading(benchmark::State& state, int threads) {
  set_num_threads(threads);
  constexpr int64_t kChunk = int64_t(1) << 15;  // 64-bit words
  const int64_t words = static_cast<int64_t>(bytes_of(false)) / 8 / kChunk * kChunk;
  static const Tensor memory = ones({words}, i64);
  const int64_t* const from = memory.data<int64_t>();
  for (auto _ : state)
    parallel_for(words, kChunk, [&](int64_t begin, int64_t end) {
      int64_t sums[8] = {};
      for (int64_t i = begin; i < end; i += 8) {
        __builtin_prefetch(from + i + 1024, 0, 2);
        for (int64_t j = 0; j < 8; ++j) sums[j] += from[i + j];
      }
      benchmark::DoNotOptimize(sums);
    });
  count_bytes(state, static_cast<double>(words) * 8);
}

std::string name_of(bool int8, int threads) {
  return (int8 ? "decode/int8/" : "decode/f32/") + std::to_string(threads);
}

/// One thread is measured in processor time, two by the clock.
void add(const std::string& name, int threads, void (*run)(benchmark::State&, bool, int),
         bool int8) {
  auto* const bench = benchmark::RegisterBenchmark(
      name.c_str(), [=](benchmark::State& state) { run(state, int8, threads); });
  bench->Unit(benchmark::kMillisecond)->MinTime(0.3);
  if (threads > 1) bench->UseRealTime();
}

void register_all() {
  for (const int threads : {1, 2}) {
    for (const bool int8 : {false, true}) add(name_of(int8, threads), threads, time_decoding, int8);
    add(
        "decode/read/" + std::to_string(threads), threads,
        [](benchmark::State& state, bool, int count) { time_reading(state, count); }, false);
  }
}

void print_table(const bench::Medians& medians) {
  if (!medians.ran("decode/")) return;
  std::printf(
      "\nGPT-2 of 124 M weights, one sequence, %s: medians\n\n"
      "| threads | weights | ms / token | tokens / s | GB/s | GB/s where memory is only read | "
      "share "
      "|\n|---:|---|---:|---:|---:|---:|---:|\n",
      kernels::name_of(kernels::active_isa()));
  for (const int threads : {1, 2}) {
    const auto speed_of = [&](const std::string& name) {
      return bench::Medians::get(medians.flops, name);
    };
    const double most = speed_of("decode/read/" + std::to_string(threads));
    for (const bool int8 : {false, true}) {
      const double speed = speed_of(name_of(int8, threads)), tokens = speed / bytes_of(int8);
      if (speed > 0 && most > 0)
        std::printf("| %d | %s | %.1f | %.1f | %.1f | %.1f | %.0f %% |\n", threads,
                    int8 ? "int8" : "f32", 1e3 / tokens, tokens, speed / 1e9, most / 1e9,
                    100 * speed / most);
    }
  }
}

const bench::Suite suite(register_all, print_table);

}  // namespace
}  // namespace tarsier
