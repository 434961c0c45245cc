// Einstein summation, composed of views, sums and matmul: their backwards are its backward.
//
// Every dimension carries a label: a letter, or a number for those that "..." stands for. Two
// operands at a time are brought into the form of a batched product,
//   (batch…, left, inner) · (batch…, inner, right),
// where batch labels are in both operands and still needed, inner ones in both and needed no more.
#include <algorithm>
#include <string>
#include <vector>

#include "autograd/ops.h"

namespace tarsier {
namespace {

using Labels = std::vector<int>;

/// The label of the dimension `from_right` from the right end of "...". It sorts before letters.
constexpr int ellipsis_label(int from_right) { return -1 - from_right; }
constexpr bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

bool contains(const Labels& labels, int label) {
  return std::find(labels.begin(), labels.end(), label) != labels.end();
}

/// One operand as written: the letters left and right of "...".
struct Subscripts {
  Labels before, after;
  bool ellipsis = false;
  size_t begin = 0;  ///< position in the equation

  /// The labels of an operand where "..." stands for `dims` dimensions.
  Labels expanded(int dims) const {
    Labels labels = before;
    for (int i = dims - 1; ellipsis && i >= 0; --i) labels.push_back(ellipsis_label(i));
    labels.insert(labels.end(), after.begin(), after.end());
    return labels;
  }
};

struct Equation {
  std::vector<Subscripts> operands;
  Subscripts output;
  bool has_output = false;  ///< "->" was written
};

/// Reads "ab...,bc->ac". Throws Error("einsum") with the position of what cannot be read.
class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  Equation parse() {
    Equation equation;
    equation.operands.push_back(subscripts());
    while (accept(",")) equation.operands.push_back(subscripts());
    equation.has_output = accept("->");
    if (equation.has_output) equation.output = subscripts();
    if (at_ < text_.size()) unexpected("expected a letter, \"...\", \",\" or one \"->\"");
    return equation;
  }

 private:
  Subscripts subscripts() {
    Subscripts result;
    skip_spaces();
    result.begin = at_;
    for (skip_spaces(); at_ < text_.size(); skip_spaces()) {
      if (is_letter(text_[at_])) {
        (result.ellipsis ? result.after : result.before).push_back(text_[at_++]);
      } else if (text_[at_] == '.') {
        if (result.ellipsis) unexpected("an operand has \"...\" at most once");
        if (!accept("...")) unexpected("expected \"...\"");
        result.ellipsis = true;
      } else {
        break;
      }
    }
    return result;
  }

  bool accept(std::string_view token) {
    skip_spaces();
    if (text_.substr(at_, token.size()) != token) return false;
    at_ += token.size();
    return true;
  }
  void skip_spaces() {
    while (at_ < text_.size() && text_[at_] == ' ') ++at_;
  }
  [[noreturn]] void unexpected(const char* expected) const {
    fail("einsum", "'", text_, "', position ", at_, ": '", text_[at_],
         "' cannot stand here: ", expected);
  }

  std::string_view text_;
  size_t at_ = 0;
};

std::string name_of_label(int label) {
  return label < 0 ? std::string("...") : std::string(1, static_cast<char>(label));
}

/// A tensor with a label for every dimension, none twice.
struct Term {
  Tensor x;
  Labels labels;

