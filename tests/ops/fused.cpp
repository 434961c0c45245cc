// Registrations of the fused ops. Each is compared with its reference form as well.
#include <algorithm>
#include <cmath>

#include "tests/ops/registry.h"

namespace tarsier::test {
namespace {

void register_softmax() {
  for (int64_t dim : {-1, 0}) {
    const std::vector<Tensors> samples = {
        {values({5})}, {values({2, 3})}, {values({3, 2, 2})}, {values({1})}, {values({2, 1})}};
    add({.name = "softmax",
         .what = concat("dim ", dim),
         .call = [=](const Tensors& x) { return softmax(x[0], dim); },
         .samples = samples,
         .sized = rows_of(1),
         .reference = [=](const Tensors& x) { return softmax_reference(x[0], dim); }});
    add({.name = "log_softmax",
         .what = concat("dim ", dim),
         .call = [=](const Tensors& x) { return log_softmax(x[0], dim); },
         .samples = samples,
         .sized = rows_of(1),
         .reference = [=](const Tensors& x) { return log_softmax_reference(x[0], dim); }});
  }
  add({.name = "softmax",
       .what = "middle, with -inf",
       .call = [](const Tensors& x) { return softmax(masked_fill(x[0], x[1] != 0, -INFINITY), 1); },
       .samples = {{values({2, 3, 2}), numbers({0, 1, 1, 0, 0, 0, 0, 0, 0, 0, 1, 1}, {2, 3, 2})}}});
}

void register_norms() {
  const auto row_inputs = [](int64_t rows, int64_t n) {
    return Tensors{distinct({rows, n}), values({n}), values({n})};
  };
  add({.name = "layer_norm",
       .call = [](const Tensors& x) { return layer_norm(x[0], x[1], x[2]); },
       .samples = {{values({4}), values({4}), values({4})},
                   {values({2, 3}), values({3}), values({3})},
                   {values({2, 2, 3}), values({3}), values({3})}},
       .sized = row_inputs,
       .reference = [](const Tensors& x) { return layer_norm_reference(x[0], x[1], x[2]); },
       .condition = 8});
  add({.name = "layer_norm",
       .what = "weight alone",
       .call = [](const Tensors& x) { return layer_norm(x[0], x[1], {}, 1e-3); },
       .samples = {{values({2, 3}), values({3})}},
       .sized = row_inputs,
       .reference = [](const Tensors& x) { return layer_norm_reference(x[0], x[1], {}, 1e-3); },
       .condition = 8});
  add({.name = "layer_norm",
       .what = "plain",
       .call = [](const Tensors& x) { return layer_norm(x[0]); },
       .samples = {{values({5})}, {values({2, 3})}},
       .sized = rows_distinct(),
       .reference = [](const Tensors& x) { return layer_norm_reference(x[0]); },
       .condition = 8});
  add({.name = "rms_norm",
       .call = [](const Tensors& x) { return rms_norm(x[0], x[1]); },
       .samples = {{values({4}), values({4})}, {values({2, 2, 3}), values({3})}},
       .sized = row_inputs,
       .reference = [](const Tensors& x) { return rms_norm_reference(x[0], x[1]); }});
  add({.name = "rms_norm",
       .what = "plain",
       .call = [](const Tensors& x) { return rms_norm(x[0], {}, 1e-2); },
       .samples = {{values({5})}, {values({2, 3})}},
       .sized = rows_distinct(),
       .reference = [](const Tensors& x) { return rms_norm_reference(x[0], {}, 1e-2); }});
}

void register_binary_cross_entropy() {
  for (const Reduction reduction : {Reduction::none, Reduction::sum, Reduction::mean}) {
    const std::string what = concat("reduction ", static_cast<int>(reduction));
    const bool plain = reduction == Reduction::none;
    add({.name = "binary_cross_entropy",
         .what = what,
         .call = [=](const Tensors& x) { return binary_cross_entropy(x[0], x[1], {}, reduction); },
         .samples = {{values({4}, 0.05, 0.95), values({4}, 0, 1)},
                     {values({2, 3}, 0.05, 0.95), values({2, 3}, 0, 1)}},
         .sized = rows_of(2, 0.05, 0.95),
         .node = plain ? "" : "*"});
    add({.name = "binary_cross_entropy",
         .what = "weights, " + what,
         .call =
             [=](const Tensors& x) { return binary_cross_entropy(x[0], x[1], x[2], reduction); },
         .samples = {{values({2, 3}, 0.05, 0.95), values({2, 3}, 0, 1), values({3}, 0.5, 2)}},
         .node = "*"});
  }
}

void register_ctc_loss() {
  // The second target repeats a label, which needs a blank between the two; the third is empty. The
  // last two entries of the padding are not read.
  const auto inputs = [](const Tensor& log_probs) {
    return Tensors{log_probs, integers({1, 2, 1, 2, 2, 0, 7, 7, 7}, {3, 3}),
                   integers({5, 4, 3}, {3}), integers({3, 2, 0}, {3})};
  };
  for (const Reduction reduction : {Reduction::none, Reduction::sum, Reduction::mean}) {
    const auto add_ctc = [&](const std::string& what, const auto& loss, const auto& reference,
                             const std::vector<Tensors>& samples, const std::string& node) {
      add({.name = "ctc_loss",
           .what = concat(what, ", reduction ", static_cast<int>(reduction)),
           .call = [=](const Tensors& x) { return loss(x, reduction); },
           .samples = samples,
           .reference = [=](const Tensors& x) { return reference(x, reduction); },
           .node = node});
    };
    const bool plain = reduction == Reduction::none;
    add_ctc(
        "batch",
        [](const Tensors& x, Reduction r) { return ctc_loss(x[0], x[1], x[2], x[3], 0, r); },
        [](const Tensors& x, Reduction r) {
          return ctc_loss_reference(x[0], x[1], x[2], x[3], 0, r);
        },
        {inputs(values({5, 3, 3}))}, plain ? "" : "*");
    add_ctc(
        "one sequence, another blank, zero_infinity",
        [](const Tensors& x, Reduction r) { return ctc_loss(x[0], x[1], x[2], x[3], 1, r, true); },
        [](const Tensors& x, Reduction r) {
          return ctc_loss_reference(x[0], x[1], x[2], x[3], 1, r, true);
        },
        {{values({4, 3}), integers({2, 0}, {2}), integers({4}, {}), integers({2}, {})}}, "*");
  }
}

void register_losses() {
  const auto samples = [](int64_t ignored) {
    return std::vector<Tensors>{
        {values({4}), integers({2}, {})},
        {values({3, 4}), integers({0, 3, 2}, {3})},
        {values({2, 3, 2}), integers({2, 1, 0, 1}, {2, 2})},
        {values({3, 3}), integers({0, ignored, 2}, {3})},
    };
  };
  const Sized sized = [](int64_t rows, int64_t n) {
    return Tensors{values({rows, n}), indices({rows}, std::max<int64_t>(n, 1))};
  };
  const auto add_loss = [&](const std::string& what, const CrossEntropyOptions& options) {
    add({.name = "cross_entropy",
         .what = what,
         .call = [=](const Tensors& x) { return cross_entropy(x[0], x[1], options); },
         .samples = samples(options.ignore_index),
         .sized = sized,
         .reference =
             [=](const Tensors& x) { return cross_entropy_reference(x[0], x[1], options); }});
  };
  add_loss("mean", {});
  add_loss("sum", {.reduction = Reduction::sum});
  add_loss("none", {.reduction = Reduction::none});
  add_loss("smoothed", {.label_smoothing = 0.2});
  add_loss("smoothed, none", {.reduction = Reduction::none, .label_smoothing = 1});
  add_loss("another index ignored", {.ignore_index = 1, .label_smoothing = 0.1});
  // Weights depend on the dtype and the number of classes of the logits, so they are inputs here.
  for (const double smoothing : {0.0, 0.3})
    for (const Reduction reduction : {Reduction::mean, Reduction::sum, Reduction::none}) {
      const auto options = [=](const Tensor& weight) {
        return CrossEntropyOptions{
            .weight = weight, .reduction = reduction, .label_smoothing = smoothing};
      };
      add({.name = "cross_entropy",
           .what = concat("weights, smoothing ", smoothing, ", ", static_cast<int>(reduction)),
           .call = [=](const Tensors& x) { return cross_entropy(x[0], x[1], options(x[2])); },
           .samples = {{values({3, 3}), integers({0, 2, 0}, {3}), values({3}, 0.5, 2)},
                       {values({2, 3, 2}), integers({2, 1, -100, 1}, {2, 2}), values({3}, 0.5, 2)}},
           .reference =
               [=](const Tensors& x) { return cross_entropy_reference(x[0], x[1], options(x[2])); },
           .constants = 1});
      // Targets that are probabilities get gradients as well.
      add({.name = "cross_entropy",
           .what =
               concat("probabilities, smoothing ", smoothing, ", ", static_cast<int>(reduction)),
           .call = [=](const Tensors& x) { return cross_entropy(x[0], x[1], options(x[2])); },
           .samples = {{values({3}), values({3}, 0, 1), values({3}, 0.5, 2)},
                       {values({3, 2}), values({3, 2}, 0, 1), values({2}, 0.5, 2)},
                       {values({2, 3, 2}), values({2, 3, 2}, 0, 1), values({3}, 0.5, 2)}},
           .sized =
               [](int64_t rows, int64_t n) {
                 return Tensors{values({rows, n}), values({rows, n}, 0, 1), values({n}, 0.5, 2)};
               },
           .reference =
               [=](const Tensors& x) { return cross_entropy_reference(x[0], x[1], options(x[2])); },
           .node = "*",
           .constants = 1});
    }
}

void register_dropout() {
  for (const double p : {0.0, 0.3, 1.0})
    add({.name = "dropout",
         .what = concat("p = ", p),
         .call =
             [=](const Tensors& x) {
               Generator generator(7);
               return dropout(x[0], p, true, generator);
             },
         .samples = {{values({9})}, {values({2, 3})}},
         .sized = rows_of(1),
         .reference =
             [=](const Tensors& x) {
               return dropout_reference(x[0], p, {7, 0});
             },
         .node = p == 0 ? "*" : "dropout",
         .random = true});
}

}  // namespace

void register_fused() {
  register_softmax();
  register_norms();
  register_losses();
  register_binary_cross_entropy();
  register_ctc_loss();
  register_dropout();
}

}  // namespace tarsier::test
