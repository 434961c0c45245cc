// The main function of all tests.
#define DOCTEST_CONFIG_IMPLEMENT
#include <doctest/doctest.h>

#include <iostream>

#include "autograd/base/error.h"
#include "autograd/simd/isa.h"

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
