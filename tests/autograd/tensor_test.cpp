// Tensors as handles to strided memory, and the allocator.
#include "autograd/tensor/tensor.h"

#include <doctest/doctest.h>

#include <span>

#include <limits>

#include "autograd/ops.h"

using namespace tarsier;

TEST_SUITE_BEGIN("tensor");

TEST_CASE("a tensor without elements has an address, aligned like others") {
  for (const Shape& shape : {Shape{0}, Shape{3, 0, 2}}) {
    const Tensor x = Tensor::empty(shape, f32), y = zeros(shape);
    for (const Tensor& t : {x, y}) {
      CHECK(t.data<float>() != nullptr);
      CHECK(reinterpret_cast<uintptr_t>(t.data<float>()) % 64 == 0);
    }
  }
}

TEST_CASE("a new tensor is contiguous, aligned and of the requested size") {
  Tensor x = Tensor::empty({2, 3, 4}, f64);
  CHECK(x.shape() == Shape{2, 3, 4});
  CHECK(x.strides() == Strides{12, 4, 1});
  CHECK(x.is_contiguous());
  CHECK(x.numel() == 24);
  CHECK(x.dim() == 3);
  CHECK(x.size(-1) == 4);
  CHECK(reinterpret_cast<uintptr_t>(x.data<double>()) % 64 == 0);
  CHECK(x.is_leaf());
  CHECK_FALSE(x.requires_grad());
}

TEST_CASE("scalars and empty tensors") {
  CHECK(Tensor::empty({}).numel() == 1);
  CHECK(Tensor::empty({0, 3}).numel() == 0);
  CHECK(Tensor::empty({0, 3}).to_vector().empty());
  CHECK(scalar(2.5, f64).item() == 2.5);
}

TEST_CASE("copies of a handle share memory; views see the same elements through other strides") {
  Tensor x = tensor({{1, 2, 3}, {4, 5, 6}});
  Tensor same = x;
  same.data<float>()[0] = 10;
  CHECK(x.to_vector() == std::vector<double>{10, 2, 3, 4, 5, 6});
  Tensor t = x.view_as({3, 2}, {1, 3}, 0);
  CHECK_FALSE(t.is_contiguous());
  CHECK(t.to_vector() == std::vector<double>{10, 4, 2, 5, 3, 6});
  Tensor last_row = x.view_as({3}, {1}, 3);
  CHECK(last_row.is_contiguous());
  CHECK(last_row.to_vector() == std::vector<double>{4, 5, 6});
}

TEST_CASE("misuse is an Error that says what was wrong") {
  Tensor x = tensor({1, 2});
  CHECK_THROWS_WITH_AS(x.data<double>(), doctest::Contains("tensor of f32 read as f64"), Error);
  CHECK_THROWS_WITH_AS(x.item(), doctest::Contains("(2,)"), Error);
  CHECK_THROWS_AS(x.size(1), Error);
  CHECK_THROWS_AS(x.set_grad(tensor({1})), Error);
  CHECK_THROWS_AS(Tensor::empty({2, -1}), Error);
  CHECK_THROWS_AS((Shape{1, 1, 1, 1, 1, 1, 1, 1, 1}), Error);
  CHECK_THROWS_WITH_AS(x + zeros({2}, f64), doctest::Contains("f64"), Error);
  CHECK_THROWS_WITH_AS(x + zeros({3}), doctest::Contains("sizes 2 and 3"), Error);
}

TEST_CASE("span: the elements in row-major order, only of contiguous tensors of that dtype") {
  const Tensor x = reshape(arange(6), {2, 3});
  const std::span<int64_t> elements = x.span<int64_t>();
  CHECK(std::vector<int64_t>(elements.begin(), elements.end()) == x.to_vector<int64_t>());
  elements[4] = 40;
  CHECK(select(select(x, 0, 1), 0, 1).item() == 40);
  CHECK(select(x, 0, 1).span<int64_t>()[1] == 40);  // after an offset
  CHECK(zeros({0, 3}).span<float>().empty());
  CHECK(scalar(3).span<float>().size() == 1);
  CHECK_THROWS_WITH_AS(x.span<double>(), doctest::Contains("[span] tensor of i64 read as f64"),
                       Error);
  const auto refuses = [](const Tensor& t) {
    CHECK_THROWS_WITH_AS(t.span<int64_t>(), doctest::Contains("take the span of contiguous(x)"),
                         Error);
  };
  refuses(transpose(x, 0, 1));
  refuses(slice(x, 1, 0, 2));
  refuses(slice(x, 0, 0, 2, 1).view_as({2, 2}, {3, 2}, 0));
  refuses(expand(select(x, 0, 0), {2, 3}));
  CHECK_THROWS_WITH_AS(Tensor().span<float>(), doctest::Contains("undefined"), Error);
}

