// Matmul compared with OpenBLAS and oneDNN (if installed), one thread each; tarsier with two; and
// the steps of the ladder (autograd/ops/matmul/gemm_ladder.h). Prints GFLOP/s and ratios.
#include <benchmark/benchmark.h>

#include <cstdint>
#include <cstdio>
#include <string>
#include <vector>

#include "autograd/base/parallel.h"
#include "autograd/ops/matmul/gemm.kernel.h"
#include "autograd/simd/dispatch.h"
#include "bench/bench.h"

#ifdef TARSIER_BENCH_OPENBLAS
#include <cblas.h>
extern "C" void openblas_set_num_threads(int);
#endif
#ifdef TARSIER_BENCH_ONEDNN
#include <oneapi/dnnl/dnnl.h>
#endif

namespace tarsier {
namespace {

/// `batch` products of m × k by k × n. 't' is an operand stored transposed.
struct Shape {
  const char* use;
  int64_t m, n, k;
  char a_layout = 'n', b_layout = 'n';
  int64_t batch = 1;
  bool accumulate = false;

  double flops() const { return 2.0 * static_cast<double>(m * n * k * batch); }
  std::string name() const {
    std::string text = batch > 1 ? std::to_string(batch) + "x" : "";
    text += std::to_string(m) + "x" + std::to_string(n) + "x" + std::to_string(k) + "_";
    return text + a_layout + b_layout + (accumulate ? "+" : "");
  }
};

// The products of a step of the small GPT: 12 × 64 tokens, 128 wide, 4 heads, 65 letters. Each
// layer does y = x·Wᵀ, dx = dy·W, dW += dyᵀ·x.
const Shape kShapes[] = {
    {"square", 512, 512, 512},
    {"square", 1024, 1024, 1024},
    {"mlp up, plain", 768, 512, 128},
    {"qkv, forward", 768, 384, 128, 'n', 't'},
    {"qkv, dx", 768, 128, 384},
    {"qkv, dW", 384, 128, 768, 't', 'n', 1, true},
    {"projection, forward", 768, 128, 128, 'n', 't'},
    {"projection, dx", 768, 128, 128},
    {"projection, dW", 128, 128, 768, 't', 'n', 1, true},
    {"mlp up, forward", 768, 512, 128, 'n', 't'},
    {"mlp up, dx", 768, 128, 512},
    {"mlp up, dW", 512, 128, 768, 't', 'n', 1, true},
    {"mlp down, forward", 768, 128, 512, 'n', 't'},
    {"mlp down, dW", 128, 512, 768, 't', 'n', 1, true},
    {"letters, forward", 768, 65, 128, 'n', 't'},
    {"letters, dx", 768, 128, 65},
    {"letters, dW", 65, 128, 768, 't', 'n', 1, true},
    {"attention, scores", 64, 64, 32, 'n', 't', 48},
    {"attention, values", 64, 32, 64, 'n', 'n', 48},
    {"attention, dV", 64, 32, 64, 't', 'n', 48},
    {"larger model", 256, 384, 256, 'n', 't'},
    {"one token", 1, 128, 128, 'n', 't'},
};

/// The operands of a shape.
struct Operands {
  explicit Operands(const Shape& s)
      : shape(s),
        a(fill(s.batch * s.m * s.k)),
        b(fill(s.batch * s.k * s.n)),
        c(s.batch * s.m * s.n) {
    for (int64_t i = 0; i < s.batch; ++i) {
      a_offsets.push_back(i * s.m * s.k);
      b_offsets.push_back(i * s.k * s.n);
      c_offsets.push_back(i * s.m * s.n);
    }
  }
  static std::vector<float> fill(int64_t n) {
    std::vector<float> values(n);
    for (int64_t i = 0; i < n; ++i) values[i] = static_cast<float>(i * 7 % 13 - 6) / 8;
    return values;
  }

  int64_t lda() const { return shape.a_layout == 'n' ? shape.k : shape.m; }
  int64_t ldb() const { return shape.b_layout == 'n' ? shape.n : shape.k; }