  int dim(int label) const {
    return static_cast<int>(std::find(labels.begin(), labels.end(), label) - labels.begin());
  }
  int64_t size(int label) const { return x.shape()[dim(label)]; }
};

/// x with dimensions i < j, equally large, replaced by their diagonal, which comes last: rows of
/// n·n elements, of which every (n + 1)-th is wanted.
Tensor diagonal(const Tensor& x, int i, int j) {
  Shape order, shape;
  for (int d = 0; d < x.dim(); ++d)
    if (d != i && d != j) order.push_back(d), shape.push_back(x.shape()[d]);
  order.push_back(i);
  order.push_back(j);
  const int64_t n = x.shape()[i];
  shape.push_back(n * n);
  return slice(reshape(permute(x, order), shape), -1, 0, n * n, n + 1);
}

/// The operand with every label once.
Term without_repeats(const Tensor& x, const Labels& labels) {
  for (int j = 0; j < static_cast<int>(labels.size()); ++j)
    for (int i = 0; i < j; ++i) {
      if (labels[i] != labels[j]) continue;
      Labels rest;
      for (int d = 0; d < static_cast<int>(labels.size()); ++d)
        if (d != i && d != j) rest.push_back(labels[d]);
      rest.push_back(labels[i]);
      return without_repeats(diagonal(x, i, j), rest);
    }
  return {x, labels};
}

/// The term summed over the labels for which `keep` is false.
template <class Keep>
Term sum_out(Term term, const Keep& keep) {
  Axes dims;
  Labels rest;
  for (int d = 0; d < static_cast<int>(term.labels.size()); ++d)
    if (keep(term.labels[d]))
      rest.push_back(term.labels[d]);
    else
      dims.push_back(d);
  if (dims.empty()) return term;
  return {sum(term.x, dims), rest};
}

/// The term without labels that have size 1 here and more in `other`: broadcasting stretches them.
Term without_stretched(Term term, const Term& other) {
  for (int d = static_cast<int>(term.labels.size()) - 1; d >= 0; --d) {
    const int label = term.labels[d];
    if (term.x.shape()[d] == 1 && contains(other.labels, label) && other.size(label) != 1) {
      term.x = squeeze(term.x, d);
      term.labels.erase(term.labels.begin() + d);
    }
  }
  return term;
}

/// The term's dimensions in the order of `groups`, each group reshaped to the given sizes.
Tensor arrange(const Term& term, const Labels& order, const Shape& shape) {
  Shape dims;
  for (int label : order) dims.push_back(term.dim(label));
  return reshape(permute(term.x, dims), shape);
}

Labels joined(std::initializer_list<Labels> lists) {
  Labels all;
  for (const Labels& labels : lists) all.insert(all.end(), labels.begin(), labels.end());
  return all;
}

Shape sizes_of(const Term& term, const Labels& labels) {
  Shape shape;
  for (int label : labels) shape.push_back(term.size(label));
  return shape;
}

Shape joined(Shape a, const Shape& b) {
  for (int64_t size : b) a.push_back(size);
  return a;
}

/// Σ a · b over the labels that are not in `needed`.
Term contract(Term a, Term b, const Labels& needed) {
  a = without_stretched(a, b);
  b = without_stretched(b, a);
  const auto in_b = [&](int label) { return contains(needed, label) || contains(b.labels, label); };
  const auto in_a = [&](int label) { return contains(needed, label) || contains(a.labels, label); };
  a = sum_out(a, in_b);
  b = sum_out(b, in_a);

  Labels batch, inner, left, right;
  for (int label : a.labels)
    (!contains(b.labels, label) ? left : contains(needed, label) ? batch : inner).push_back(label);
  for (int label : b.labels)
    if (!contains(a.labels, label)) right.push_back(label);

  const Labels labels = joined({batch, left, right});
  const Shape batch_sizes = sizes_of(a, batch);
  const Shape left_sizes = sizes_of(a, left), right_sizes = sizes_of(b, right);
  const Shape shape = joined(joined(batch_sizes, left_sizes), right_sizes);
  if (inner.empty()) {
    const Shape ones = Shape::filled(right_sizes.size(), 1);
    const Tensor x =
        arrange(a, joined({batch, left}), joined(joined(batch_sizes, left_sizes), ones));
    const Shape more_ones = Shape::filled(left_sizes.size(), 1);
    const Tensor y =
        arrange(b, joined({batch, right}), joined(joined(batch_sizes, more_ones), right_sizes));
    return {x * y, labels};
  }
  // Batch dimensions stay separate, since merging may need a copy, unless there are too many.
  const Shape outer = batch.size() + 2 <= kMaxDims ? batch_sizes : Shape{batch_sizes.numel()};
  const int64_t depth = sizes_of(a, inner).numel();
  const Tensor x =
      arrange(a, joined({batch, left, inner}), joined(outer, {left_sizes.numel(), depth}));
  const Tensor y =
      arrange(b, joined({batch, inner, right}), joined(outer, {depth, right_sizes.numel()}));
  return {reshape(matmul(x, y), shape), labels};
}

/// Checks the operands against the equation and gives every dimension its label. Sizes of one label
/// must agree, or be 1.
std::vector<Labels> label_operands(std::string_view text, const Equation& equation,
                                   const std::vector<Tensor>& operands) {
  check(operands.size() == equation.operands.size(), "einsum", "'", text, "' has ",
        equation.operands.size(), " operands, but ", operands.size(), " tensors were given");
  std::vector<Labels> all;
  std::vector<std::pair<int, int64_t>> sizes;  // of every label, the largest so far
  for (size_t n = 0; n < operands.size(); ++n) {
    const Tensor& x = operands[n];
    check(x.dtype() == operands[0].dtype() && x.dtype() != boolean, "einsum", "'", text,
          "': operand ", n, " is ", x.dtype(), " and operand 0 ", operands[0].dtype(),
          ": all must be f32, all f64, or all i64");
    const Subscripts& subscripts = equation.operands[n];
    const int letters = static_cast<int>(subscripts.before.size() + subscripts.after.size());
    const int rest = x.dim() - letters;
    check(subscripts.ellipsis ? rest >= 0 : rest == 0, "einsum", "'", text, "', position ",
          subscripts.begin, ": ", letters, " letters", subscripts.ellipsis ? " and \"...\"" : "",
          " for operand ", n, " of shape ", x.shape(), " with ", x.dim(), " dimensions");
    all.push_back(subscripts.expanded(rest));
    for (int d = 0; d < x.dim(); ++d) {
      const int label = all.back()[d];
      for (int e = 0; e < d; ++e)
        check(all.back()[e] != label || x.shape()[e] == x.shape()[d], "einsum", "'", text,
              "', position ", subscripts.begin, ": '", name_of_label(label),
              "' repeats in operand ", n, ", a diagonal, but its sizes ", x.shape()[e], " and ",
              x.shape()[d], " differ");
      const auto known = std::find_if(sizes.begin(), sizes.end(),
                                      [&](const auto& entry) { return entry.first == label; });
      if (known == sizes.end()) {
        sizes.emplace_back(label, x.shape()[d]);
        continue;
      }
      check(known->second == x.shape()[d] || known->second == 1 || x.shape()[d] == 1, "einsum", "'",
            text, "', position ", subscripts.begin, ": '", name_of_label(label), "' has size ",
            x.shape()[d], " in operand ", n, " of shape ", x.shape(), ", but ", known->second,
            " before");
      if (known->second == 1) known->second = x.shape()[d];
    }
  }
  return all;
}

/// The labels of the result: as written; or, where "->" is missing, what "..." stands for and then
/// the letters that occur once, in alphabetical order.
Labels label_output(std::string_view text, const Equation& equation,
                    const std::vector<Labels>& operands) {
  Labels seen;
  int ellipsis_dims = 0;
  for (const Labels& labels : operands)
    for (int label : labels) {
      seen.push_back(label);
      if (label < 0) ellipsis_dims = std::max(ellipsis_dims, -label);
    }
  if (equation.has_output) {
    const Labels labels = equation.output.expanded(ellipsis_dims);
    for (int label : labels) {
      check(contains(seen, label), "einsum", "'", text, "', position ", equation.output.begin,
            ": '", name_of_label(label), "' of the result is in no operand");
      check(std::count(labels.begin(), labels.end(), label) == 1, "einsum", "'", text,
            "', position ", equation.output.begin, ": '", name_of_label(label),
            "' is in the result more than once");
    }
    return labels;
  }
  Labels labels;
  for (int i = ellipsis_dims - 1; i >= 0; --i) labels.push_back(ellipsis_label(i));
  std::sort(seen.begin(), seen.end());
  for (int label : seen)
    if (label > 0 && std::count(seen.begin(), seen.end(), label) == 1) labels.push_back(label);
  return labels;
}

}  // namespace

Tensor einsum(std::string_view text, const std::vector<Tensor>& operands, std::source_location at) {
  const CallScope here(at);
  const Equation equation = Parser(text).parse();
  const std::vector<Labels> labels = label_operands(text, equation, operands);
  const Labels output = label_output(text, equation, labels);

  Term result = without_repeats(operands[0], labels[0]);
  for (size_t n = 1; n < operands.size(); ++n) {
    Labels needed = output;
    for (size_t later = n + 1; later < operands.size(); ++later)
      needed.insert(needed.end(), labels[later].begin(), labels[later].end());
    result = contract(result, without_repeats(operands[n], labels[n]), needed);
  }
  result = sum_out(result, [&](int label) { return contains(output, label); });
  Shape order;
  for (int label : output) order.push_back(result.dim(label));
  return permute(result.x, order);
}

}  // namespace tarsier
