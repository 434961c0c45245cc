#pragma once
// The options of the ops on images. See ops.h for the formulas.

#include <concepts>
#include <cstdint>
#include <optional>
#include <string_view>

namespace tarsier {

/// Height and width; one number stands for both: {.stride = 2, .padding = {1, 0}}.
struct Pair {
  int64_t h, w;
  Pair(int64_t both) : h(both), w(both) {}
  Pair(int64_t height, int64_t width) : h(height), w(width) {}
};
struct WindowOptions {
  Pair stride = 1, padding = 0, dilation = 1;
};
/// The padding of a convolution: zeros on each side, or a word. "valid" is none. "same" makes the
/// output as large as the image, and needs stride 1; of an odd number of zeros the end (below, on
/// the right) gets one more. Size is Pair or int64_t. Throws Error("padding") for another word.
template <class Size>
struct Padding {
  enum class Kind : uint8_t { numbers, same, valid };
  Size size = 0;
  Kind kind = Kind::numbers;

  Padding(const Size& sides) : size(sides) {}
  template <std::integral... Sides>
  Padding(Sides... sides) : size(sides...) {}
  template <std::convertible_to<std::string_view> Word>
  Padding(const Word& word) : kind(is_same(word) ? Kind::same : Kind::valid) {}

 private:
  static bool is_same(std::string_view word);
};
extern template struct Padding<Pair>;
extern template struct Padding<int64_t>;

struct Conv1dOptions {
  int64_t stride = 1;
  Padding<int64_t> padding = 0;
  int64_t dilation = 1, groups = 1;
};
struct Conv2dOptions {
  Pair stride = 1;
  Padding<Pair> padding = 0;
  Pair dilation = 1;
  int64_t groups = 1;  ///< channels are split into so many parts, each convolved separately
};
struct ConvTranspose1dOptions {
  int64_t stride = 1, padding = 0;
  int64_t output_padding = 0;  ///< added to the output's size, at the end; < stride
  int64_t dilation = 1, groups = 1;
};
struct ConvTranspose2dOptions {
  Pair stride = 1, padding = 0;
  Pair output_padding = 0;  ///< added to the output's size, below and on the right; < stride
  Pair dilation = 1;
  int64_t groups = 1;
};
struct MaxPool1dOptions {
  std::optional<int64_t> stride = {};  ///< the kernel's size by default
  int64_t padding = 0, dilation = 1;
  bool ceil_mode = false;  ///< ⌈…⌉ in the output's size: windows may reach over the end
};
struct MaxPool2dOptions {
  std::optional<Pair> stride = {};  ///< the kernel's size by default
  Pair padding = 0, dilation = 1;
  bool ceil_mode = false;  ///< ⌈…⌉ in the output's size: windows may extend past the end
};
struct AvgPool1dOptions {
  std::optional<int64_t> stride = {};
  int64_t padding = 0;
  bool ceil_mode = false;
  bool count_include_pad = true;  ///< divide by the window's size, the padding included
};
struct AvgPool2dOptions {
  std::optional<Pair> stride = {};
  Pair padding = 0;
  bool ceil_mode = false;
  bool count_include_pad = true;  ///< divide by the window's size, including padding
};
struct InterpolateOptions {
  std::optional<Pair> size = {};            ///< of the output; or else
  std::optional<double> scale_factor = {};  ///< ⌊in · scale_factor⌋
  std::string_view mode = "nearest";        ///< or "bilinear"
  bool align_corners = false;  ///< bilinear: align centres of corner pixels, not corners
};

}  // namespace tarsier