TEST_CASE("sizes whose product overflows are refused before memory is allocated") {
  const int64_t huge = int64_t(1) << 33;
  CHECK_THROWS_WITH_AS(Tensor::empty({huge, huge}), doctest::Contains("64 bits"), Error);
  CHECK_THROWS_WITH_AS(Tensor::empty({int64_t(1) << 60}), doctest::Contains("[memory]"), Error);
}

TEST_CASE("shapes print as tuples and broadcast from the right") {
  CHECK(concat(Shape{}, Shape{3}, Shape{2, 3}) == "()(3,)(2, 3)");
  CHECK(broadcast_shapes({4, 1, 3}, {5, 1}, "t") == Shape{4, 5, 3});
  CHECK(broadcast_shapes({}, {2}, "t") == Shape{2});
  CHECK(broadcast_shapes({0, 1}, {1, 4}, "t") == Shape{0, 4});
  CHECK_THROWS_AS(broadcast_shapes({2, 3}, {2}, "t"), Error);
}

TEST_CASE("freed blocks are reused, and counted") {
  empty_memory_cache();
  const MemoryStats before = memory_stats();
  void* first = nullptr;
  {
    Tensor x = Tensor::empty({1000});
    first = x.data<float>();
    CHECK(memory_stats().current_bytes >= before.current_bytes + 4000);
  }
  CHECK(memory_stats().current_bytes == before.current_bytes);
  {
    // The cache is limited by the peak use; make sure that this block is kept.
    Tensor y = Tensor::empty({1000});
    Tensor z = Tensor::empty({1010});
    CHECK(memory_stats().peak_bytes >= before.current_bytes + 8000);
  }
  Tensor again = Tensor::empty({1000});
  const int64_t system = memory_stats().system_allocations;
  for (int i = 0; i < 100; ++i) Tensor scratch = Tensor::empty({500});
  CHECK(memory_stats().system_allocations <= system + 1);
  CHECK(first != nullptr);
  empty_memory_cache();
  CHECK(memory_stats().cached_bytes == 0);
}

TEST_CASE("external memory is used in place and released at the end") {
  auto numbers = std::make_shared<std::vector<float>>(std::vector<float>{1, 2, 3});
  std::weak_ptr<std::vector<float>> alive = numbers;
  {
    auto impl = std::make_shared<TensorImpl>();
    impl->storage = std::make_shared<Storage>(numbers->data(), 12, numbers);
    impl->shape = {3};
    impl->strides = {1};
    Tensor x(impl);
    numbers.reset();
    CHECK(x.to_vector() == std::vector<double>{1, 2, 3});
    CHECK_FALSE(alive.expired());
  }
  CHECK(alive.expired());
}

TEST_CASE("sizes that nobody uses any more make room for those in use") {
  const auto from_system = [](size_t bytes) {  // whether the cache has no block of this size
    const int64_t before = memory_stats().system_allocations;
    const Storage block(bytes);
    return memory_stats().system_allocations > before;
  };
  empty_memory_cache();
  const auto most = static_cast<size_t>(memory_stats().largest_bytes);  // a quarter more is kept
  const size_t old1 = most / 2, old2 = most / 5 * 3, used = most / 10 * 7;
  CHECK(from_system(old1));
  CHECK(from_system(old2));
  CHECK(from_system(used));
  CHECK(from_system(used));  // the cache is full of the old sizes
  for (int i = 0; i < 40'000; ++i) const Storage small(64);
  CHECK(from_system(used));
  CHECK_FALSE(from_system(used));
  empty_memory_cache();
}

TEST_CASE("the allocator does not hoard when sizes keep growing") {
  empty_memory_cache();
  const int64_t before = memory_stats().current_bytes;
  for (int64_t n = 1; n < 2000; ++n) Tensor x = Tensor::empty({n, 100});
  const MemoryStats after = memory_stats();
  CHECK(after.current_bytes == before);
  CHECK(after.cached_bytes <= after.largest_bytes * 5 / 4);
}

TEST_SUITE_END();
