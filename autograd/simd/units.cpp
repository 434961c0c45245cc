#include "autograd/simd/units.h"

#if defined(__x86_64__) && defined(__linux__)
#include <cpuid.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdlib>
#include <string_view>
#endif

namespace tarsier::kernels {

#if defined(__x86_64__) && defined(__linux__)
namespace {

bool processor_has_amx() {
  unsigned a = 0, b = 0, c = 0, d = 0;
  if (__get_cpuid_count(7, 0, &a, &b, &c, &d) == 0) return false;
  constexpr unsigned kTilesOfBf16 = 1u << 22, kTiles = 1u << 24;
  return (d & kTilesOfBf16) != 0 && (d & kTiles) != 0;
}

/// The tiles are 8 KiB that Linux saves at every switch of threads: a process must ask for them.
bool linux_grants_tiles() {
  constexpr long kRequestPermission = 0x1023;  // ARCH_REQ_XCOMP_PERM
  constexpr long kTileData = 18;
  return ::syscall(SYS_arch_prctl, kRequestPermission, kTileData) == 0;
}

bool find_amx() {
  const char* isa = std::getenv("TARSIER_ISA");
  const bool wanted = isa == nullptr || *isa == '\0' || std::string_view(isa) == "amx";
  return wanted && processor_has_amx() && linux_grants_tiles();
}

}  // namespace

bool has_amx() {
  static const bool has = find_amx();
  return has;
}
#else
bool has_amx() { return false; }
#endif

bool has_vnni() {
#if defined(__x86_64__)
  static const bool has = __builtin_cpu_supports("avx512vnni");
  return has;
#else
  return false;
#endif
}

}  // namespace tarsier::kernels
