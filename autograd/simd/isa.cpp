// Chooses the instruction set, once, when the first kernel is used.
#include "autograd/simd/isa.h"

#include <algorithm>
#include <cstdlib>
#include <iterator>
#include <string>
#include <string_view>

#include "autograd/base/error.h"
#include "autograd/simd/units.h"

namespace tarsier::kernels {
namespace {

/// The instruction sets of this build.
constexpr Isa kBuilt[] = {TARSIER_BUILT_ISAS};

bool runs_here(Isa isa) {
#if defined(__x86_64__)
  if (isa == Isa::avx2) return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  if (isa == Isa::avx512)
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
           __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl");
#endif
  return true;  // scalar and neon run on every processor of their architecture
}

Isa choose() {
  const char* wanted = std::getenv("TARSIER_ISA");
  if (wanted == nullptr || *wanted == '\0') {
    Isa best = kBuilt[0];
    for (Isa isa : kBuilt)
      if (runs_here(isa)) best = std::max(best, isa);
    return best;
  }
  std::string names;
  for (Isa isa : kBuilt)
    if (runs_here(isa)) names += names.empty() ? name_of(isa) : concat(", ", name_of(isa));
  for (Isa isa : kBuilt)
    if (name_of(isa) == std::string_view(wanted)) {
      check(runs_here(isa), "TARSIER_ISA", "this processor does not have ", wanted,
            ": unset TARSIER_ISA to use the best that it has");
      return isa;
    }
  if (wanted == std::string_view("amx")) {  // avx512 with one more unit
    const bool built = std::ranges::find(kBuilt, Isa::avx512) != std::end(kBuilt);
    check(built && has_amx(), "TARSIER_ISA",
          "this processor has no AMX, or Linux does not grant it", ": use one of ", names,
          ", or unset TARSIER_ISA");
    return Isa::avx512;
  }
  fail("TARSIER_ISA", "no instruction set '", wanted, "' in this build: use one of ", names,
       ", or unset TARSIER_ISA");
}

}  // namespace

Isa active_isa() {
  static const Isa isa = choose();
  return isa;
}

bool has_bf16_products() {
#if defined(__x86_64__)
  static const bool has = __builtin_cpu_supports("avx512bf16");
  return has;
#else
  return false;
#endif
}

const char* name_of(Isa isa) {
  switch (isa) {
    case Isa::scalar:
      return "scalar";
    case Isa::neon:
      return "neon";
    case Isa::avx2:
      return "avx2";
    case Isa::avx512:
      return "avx512";
  }
  return "?";
}

}  // namespace tarsier::kernels
