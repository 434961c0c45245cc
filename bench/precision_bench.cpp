// matmul at each precision (autograd/ops/matmul/precision.h): speed, and error against f64. One
// thread, timed by its CPU time. peers/matmul_precision.py does the same in PyTorch.
#include <benchmark/benchmark.h>

#include <cmath>
#include <cstdint>
#include <cstdio>
#include <string>

#include "autograd/autograd.h"
#include "autograd/simd/isa.h"
#include "bench/bench.h"

namespace tarsier {
namespace {

/// y = x · weightᵀ, of (m, k) and (n, k).
struct Shape {
  const char* use;
  int64_t m, n, k;

  std::string name(MatmulPrecision precision) const {
    return "precision/" + std::to_string(m) + "x" + std::to_string(n) + "x" + std::to_string(k) +
           "/" + name_of(precision);
  }
};

const Shape kShapes[] = {
    {"square", 512, 512, 512},
    {"square", 1024, 1024, 1024},
    {"small GPT, mlp up", 768, 512, 128},
    {"small GPT, mlp down", 768, 128, 512},
    {"GPT-2, qkv", 256, 2304, 768},
    {"GPT-2, mlp up", 256, 3072, 768},
    {"GPT-2, mlp down", 256, 768, 3072},
    {"GPT-2, head", 256, 50257, 768},
};

constexpr MatmulPrecision kPrecisions[] = {MatmulPrecision::highest, MatmulPrecision::high,
                                           MatmulPrecision::medium};

struct Operands {
  Tensor x, weight;

  explicit Operands(const Shape& s) {
    Generator generator(1);
    x = randn({s.m, s.k}, f32, generator);
    weight = randn({s.n, s.k}, f32, generator);
  }
  Tensor product(MatmulPrecision precision) const {
    set_matmul_precision(precision);
    Tensor y = linear(x, weight);
    set_matmul_precision(MatmulPrecision::highest);
    return y;
  }
};

void time_product(benchmark::State& state, const Shape& shape, MatmulPrecision precision) {
  const Operands operands(shape);
  set_num_threads(1);
  operands.product(precision);
  for (auto _ : state) benchmark::DoNotOptimize(operands.product(precision));
  state.counters["flops"] = benchmark::Counter(
      2.0 * static_cast<double>(shape.m * shape.n * shape.k),
      benchmark::Counter::kIsIterationInvariantRate, benchmark::Counter::kIs1000);
}

void register_all() {
  for (const Shape& shape : kShapes)
    for (MatmulPrecision precision : kPrecisions)
      benchmark::RegisterBenchmark(shape.name(precision).c_str(), time_product, shape, precision);
}

void print_speeds(const bench::Medians& medians) {
  std::printf("\nmatmul at each precision, %s, GFLOP/s: medians\n\n",
              kernels::name_of(kernels::active_isa()));
  std::printf(
      "| use | m × n × k | highest | high | medium | medium ÷ highest |\n"
      "|---|---|---:|---:|---:|---:|\n");
  for (const Shape& s : kShapes) {
    double speeds[3];
    for (int i = 0; i < 3; ++i)
      speeds[i] = bench::Medians::get(medians.flops, s.name(kPrecisions[i])) / 1e9;
    if (speeds[0] == 0) continue;
    std::printf("| %s | %lldx%lldx%lld | %.1f | %.1f | %.1f | %.2f |\n", s.use,
                static_cast<long long>(s.m), static_cast<long long>(s.n),
                static_cast<long long>(s.k), speeds[0], speeds[1], speeds[2],
                speeds[2] / speeds[0]);
  }
}

/// The errors of y = x · weightᵀ: √(mean square of the error ÷ mean square of y), and the largest
/// |error| ÷ (|x| · |weight|ᵀ).
void print_errors() {
  std::printf(
      "\nerrors against f64\n\n| m × n × k | numbers | precision | of the mean | largest |\n"
      "|---|---|---|---:|---:|\n");
  const auto print = [](const Shape& s, const char* numbers, const Operands& operands) {
    const Tensor x = to(operands.x, f64), weight = to(operands.weight, f64);
    const Tensor exact = linear(x, weight), size = linear(abs(x), abs(weight));
    for (MatmulPrecision precision : kPrecisions) {
      const Tensor error = to(operands.product(precision), f64) - exact;
      std::printf("| %lldx%lldx%lld | %s | %s | %.2e | %.2e |\n", static_cast<long long>(s.m),
                  static_cast<long long>(s.n), static_cast<long long>(s.k), numbers,
                  name_of(precision), std::sqrt((mean(square(error)) / mean(square(exact))).item()),
                  max(abs(error) / size).item());
    }
  };
  for (const Shape& s : {kShapes[0], kShapes[1], kShapes[6]}) {
    Operands operands(s);
    print(s, "normal", operands);
    operands.x = abs(operands.x);
    operands.weight = abs(operands.weight);
    print(s, "positive", operands);
  }
}

void print_tables(const bench::Medians& medians) {
  if (!medians.ran("precision/")) return;
  print_speeds(medians);
  print_errors();
}

const bench::Suite suite(register_all, print_tables);

}  // namespace
}  // namespace tarsier
