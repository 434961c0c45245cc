# Sourced after setup.sh by .ci/run and tests/fuzz/run: builds with Clang and its sanitizers. Only the
# kernels are optimised, because compiling takes longer than running.

# Whether Clang $1 is new enough, and has the sanitizers, libFuzzer and libc++. (The last two may need
# help to go together: see tests/fuzz/CMakeLists.txt.)
complete_clang() {
  new_enough "$1" &&
    echo 'extern "C" int LLVMFuzzerTestOneInput(const char*, unsigned long) { return 0; }' |
    "$1" -fsanitize=fuzzer,address,undefined -x c++ - -o /dev/null 2>/dev/null &&
    printf '#include <string>\nint main(int, char** all) { return std::string(*all).empty(); }\n' |
    "$1" -stdlib=libc++ -x c++ - -o /dev/null 2>/dev/null
}
find_clang() {
  local candidate
  for candidate in ${CXX:-} clang++ clang++-{16..22}; do
    if complete_clang "$candidate"; then
      export CXX=$candidate
      return
    fi
  done
  return 1
}

# Everything that a build with Clang needs: installed if missing.
need_clang() {
  if ! find_clang; then
    case $manager in
      apt-get)
        install clang-16 libclang-rt-16-dev libc++-16-dev libc++abi-16-dev lld-16 ||
          install clang libclang-rt-dev libc++-dev libc++abi-dev lld || true ;;
      dnf) install clang compiler-rt libcxx-devel lld || true ;;
      pacman) install clang compiler-rt libc++ lld || true ;;
      brew) install llvm lld || true ;;
    esac
    find_clang ||
      stop "Missing: clang++ 16 or newer, with compiler-rt (libFuzzer, sanitizers) and libc++."
  fi
  need_build_tools
}

# configure_address CMAKE-OPTION…: for the tests and the fuzz targets, with libc++. The kernels are
# built for one instruction set only, AVX2 if this processor has it.
configure_address() {
  local isa=scalar
  if grep -qsw avx2 /proc/cpuinfo; then isa=avx2; fi
  configure_sanitized -DTARSIER_SANITIZE=address,undefined -DTARSIER_FUZZ=ON -DTARSIER_ISAS=$isa \
    -DCMAKE_CXX_FLAGS=-stdlib=libc++ "$@"
}

# configure_thread: for the tests of threads, which do not depend on the instruction set.
configure_thread() {
  configure_sanitized -DTARSIER_SANITIZE=thread -DTARSIER_ISAS=scalar
}

configure_sanitized() {
  local options=(-DTARSIER_GROUPS=ON)
  if echo 'int main() {}' | "$CXX" -fuse-ld=lld -x c++ - -o /dev/null 2>/dev/null; then
    options+=(-DCMAKE_EXE_LINKER_FLAGS=-fuse-ld=lld)  # several times as fast
  fi
  configure -DCMAKE_BUILD_TYPE=Debug -DCMAKE_CXX_FLAGS_DEBUG="-O0 -gline-tables-only" \
    "${options[@]}" "$@"
}