  Shape shape;
  std::vector<float> a, b, c;
  std::vector<int64_t> a_offsets, b_offsets, c_offsets;
};

using Product = void (*)(Operands&);

void run_tarsier(Operands& o) {
  const Shape& s = o.shape;
  const bool a_plain = s.a_layout == 'n', b_plain = s.b_layout == 'n';
  kernels::active<kernels::GemmKernels<float>>().gemm({.m = s.m,
                                                       .n = s.n,
                                                       .k = s.k,
                                                       .a = o.a.data(),
                                                       .a_row = a_plain ? s.k : 1,
                                                       .a_col = a_plain ? 1 : s.m,
                                                       .b = o.b.data(),
                                                       .b_row = b_plain ? s.n : 1,
                                                       .b_col = b_plain ? 1 : s.k,
                                                       .c = o.c.data(),
                                                       .c_row = s.n,
                                                       .accumulate = s.accumulate,
                                                       .batch = s.batch,
                                                       .a_offsets = o.a_offsets.data(),
                                                       .b_offsets = o.b_offsets.data(),
                                                       .c_offsets = o.c_offsets.data()});
}

#ifdef TARSIER_BENCH_OPENBLAS
void run_openblas(Operands& o) {
  const Shape& s = o.shape;
  for (int64_t i = 0; i < s.batch; ++i)
    cblas_sgemm(CblasRowMajor, s.a_layout == 'n' ? CblasNoTrans : CblasTrans,
                s.b_layout == 'n' ? CblasNoTrans : CblasTrans, static_cast<int>(s.m),
                static_cast<int>(s.n), static_cast<int>(s.k), 1, o.a.data() + o.a_offsets[i],
                static_cast<int>(o.lda()), o.b.data() + o.b_offsets[i], static_cast<int>(o.ldb()),
                s.accumulate ? 1 : 0, o.c.data() + o.c_offsets[i], static_cast<int>(s.n));
}
#endif

#ifdef TARSIER_BENCH_ONEDNN
void run_onednn(Operands& o) {
  const Shape& s = o.shape;
  for (int64_t i = 0; i < s.batch; ++i)
    dnnl_sgemm(s.a_layout, s.b_layout, s.m, s.n, s.k, 1, o.a.data() + o.a_offsets[i], o.lda(),
               o.b.data() + o.b_offsets[i], o.ldb(), s.accumulate ? 1 : 0,
               o.c.data() + o.c_offsets[i], s.n);
}
#endif

void time_contestant(benchmark::State& state, const Shape& shape, Product product, int threads) {
  Operands operands(shape);
  set_num_threads(threads);
  product(operands);  // allocates memory and starts threads before the clock
  for (auto _ : state) {
    product(operands);
    benchmark::ClobberMemory();
  }
  state.counters["flops"] = benchmark::Counter(
      shape.flops(), benchmark::Counter::kIsIterationInvariantRate, benchmark::Counter::kIs1000);
}

void time_step(benchmark::State& state, int64_t size, const kernels::GemmStep<float>& step) {
  Operands o({"", size, size, size});
  std::vector<float> memory(step.memory_size(size, size));
  for (auto _ : state) {
    step.run(size, size, size, o.a.data(), o.b.data(), o.c.data(), memory.data());
    benchmark::ClobberMemory();
  }
  state.counters["flops"] = benchmark::Counter(
      o.shape.flops(), benchmark::Counter::kIsIterationInvariantRate, benchmark::Counter::kIs1000);
}

void print_products(const bench::Medians& medians) {
  const auto gigaflops = [&](const std::string& name) {
    return bench::Medians::get(medians.flops, name) / 1e9;
  };

  const auto ratio = [](double a, double b) {
    if (a > 0 && b > 0)
      std::printf(" %8.2f |", a / b);
    else
      std::printf(" %8s |", "-");
  };
  std::printf("\nmatmul f32, %s, GFLOP/s: medians\n\n", kernels::name_of(kernels::active_isa()));
  std::printf(
      "| %-20s | %-18s | tarsier  | OpenBLAS | oneDNN   | ÷ OpenBL | ÷ oneDNN | 2 thr ÷ 1|\n",
      "use", "m x n x k");
  std::printf(
      "|----------------------|--------------------|---------:|---------:|---------:|"
      "---------:|---------:|---------:|\n");
  for (const Shape& shape : kShapes) {
    const std::string name = "matmul/" + shape.name();
    const double one = gigaflops(name + "/tarsier"), two = gigaflops(name + "/tarsier_2");
    const double blas = gigaflops(name + "/openblas");
    const double onednn = gigaflops(name + "/onednn");
    if (one == 0) continue;
    std::printf("| %-20s | %-18s | %8.1f | %8.1f | %8.1f |", shape.use, shape.name().c_str(), one,
                blas, onednn);
    ratio(one, blas);
    ratio(one, onednn);
    ratio(two, one);
    std::printf("\n");
  }
}

void print_ladder(const bench::Medians& medians) {
  std::printf("\nladder, GFLOP/s:");
  for (const auto& step : kernels::active<kernels::GemmKernels<float>>().gemm_ladder)
    std::printf(" %s %.1f", step.name,
                bench::Medians::get(medians.flops, std::string("ladder/512/") + step.name) / 1e9);
  std::printf("\n");
}

void print_tables(const bench::Medians& medians) {
  if (medians.ran("matmul/")) print_products(medians);
  if (medians.ran("ladder/")) print_ladder(medians);
}

void register_all() {
#ifdef TARSIER_BENCH_OPENBLAS
  openblas_set_num_threads(1);
#endif
  struct Contestant {
    const char* name;
    Product run;
    int threads;
  };
  const Contestant contestants[] = {
      {"tarsier", run_tarsier, 1},
      {"tarsier_2", run_tarsier, 2},
#ifdef TARSIER_BENCH_OPENBLAS
      {"openblas", run_openblas, 1},
#endif
#ifdef TARSIER_BENCH_ONEDNN
      {"onednn", run_onednn, 1},
#endif
  };
  for (const Shape& shape : kShapes)
    for (const Contestant& contestant : contestants) {
      auto* run =
          benchmark::RegisterBenchmark(("matmul/" + shape.name() + "/" + contestant.name).c_str(),
                                       time_contestant, shape, contestant.run, contestant.threads);
      // One thread is timed by its CPU time, because other programs may use the machine.
      if (contestant.threads > 1) run->UseRealTime();
    }
  for (const auto& step : kernels::active<kernels::GemmKernels<float>>().gemm_ladder)
    benchmark::RegisterBenchmark((std::string("ladder/512/") + step.name).c_str(), time_step, 512,
                                 step);
}

const bench::Suite suite(register_all, print_tables);

}  // namespace
}  // namespace tarsier
