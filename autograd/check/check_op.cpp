#include "autograd/check/check_op.h"

#include "autograd/base/parallel.h"
#include "autograd/check/gradcheck.h"
#include "autograd/check/outcome.h"

namespace tarsier {
namespace {

using Tensors = std::vector<Tensor>;

/// The number of rows for a row length, chosen so that both cover their tails.
int64_t rows_for(int64_t n) { return 1 + n % 16; }
constexpr int64_t kLongest = 70;

Tensors leaves_of(const OpCheck& op, const Tensors& inputs, DType floating = f64,
                  Layout layout = Layout::contiguous) {
  return leaves(inputs, op.constants, floating, layout);
}

/// "(2, 3), (3,)"
std::string shapes_of(const Tensors& inputs) {
  std::string text;
  for (const Tensor& x : inputs) text += concat(text.empty() ? "" : ", ", x.shape());
  return text;
}

/// Throws Error unless `difference` is "".
template <class... Parts>
void check_same(const OpCheck& op, const std::string& difference, const Tensors& inputs,
                const Parts&... what) {
  check(difference.empty(), "check_op", op.name, ", inputs of shapes ", shapes_of(inputs), ", ",
        concat(what...), ": ", difference);
}

/// The inputs of `sized` at every length of a row that the op takes.
template <class Body>
void for_each_length(const OpCheck& op, const Body& body) {
  for (int64_t n = 1; op.sized && n <= kLongest; ++n) {
    const Tensors inputs = op.sized(rows_for(n), n);
    Outcome twice;
    try {
      twice = outcome_of(op.call, leaves_of(op, inputs));
    } catch (const Error&) {
      continue;  // the op refuses this length (topk of too few)
    }
    body(inputs, twice);
  }
}

void compare_dtypes(const OpCheck& op, const Tensors& inputs, const Outcome& twice) {
  const Outcome single = outcome_of(op.call, leaves_of(op, inputs, f32));
  check(!op.differentiable || single.y.dtype() == f32, "check_op", op.name, ": f32 in, ",
        single.y.dtype(), " out");
  check_same(op, difference(single, twice, f32, kOpSteps * op.condition), inputs,
             "f32 compared with f64");
}

void compare_with_reference(const OpCheck& op, const Tensors& inputs) {
  for (const DType dtype : {f64, f32})
    check_same(op,
               difference(outcome_of(op.call, leaves_of(op, inputs, dtype)),
                          outcome_of(op.reference, leaves_of(op, inputs, dtype)), dtype,
                          kOpSteps * op.condition),
               inputs, "compared with the reference form in ", dtype);
}

void compare_layouts(const OpCheck& op, const Tensors& inputs) {
  const auto run = [&](const Tensors& x, Layout layout, const Upstream& upstream) {
    return outcome_of(op.call, leaves_of(op, x, f64, layout), upstream);
  };
  const auto compare = [&](const Outcome& got, const Outcome& expected, const char* what,
                           Layout layout) {
    check_same(op, difference(got, expected, f64, kOpSteps * op.condition), inputs, what,
               name_of(layout), ", compared with contiguous");
  };
  const Layout contiguous = Layout::contiguous;
  const Outcome expected = run(inputs, contiguous, {});
  for (const Layout layout : {Layout::transposed, Layout::gaps})
    compare(run(inputs, layout, {layout}), expected, "inputs and upstream gradient ", layout);
  compare(run(inputs, contiguous, {Layout::expanded}), run(inputs, contiguous, {contiguous, true}),
          "upstream gradient ", Layout::expanded);

  Tensors repeating;
  for (const Tensor& x : inputs) repeating.push_back(repeated(x));
  Outcome of_repeating;
  try {
    of_repeating = run(repeating, contiguous, {});
  } catch (const Error&) {
    return;  // the op does not accept such values
  }
  compare(run(repeating, Layout::expanded, {}), of_repeating, "inputs ", Layout::expanded);
}

}  // namespace

void check_op_gradients(const OpCheck& op) {
  if (!op.differentiable) return;
  for (const Tensors& sample : op.samples) {
    try {
      gradcheck(op.call, leaves_of(op, sample),
                {.eps = op.step, .second_order = op.second_order, .any_layout = op.any_layout});
    } catch (const Error& error) {
      fail("check_op", op.name, ", inputs of shapes ", shapes_of(sample), ": ", error.what());
    }
  }
}

void check_op_single_gradients(const OpCheck& op) {
  if (!op.differentiable) return;
  for (const Tensors& sample : op.samples) {
    const Outcome all = outcome_of(op.call, leaves_of(op, sample));
    check(!all.dx.empty(), "check_op", op.name, ": the result requires no gradient");
    for (size_t i = 0; i < sample.size(); ++i) {
      if (!is_floating(sample[i].dtype()) || !all.dx[i].defined()) continue;
      Tensors inputs = leaves(sample, static_cast<int>(sample.size()));
      inputs[i].requires_grad_();
      const Outcome one = outcome_of(op.call, inputs);
      check(!one.dx.empty(), "check_op", op.name, ": not recorded if only input ", i,
            " requires a gradient");
      check_same(op, difference(one.dx[i], all.dx[i], f64, kOpSteps), sample, "if only input ", i,
                 " requires a gradient");
    }
  }
}

void check_op_inputs(const OpCheck& op) {
  for (const Tensors& sample : op.samples) {
    const Tensors inputs = leaves_of(op, sample);
    std::vector<int64_t> versions;
    for (const Tensor& x : inputs) versions.push_back(x.version());
    outcome_of(op.call, inputs);
    for (size_t i = 0; i < inputs.size(); ++i) {
      check(inputs[i].version() == versions[i], "check_op", op.name, ": input ", i,
            " has a new version, so it was changed in place");
      check_same(op, bit_difference(inputs[i], copy_as(sample[i])), sample, "input ", i,
                 " was changed");
    }
  }
}

void check_op_dtypes(const OpCheck& op) {
  if (op.random) return;
  for (const Tensors& sample : op.samples)
    compare_dtypes(op, sample, outcome_of(op.call, leaves_of(op, sample)));
  for_each_length(
      op, [&](const Tensors& inputs, const Outcome& twice) { compare_dtypes(op, inputs, twice); });
}

void check_op_layouts(const OpCheck& op) {
  if (!op.any_layout) return;
  for (const Tensors& sample : op.samples) compare_layouts(op, sample);
  if (op.sized) compare_layouts(op, op.sized(3, 37));
}

void check_op_reference(const OpCheck& op) {
  if (!op.reference) return;
  for (const Tensors& sample : op.samples) compare_with_reference(op, sample);
  for_each_length(
      op, [&](const Tensors& inputs, const Outcome&) { compare_with_reference(op, inputs); });
}

void check_op_threads(const OpCheck& op) {
  if (!op.sized) return;
  struct Threads {
    int before = num_threads();
    ~Threads() { set_num_threads(before); }
  } restore;
  const Tensors inputs = op.sized(257, 300);
  set_num_threads(1);
  const Outcome one = outcome_of(op.call, leaves_of(op, inputs, f32));
  for (const int threads : {2, 3}) {
    set_num_threads(threads);
    check_same(op, bit_difference(outcome_of(op.call, leaves_of(op, inputs, f32)), one), inputs,
               threads, " threads compared with one");
  }
}

void check_op_empty(const OpCheck& op) {
  const std::pair<int64_t, int64_t> sizes[] = {{0, 3}, {3, 0}, {0, 0}};
  for (const auto& [rows, n] : sizes) {
    if (!op.sized) continue;
    Tensors inputs;
    Outcome outcome;
    try {
      inputs = leaves_of(op, op.sized(rows, n));
      outcome = outcome_of(op.call, inputs);
    } catch (const Error&) {
      continue;
    }
    for (size_t i = 0; i < outcome.dx.size(); ++i)
      if (const Tensor& dx = outcome.dx[i]; dx.defined())
        check(dx.shape() == inputs[i].shape(), "check_op", op.name, ": the gradient of ",
              inputs[i].shape(), " is ", dx.shape());
  }
}

void check_op(const OpCheck& op) {
  check(!op.samples.empty(), "check_op", op.name, ": no samples: give small inputs in f64");
  check_op_gradients(op);
  check_op_single_gradients(op);
  check_op_inputs(op);
  check_op_dtypes(op);
  check_op_layouts(op);
  check_op_reference(op);
  check_op_threads(op);
  check_op_empty(op);
}

}  // namespace tarsier
