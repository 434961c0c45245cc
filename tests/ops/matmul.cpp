// Registrations of the products.
#include "tests/ops/registry.h"

namespace tarsier::test {

void register_matmul() {
  const auto products = [](const std::vector<std::pair<Shape, Shape>>& shapes) {
    std::vector<Tensors> samples;
    for (const auto& [a, b] : shapes) samples.push_back({values(a), values(b)});
    return samples;
  };
  add({.name = "matmul",
       .call = [](const Tensors& x) { return matmul(x[0], x[1]); },
       .samples = products({{{2, 3}, {3, 4}},
                            {{1, 1}, {1, 1}},
                            {{2, 2, 3}, {2, 3, 2}},
                            {{2, 2, 3}, {3, 2}},
                            {{2, 3}, {2, 3, 2}},
                            {{2, 1, 2, 3}, {3, 3, 1}}}),
       .sized =
           [](int64_t rows, int64_t n) {
             return Tensors{values({rows, n}), values({n, 9})};
           }});
  add({.name = "matmul",
       .what = "vectors",
       .call = [](const Tensors& x) { return matmul(x[0], x[1]); },
       .samples =
           products({{{4}, {4}}, {{3}, {3, 2}}, {{2, 3}, {3}}, {{2, 2, 3}, {3}}, {{3}, {2, 3, 2}}}),
       .sized =
           [](int64_t rows, int64_t n) {
             return Tensors{values({rows, n}), values({n})};
           },
       .node = "*"});  // a matrix product and a reshape
  add({.name = "matmul",
       .what = "wide",
       .call = [](const Tensors& x) { return matmul(x[0], x[1]); },
       .samples = {{values({1, 2}), values({2, 5})}},
       .sized =
           [](int64_t rows, int64_t n) {
             return Tensors{values({rows, 5}), values({5, n})};
           }});
  add({.name = "matmul",
       .what = "transposed",
       .call =
           [](const Tensors& x) { return matmul(transpose(x[0], 0, 1), transpose(x[1], 0, 1)); },
       .samples = {{values({3, 2}), values({4, 3})}},
       .sized =
           [](int64_t rows, int64_t n) {
             return Tensors{values({n, rows}), values({6, n})};
           }});
  add({.name = "linear",
       .call = [](const Tensors& x) { return linear(x[0], x[1], x[2]); },
       .samples = {{values({2, 3}), values({4, 3}), values({4})},
                   {values({3}), values({2, 3}), values({2})},
                   {values({2, 1, 3}), values({1, 3}), values({1})}},
       .sized =
           [](int64_t rows, int64_t n) {
             return Tensors{values({rows, n}), values({n, n}), values({n})};
           }});
  add({.name = "linear",
       .what = "without bias",
       .call = [](const Tensors& x) { return linear(x[0], x[1]); },
       .samples = {{values({2, 3}), values({4, 3})}, {values({2, 2, 3}), values({2, 3})}},
       .sized =
           [](int64_t rows, int64_t n) {
             return Tensors{values({rows, n}), values({5, n})};
           }});

  const auto contraction = [](const std::string& equation, const std::vector<Shape>& shapes,
                              const Sized& sized = nullptr) {
    Tensors inputs;
    for (const Shape& shape : shapes) inputs.push_back(values(shape));
    add({.name = "einsum",
         .what = equation,
         .call = [=](const Tensors& x) { return einsum(equation, x); },
         .samples = {inputs},
         .sized = sized,
         .node = "*"});  // einsum is made of matmul, permute and sum
  };
  contraction("ij,jk->ik", {{2, 3}, {3, 2}}, [](int64_t rows, int64_t n) {
    return Tensors{values({rows, n}), values({n, 5})};
  });
  contraction("bhqd,bhkd->bhqk", {{1, 2, 2, 3}, {1, 2, 3, 3}});
  contraction("...ij,...jk->...ik", {{2, 1, 2, 2}, {3, 2, 2}});
  contraction("ij->ji", {{2, 3}});
  contraction("ij->i", {{2, 3}});
  contraction("ii->i", {{3, 3}});
  contraction("ij->", {{2, 3}});
  contraction("i,i->", {{4}, {4}});
  contraction("i,j->ij", {{3}, {2}});
  contraction("ij,ij->ij", {{2, 3}, {2, 3}});
  contraction("ij,jk,kl->il", {{2, 2}, {2, 3}, {3, 2}});
  contraction("bij,bjk", {{2, 2, 2}, {2, 2, 2}});
}

}  // namespace tarsier::test
