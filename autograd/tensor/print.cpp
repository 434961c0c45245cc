// Prints tensors as PyTorch does, with shape and dtype at the end.
#include <algorithm>
#include <charconv>
#include <cmath>
#include <ostream>
#include <string>
#include <vector>

#include "autograd/tensor/tensor.h"

namespace tarsier {
namespace {

constexpr int64_t kLongest = 1000;  ///< tensors with more elements are abridged …
constexpr int64_t kEdge = 3;        ///< … to so many at both ends of every dimension
constexpr size_t kLineWidth = 80;
constexpr const char* kPrefix = "tensor(";

/// Without a stream, whose flags and locale belong to the user.
std::string fixed_or_scientific(double value, std::chars_format format, int digits) {
  char text[400];  // the largest double has 309 digits
  const auto result = std::to_chars(text, text + sizeof(text), value, format, digits);
  return std::string(text, result.ptr);
}

/// Numbers in one format that suits all of them: whole ("1."), four decimals ("1.2500"), or with an
/// exponent ("1.2500e-06") if they are very small, very large or far apart.
std::vector<std::string> format_all(const std::vector<double>& values) {
  double smallest = HUGE_VAL, largest = 0;
  bool whole = true;
  for (double v : values) {
    if (!std::isfinite(v)) continue;
    whole = whole && v == std::trunc(v);
    largest = std::max(largest, std::abs(v));
    if (v != 0) smallest = std::min(smallest, std::abs(v));
  }
  const bool apart = !whole && largest > 0 && (smallest < 1e-4 || largest / smallest > 1000);
  const bool exponent = largest > 1e8 || apart;
  std::vector<std::string> texts;
  for (double v : values) {
    if (!std::isfinite(v))
      texts.push_back(std::isnan(v) ? "nan" : v > 0 ? "inf" : "-inf");
    else if (exponent)
      texts.push_back(fixed_or_scientific(v, std::chars_format::scientific, 4));
    else if (whole)
      texts.push_back(fixed_or_scientific(v, std::chars_format::fixed, 0) + ".");
    else
      texts.push_back(fixed_or_scientific(v, std::chars_format::fixed, 4));
  }
  return texts;
}

std::vector<std::string> format_all(const std::vector<int64_t>& values) {
  std::vector<std::string> texts;
  for (int64_t v : values) texts.push_back(std::to_string(v));
  return texts;
}

std::vector<std::string> format_all(const std::vector<bool>& values) {
  std::vector<std::string> texts;
  for (bool v : values) texts.push_back(v ? "true" : "false");
  return texts;
}

/// Prints one tensor: first the shown elements become texts of equal width, then the brackets are
/// written around them.
class Printer {
 public:
  explicit Printer(const Tensor& x) : x_(x), abridged_(x.numel() > kLongest) {
    if (x.numel() == 0) return;
    switch (x.dtype()) {
      case DType::f32:
        texts_ = format_shown<float, double>();
        break;
      case DType::f64:
        texts_ = format_shown<double, double>();
        break;
      case DType::i64:
        texts_ = format_shown<int64_t, int64_t>();
        break;
      case DType::boolean:
        texts_ = format_shown<bool, bool>();
        break;
    }
    for (const std::string& text : texts_) width_ = std::max(width_, text.size());
    for (std::string& text : texts_) text.insert(0, width_ - text.size(), ' ');
  }

  std::string text() {
    out_ = kPrefix;
    if (x_.numel() == 0)
      out_ += "[]";
    else
      write(0);
    return out_ + concat(", shape ", x_.shape(), ", ", x_.dtype(), ")");
  }

 private:
  /// Whether position i of dimension d is the first that is left out.
  bool is_gap(int d, int64_t i) const {
    return abridged_ && i == kEdge && x_.shape()[d] > 2 * kEdge;
  }

  template <class T, class Shown>
  std::vector<std::string> format_shown() const {
    std::vector<Shown> values;
    collect(x_.data<T>(), 0, values);
    return format_all(values);
  }

  template <class T, class Shown>
  void collect(const T* at, int d, std::vector<Shown>& values) const {
    if (d == x_.dim()) {
      values.push_back(*at);
      return;
    }
    for (int64_t i = 0; i < x_.shape()[d]; ++i) {
      if (is_gap(d, i)) i = x_.shape()[d] - kEdge;
      collect(at + i * x_.strides()[d], d + 1, values);
    }
  }

  /// Writes the elements of dimensions d, d + 1, ….
  void write(int d) {
    if (d == x_.dim()) {
      out_ += texts_[next_++];
      return;
    }
    const bool innermost = d == x_.dim() - 1;
    // Elements are next to each other, matrices below each other with an empty line between.
    const std::string indent(std::string(kPrefix).size() + static_cast<size_t>(d) + 1, ' ');
    const std::string new_line =
        std::string(static_cast<size_t>(std::max(1, x_.dim() - 1 - d)), '\n') + indent;
    const size_t per_line = std::max<size_t>(1, (kLineWidth - indent.size()) / (width_ + 2));
    size_t on_line = 0;
    const auto separate = [&] {
      const bool wrap = !innermost || on_line == per_line;
      out_ += wrap ? "," + new_line : ", ";
      if (wrap) on_line = 0;
    };
    out_ += '[';
    for (int64_t i = 0; i < x_.shape()[d]; ++i) {
      if (i > 0) separate();
      if (is_gap(d, i)) {
        out_ += "…";
        ++on_line;
        separate();
        i = x_.shape()[d] - kEdge;
      }
      write(d + 1);
      ++on_line;
    }
    out_ += ']';
  }

  const Tensor& x_;
  const bool abridged_;
  std::vector<std::string> texts_;  ///< of the shown elements, in order
  size_t width_ = 0;                ///< of every text
  size_t next_ = 0;                 ///< the text to be written next
  std::string out_;
};

}  // namespace

std::ostream& operator<<(std::ostream& out, DType dtype) { return out << name_of(dtype); }

std::ostream& operator<<(std::ostream& out, const Tensor& x) {
  if (!x.defined()) return out << "tensor(undefined)";
  return out << Printer(x).text();
}

}  // namespace tarsier
