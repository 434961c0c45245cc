// Registrations of the indexing ops.
#include <algorithm>

#include "tests/ops/registry.h"

namespace tarsier::test {

void register_indexing() {
  for (int64_t dim : {0, -1})
    add({.name = "index_select",
         .what = concat("dim ", dim),
         .call = [=](const Tensors& x) { return index_select(x[0], dim, x[1]); },
         .samples = {{values({3}), integers({2, 0, 2, 1}, {4})},
                     {values({3, 3}), integers({1, 1, 1}, {3})},
                     {values({2, 2, 2}), integers({1}, {1})},
                     {values({2, 2}), integers({}, {0})}},
         .sized =
             [](int64_t rows, int64_t n) {
               return Tensors{values({rows, n}),
                              indices({7}, std::max<int64_t>(std::min(rows, n), 1))};
             }});
  add({.name = "gather",
       .what = "dim 1",
       .call = [](const Tensors& x) { return gather(x[0], 1, x[1]); },
       .samples = {{values({2, 3}), integers({0, 2, 2, 1, 1, 1, 0, 0}, {2, 4})},
                   {values({3, 2}), integers({1, 0}, {2, 1})}},
       .sized =
           [](int64_t rows, int64_t n) {
             return Tensors{values({rows, 11}), indices({rows, n}, 11)};
           }});
  add({.name = "gather",
       .what = "dim 0",
       .call = [](const Tensors& x) { return gather(x[0], 0, x[1]); },
       .samples = {{values({3}), integers({2, 2, 0, 1, 2}, {5})},
                   {values({3, 2}), integers({0, 2, 2, 1}, {2, 2})}},
       .sized =
           [](int64_t rows, int64_t n) {
             return Tensors{values({11, n}), indices({rows, n}, 11)};
           }});
  add({.name = "scatter_add",
       .what = "dim 0",
       .call = [](const Tensors& x) { return scatter_add(x[0], 0, x[1], x[2]); },
       .samples = {{values({3}), integers({2, 2, 0, 2}, {4}), values({4})},
                   {values({3, 2}), integers({0, 2, 2, 1}, {2, 2}), values({2, 2})}},
       .sized =
           [](int64_t rows, int64_t n) {
             return Tensors{values({11, n}), indices({rows, n}, 11), values({rows, n})};
           }});
  add({.name = "scatter_add",
       .what = "dim 1",
       .call = [](const Tensors& x) { return scatter_add(x[0], 1, x[1], x[2]); },
       .samples = {{values({2, 2}), integers({0, 1, 1, 1, 1, 0}, {2, 3}), values({2, 3})}}});
  for (const int64_t dim : {0, 1})
    add({.name = "scatter",
         .what = concat("dim ", dim),
         .call = [=](const Tensors& x) { return scatter(x[0], dim, x[1], x[2]); },
         // 2 and 1 are written twice: the last value stays.
         .samples = {{values({3, 3}), integers({2, 0, 2, 1}, {2, 2}), values({2, 2})},
                     {values({3, 3}), integers({1, 1, 1, 0}, {2, 2}), values({2, 2})}},
         .sized =
             [=](int64_t rows, int64_t n) {
               const Shape table = dim == 0 ? Shape{11, n} : Shape{rows, 11};
               return Tensors{values(table), indices({rows, n}, 11), values({rows, n})};
             }});
  add({.name = "scatter",
       .what = "number",
       .call = [](const Tensors& x) { return scatter(x[0], 0, x[1], 1.5); },
       .samples = {{values({3}), integers({2, 2}, {2})},
                   {values({3, 2}), integers({0, 2}, {1, 2})}}});
  for (const int64_t dim : {0, -1})
    add({.name = "index_add",
         .what = concat("dim ", dim),
         .call =
             [=](const Tensors& x) { return index_add(x[0], dim, x[1], x[2], dim == 0 ? 1 : -2); },
         .samples = {{values({3, 3}), integers({2, 2, 0}, {3}), values({3, 3})},
                     {values({3}), integers({1, 1}, {2}), values({2})}},
         .sized =
             [=](int64_t rows, int64_t n) {
               const Shape table = dim == 0 ? Shape{11, n} : Shape{rows, 11};
               return Tensors{values(table), indices({dim == 0 ? rows : n}, 11), values({rows, n})};
             },
         .node = "add"});
  add({.name = "index",
       .what = "first",
       .call = [](const Tensors& x) { return index(x[0], {x[1]}); },
       .samples = {{values({3}), integers({2, 0, -1, -3}, {2, 2})},
                   {values({3, 2}), integers({1, 1}, {2})}},
       .sized =
           [](int64_t rows, int64_t n) {
             return Tensors{values({11, n}), indices({rows}, 11)};
           },
       .node = "reshape"});
  add({.name = "index",
       .what = "two that broadcast",
       .call =
           [](const Tensors& x) {
             return index(x[0], {x[1], x[2]});
           },
       .samples = {{values({3, 4}), integers({2, 0}, {2, 1}), integers({1, 3, 1}, {3})},
                   {values({3, 2, 2}), integers({1, -1}, {2}), integers({0}, {})}},
       .node = "reshape"});
  add({.name = "index",
       .what = "last two",
       .call =
           [](const Tensors& x) {
             return index(x[0], {{}, x[1], x[2]});
           },
       .samples = {{values({2, 3, 2}), integers({2, 0}, {2}), integers({1, 0}, {2})}},
       .node = "permute"});
  add({.name = "index",
       .what = "apart",
       .call =
           [](const Tensors& x) {
             return index(x[0], {x[1], {}, x[2]});
           },
       .samples = {{values({2, 3, 2}), integers({1, 0, 1}, {3}), integers({1}, {1})}},
       .node = "reshape"});
  for (const bool accumulate : {false, true}) {
    const std::string what = accumulate ? "accumulate, " : "";
    add({.name = "index_put",
         .what = what + "first",
         .call = [=](const Tensors& x) { return index_put(x[0], {x[1]}, x[2], accumulate); },
         .samples = {{values({3}), integers({2, 0, 2, -1}, {2, 2}), values({2, 2})},
                     {values({3, 2}), integers({1, 1}, {2}), values({2})},
                     {values({3, 2}), integers({1, 0}, {2}), values({})}},
         .sized =
             [](int64_t rows, int64_t n) {
               return Tensors{values({11, n}), indices({rows}, 11), values({rows, n})};
             },
         .node = "permute"});
    add({.name = "index_put",
         .what = what + "last two",
         .call =
             [=](const Tensors& x) {
               return index_put(x[0], {{}, x[1], x[2]}, x[3], accumulate);
             },
         .samples = {{values({2, 3, 2}), integers({2, 0, 2}, {3}), integers({1, 0, 1}, {3}),
                      values({2, 3})}},
         .node = "permute"});
    add({.name = "index_put",
         .what = what + "apart",
         .call =
             [=](const Tensors& x) {
               return index_put(x[0], {x[1], {}, x[2]}, x[3], accumulate);
             },
         .samples = {{values({2, 3, 2}), integers({1, 0}, {2}), integers({1}, {1}),
                      values({2, 3})}},
         .node = "permute"});
  }
  add({.name = "embedding",
       .call = [](const Tensors& x) { return embedding(x[1], x[0]); },
       .samples = {{values({4, 3}), integers({1, 3, 1, 1, 0}, {5})},
                   {values({3, 2}), integers({2, 2, 0, 1}, {2, 2})},
                   {values({3, 2}), integers({1}, {})}},
       .sized =
           [](int64_t rows, int64_t n) {
             return Tensors{values({11, n}), indices({rows, 2}, 11)};
           }});
  add({.name = "masked_select",
       .call = [](const Tensors& x) { return masked_select(x[1], x[0]); },
       .samples = {{mask({2, 3}), values({2, 3})},
                   {mask({3}), values({2, 3})},
                   {mask({2, 1}), values({2, 3})}},
       .sized =
           [](int64_t rows, int64_t n) {
             return Tensors{mask({rows, n}), values({rows, n})};
           },
       .node = "index_select"});

  const auto along = [](const std::string& name, const std::string& what, const OpCall& f,
                        bool differentiable = true) {
    add({.name = name,
         .what = what,
         .call = f,
         .samples = {{distinct({5})}, {distinct({3, 3})}, {distinct({2, 2, 3})}},
         .sized = rows_distinct(),
         .node = "gather",
         .differentiable = differentiable});
  };
  along("topk", "largest", [](const Tensors& x) { return topk(x[0], 2).values; });
  along("topk", "smallest, first dim",
        [](const Tensors& x) { return topk(x[0], 1, 0, false).values; });
  along(
      "topk", "indices", [](const Tensors& x) { return topk(x[0], 2).indices; }, false);
  along("sort", "", [](const Tensors& x) { return sort(x[0]).values; });
  along("sort", "descending, first dim",
        [](const Tensors& x) { return sort(x[0], 0, true).values; });
  along(
      "sort", "indices", [](const Tensors& x) { return sort(x[0]).indices; }, false);
  along(
      "argsort", "", [](const Tensors& x) { return argsort(x[0], 0, true); }, false);
}

}  // namespace tarsier::test
