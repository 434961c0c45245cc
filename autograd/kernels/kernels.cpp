// Chooses the instruction set, once, when the first kernel is asked for.
#include "autograd/kernels/kernels.h"

#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "autograd/error.h"

namespace tarsier::kernels {

// Each build of the kernels (table.cpp) offers its tables under its own namespace.
#ifdef TARSIER_HAS_scalar
namespace scalar {
const Kernels<float>& kernels_f32();
const Kernels<double>& kernels_f64();
}  // namespace scalar
#endif
#ifdef TARSIER_HAS_avx2
namespace avx2 {
const Kernels<float>& kernels_f32();
const Kernels<double>& kernels_f64();
}  // namespace avx2
#endif
#ifdef TARSIER_HAS_avx512
namespace avx512 {
const Kernels<float>& kernels_f32();
const Kernels<double>& kernels_f64();
}  // namespace avx512
#endif
#ifdef TARSIER_HAS_neon
namespace neon {
const Kernels<float>& kernels_f32();
const Kernels<double>& kernels_f64();
}  // namespace neon
#endif

namespace {

struct Build {
  const char* name;
  bool runs_here;
  const Kernels<float>& (*f32)();
  const Kernels<double>& (*f64)();
};

/// All builds in this program, the slowest first.
std::vector<Build> builds() {
  std::vector<Build> all;
#ifdef TARSIER_HAS_scalar
  all.push_back({"scalar", true, scalar::kernels_f32, scalar::kernels_f64});
#endif
#ifdef TARSIER_HAS_neon
  all.push_back({"neon", true, neon::kernels_f32, neon::kernels_f64});
#endif
#ifdef TARSIER_HAS_avx2
  all.push_back({"avx2", __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"),
                 avx2::kernels_f32, avx2::kernels_f64});
#endif
#ifdef TARSIER_HAS_avx512
  all.push_back({"avx512",
                 __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
                     __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl"),
                 avx512::kernels_f32, avx512::kernels_f64});
#endif
  return all;
}

Build choose() {
  const std::vector<Build> all = builds();
  const char* wanted = std::getenv("TARSIER_ISA");
  if (wanted == nullptr || *wanted == '\0') {
    size_t best = 0;
    for (size_t i = 0; i < all.size(); ++i)
      if (all[i].runs_here) best = i;
    return all[best];
  }
  std::string names;
  for (const Build& build : all) {
    if (build.name == std::string_view(wanted)) {
      check(build.runs_here, "TARSIER_ISA", "this processor does not have ", wanted,
            ": unset TARSIER_ISA to use the best that it has");
      return build;
    }
    if (build.runs_here) names += names.empty() ? build.name : concat(", ", build.name);
  }
  fail("TARSIER_ISA", "no instruction set '", wanted, "' in this build: use one of ", names,
       ", or unset TARSIER_ISA");
}

const Build& chosen() {
  static const Build build = choose();
  return build;
}

}  // namespace

template <>
const Kernels<float>& active<float>() {
  static const Kernels<float>& kernels = chosen().f32();
  return kernels;
}
template <>
const Kernels<double>& active<double>() {
  static const Kernels<double>& kernels = chosen().f64();
  return kernels;
}

const char* active_isa() { return chosen().name; }

}  // namespace tarsier::kernels
