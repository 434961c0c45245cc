// Blocks that threads keep for the small objects of ops.
#include "autograd/base/small_memory.h"

#include <doctest/doctest.h>

#include <cstring>
#include <memory>
#include <thread>
#include <vector>

#include "autograd/ops.h"
#include "autograd/tape/tape.h"

namespace tarsier {
namespace {

using detail::SmallMemory;

/// Takes blocks of many sizes, fills each with its number, and finds all unchanged.
bool blocks_are_apart() {
  SmallMemory<unsigned char> memory;
  std::vector<std::pair<unsigned char*, size_t>> blocks;
  for (size_t i = 0; i < 600; ++i) {
    const size_t bytes = 1 + i * 37 % 1500;
    blocks.emplace_back(memory.allocate(bytes), bytes);
    std::memset(blocks.back().first, static_cast<int>(i % 251), bytes);
  }
  bool apart = true;
  for (size_t i = 0; i < blocks.size(); ++i) {
    const auto [block, bytes] = blocks[i];
    apart = apart && block[0] == i % 251 && block[bytes - 1] == i % 251;
    memory.deallocate(block, bytes);
  }
  return apart;
}

TEST_CASE("small memory: blocks do not overlap, new or used before, on any thread") {
  for (int round = 0; round < 3; ++round) CHECK(blocks_are_apart());
  bool apart = false;
  std::thread([&] { apart = blocks_are_apart() && blocks_are_apart(); }).join();
  CHECK(apart);
}

TEST_CASE("small memory: a graph made by one thread is destroyed by another") {
  Tensor x = ones({2}).requires_grad_();
  for (int round = 0; round < 20; ++round) {
    Tensor y = x;
    std::thread([&] {
      for (int i = 0; i < 100; ++i) y = y * 1.5 + x;
    }).join();
    if (round % 2 == 0)
      y = {};
    else
      std::thread([gone = std::move(y)]() mutable { gone = {}; }).join();
  }
  sum(x * x).backward();
  CHECK(x.grad().to_vector() == std::vector<double>{2, 2});
}

TEST_CASE("module paths: scopes of the same name in different places") {
  // More names than paths are kept.
  for (int round = 0; round < 2; ++round)
    for (int i = 0; i < 100; ++i) {
      const std::string outer = "layer" + std::to_string(i);
      const ModuleScope a(outer);
      for (const char* inner : {"attn", "mlp", "attn"}) {
        const ModuleScope b(inner);
        CHECK(module_path() == outer + "." + inner);
      }
      CHECK(module_path() == outer);
    }
  CHECK(module_path().empty());
}

}  // namespace
}  // namespace tarsier
