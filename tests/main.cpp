// The main function of all tests.
#define DOCTEST_CONFIG_IMPLEMENT
#include <doctest/doctest.h>

#include <iostream>

#include "autograd/base/error.h"
#include "autograd/simd/isa.h"
#include "tests/child.h"

/// Asked by the leak sanitizer. A child that exits while its workers are starting seems to lose what
/// they were given.
extern "C" int __lsan_is_turned_off() { return tarsier::is_child ? 1 : 0; }

int main(int argc, char** argv) {
  try {
    tarsier::kernels::active_isa();
  } catch (const tarsier::Error& error) {
    // ctest runs the tests once per instruction set of the build, and takes 77 for "skipped".
    std::cout << "skipped: " << error.what() << '\n';
    return 77;
  }
  return doctest::Context(argc, argv).run();
}
