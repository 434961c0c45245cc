// Padding by words, single images, one dimension, channels that are dropped or normalised, and
// bags: against PyTorch, and what they refuse.
#include <doctest/doctest.h>

#include <cmath>
#include <sstream>
#include <vector>

#include "nn/nn.h"
#include "tests/error_of.h"
#include "tests/nn/check_layer.h"

namespace tarsier {
namespace {

/// An M(args…) against the numbers of a case of make_images.py.
template <class M, class... Args>
void check_case(const std::string& name, const Args&... args) {
  check_layer("images.safetensors", name, [&] { return std::make_unique<M>(args...); });
}

std::string printed(const nn::Module& module) {
  std::ostringstream text;
  text << module;
  return text.str().substr(0, text.str().find('\n'));
}

TEST_CASE("padding by a word computes what PyTorch's computes, the odd zero at the end") {
  using One = Conv1dOptions;
  check_case<nn::Conv1d>("conv1d_same", 2, 4, 3, One{.padding = "same"});
  check_case<nn::Conv1d>("conv1d_same_even", 2, 4, 4, One{.padding = "same", .groups = 2});
  check_case<nn::Conv1d>("conv1d_same_dilated", 2, 3, 2, One{.padding = "same", .dilation = 3});
  check_case<nn::Conv1d>("conv1d_valid", 2, 3, 3, One{.stride = 2, .padding = "valid"});
  using Two = Conv2dOptions;
  check_case<nn::Conv2d>("conv2d_same", 2, 3, 3, Two{.padding = "same", .dilation = 2});
  check_case<nn::Conv2d>("conv2d_same_even", 2, 4, Pair(2, 4), Two{.padding = "same", .groups = 2});
  check_case<nn::Conv2d>("conv2d_same_mixed", 1, 2, Pair(3, 2), Two{.padding = "same"}, false);
  check_case<nn::Conv2d>("conv2d_valid", 2, 3, 3, Two{.padding = "valid"});
  const Tensor x = reshape(to(arange(5), f32), {1, 1, 5});
  const Tensor weight = reshape(tensor({1, 10, 100, 1000}), {1, 1, 4});
  CHECK(conv1d(x, weight, {}, {.padding = "same"}).to_vector() ==
        std::vector<double>{2100, 3210, 4321, 432, 43});
}

TEST_CASE("padding by a word: what is refused, and how it prints") {
  CHECK(error_of([] { nn::Conv2d(1, 1, 3, {.padding = "smae"}); }) ==
        "[padding] padding 'smae': use numbers, 'same' or 'valid'");
  CHECK(error_of([] {
          nn::Conv2d(1, 1, 3, {.stride = {1, 2}, .padding = "same"});
        }) == "[conv2d] padding 'same' with stride (1, 2): use stride 1, or numbers");
  CHECK(error_of([] {
          nn::Conv1d(1, 1, 3, {.stride = 2, .padding = "same"});
        }).starts_with("[conv1d] padding 'same' with stride"));
  const Tensor x = ones({1, 1, 4, 4}), weight = ones({1, 1, 3, 3});
  check_error("[conv2d] padding 'same' with stride (2, 2)",
              [&] { conv2d(x, weight, {}, {.stride = 2, .padding = "same"}); });
  check_error("[conv2d] dilation",
              [&] { conv2d(x, weight, {}, {.padding = "same", .dilation = int64_t{1} << 62}); });
  CHECK(printed(nn::Conv2d(3, 4, {2, 3}, {.padding = "same"})) ==
        "Conv2d(3, 4, kernel_size=(2, 3), stride=(1, 1), padding=same)");
  CHECK(printed(nn::Conv1d(3, 4, 4, {.stride = 2, .padding = "valid"})) ==
        "Conv1d(3, 4, kernel_size=(4,), stride=(2,), padding=valid)");
}

TEST_CASE("a single image or row gives a single one, as in PyTorch") {
  check_case<nn::Conv2d>("conv2d_single", 2, 3, 3, Conv2dOptions{.padding = 1});
  check_case<nn::Conv2d>("conv2d_same_single", 2, 3, 2, Conv2dOptions{.padding = "same"});
  check_case<nn::ConvTranspose2d>("conv_transpose2d_single", 2, 3, 3,
                                  ConvTranspose2dOptions{.stride = 2, .output_padding = 1});
  check_case<nn::MaxPool2d>("max_pool2d_single", 2);
  check_case<nn::AvgPool2d>("avg_pool2d_single", 3, AvgPool2dOptions{.stride = 2, .padding = 1});
  check_case<nn::AdaptiveAvgPool2d>("adaptive_avg_pool2d_single", Pair(2, 4));
  check_case<nn::Conv1d>("conv1d_single", 2, 3, 3, Conv1dOptions{.stride = 2, .padding = 1});
  check_case<nn::ConvTranspose1d>("conv_transpose1d_single", 2, 3, 3,
                                  ConvTranspose1dOptions{.stride = 2});
  check_case<nn::MaxPool1d>("max_pool1d_single", 3, MaxPool1dOptions{.stride = 1});
  check_case<nn::AvgPool1d>("avg_pool1d_single", 2);
  check_case<nn::AdaptiveAvgPool1d>("adaptive_avg_pool1d_single", 3);
  const Tensor x = randn({2, 3, 3}), batch = unsqueeze(x, 0);
  CHECK(unfold(x, 2).to_vector() == unfold(batch, 2).to_vector());
  CHECK(unfold(x, 2).shape() == Shape{8, 4});
  CHECK(fold(unfold(x, 2), 3, 2).shape() == Shape{2, 3, 3});
  check_error("[conv2d] x of shape (3, 3): expected (N, C, H, W) or (C, H, W)", [] {
    nn::Conv2d(3, 4, 2)(ones({3, 3}));
  });
  check_error("[interpolate] x of shape (2, 3, 3): expected (N, C, H, W); add a batch",
              [&] { interpolate(x, {.scale_factor = 2}); });
}

TEST_CASE("convolutions and pools over one dimension compute what PyTorch's compute") {
  check_case<nn::ConvTranspose1d>("conv_transpose1d", 3, 4, 3);
  check_case<nn::ConvTranspose1d>(
      "conv_transpose1d_options", 4, 6, 3,
      ConvTranspose1dOptions{
          .stride = 3, .padding = 2, .output_padding = 2, .dilation = 2, .groups = 2});
  check_case<nn::ConvTranspose1d>("conv_transpose1d_no_bias", 2, 3, 2,
                                  ConvTranspose1dOptions{.stride = 2}, false);
  using Max = MaxPool1dOptions;
  check_case<nn::MaxPool1d>("max_pool1d", 2);
  check_case<nn::MaxPool1d>("max_pool1d_overlap", 3, Max{.stride = 2, .padding = 1});
  check_case<nn::MaxPool1d>("max_pool1d_options", 3,
                            Max{.stride = 2, .padding = 1, .dilation = 2, .ceil_mode = true});
  using Avg = AvgPool1dOptions;
  check_case<nn::AvgPool1d>("avg_pool1d", 2);
  check_case<nn::AvgPool1d>("avg_pool1d_padding", 3, Avg{.stride = 2, .padding = 1});
  check_case<nn::AvgPool1d>(
      "avg_pool1d_inside", 4,
      Avg{.stride = 3, .padding = 2, .ceil_mode = true, .count_include_pad = false});
  check_case<nn::AvgPool1d>("avg_pool1d_ceil", 4,
                            Avg{.stride = 3, .padding = 1, .ceil_mode = true});
  check_case<nn::AdaptiveAvgPool1d>("adaptive_avg_pool1d", 4);
  check_case<nn::AdaptiveAvgPool1d>("adaptive_avg_pool1d_up", 15);
}

TEST_CASE("means along a long row take memory for the row alone") {
  const int64_t length = 200'000;  // a matrix of all windows would have 2 · 10¹⁰ weights
  const double end = static_cast<double>(length);
  const Tensor x = reshape(arange(0, end, 1, f64), {1, length});
  const Tensor pairs = avg_pool1d(x, 2), adaptive = adaptive_avg_pool1d(x, length / 2);
  CHECK(pairs.shape() == Shape{1, length / 2});
  CHECK(allclose(pairs, reshape(arange(0.5, end, 2, f64), {1, length / 2})));
  CHECK(allclose(adaptive, pairs));
}

TEST_CASE("pools with ceil_mode take a window that is larger than the image, as PyTorch's") {
  const Tensor image = reshape(tensor({{1, 2}, {3, 4}}, f64), {1, 2, 2});
  CHECK(max_pool2d(image, 3, {.stride = Pair(2), .ceil_mode = true}).item() == 4);
  CHECK(avg_pool2d(image, 3, {.stride = Pair(2), .ceil_mode = true}).item() == 2.5);
  const Tensor row = tensor({{1, 2}}, f64);
  CHECK(avg_pool1d(row, 3, {.stride = 2, .ceil_mode = true}).item() == 1.5);
  CHECK(error_of([&] {
          max_pool1d(row, 4, {.stride = 2, .ceil_mode = true});
        }).find("does not fit") != std::string::npos);
}

TEST_CASE("one dimension: errors name the op, and layers print as PyTorch's") {
  const Tensor row = ones({1, 2, 5});
  check_error("[max_pool1d] x of shape (2, 2, 5, 1): expected (N, C, L) or (C, L)", [] {
    max_pool1d(ones({2, 2, 5, 1}), 2);
  });
  check_error("[max_pool1d] a kernel that spans 7", [&] { max_pool1d(row, 7); });
  check_error("[max_pool1d] padding (0, 2)", [&] { max_pool1d(row, 3, {.padding = 2}); });
  check_error("[avg_pool1d] kernel (1, 0)", [&] { avg_pool1d(row, 0); });
  check_error("[adaptive_avg_pool1d] an image of", [&] { adaptive_avg_pool1d(row, 0); });
  check_error("[conv1d] a kernel that spans", [&] { conv1d(row, ones({1, 2, 9})); });
  check_error("[conv_transpose1d] weight of shape (2, 2)", [&] {
    conv_transpose1d(row, ones({2, 2}));
  });
  check_error("[conv_transpose1d] output_padding", [&] {
    conv_transpose1d(row, ones({2, 2, 3}), {}, {.output_padding = 1});
  });
  CHECK_THROWS_AS(nn::ConvTranspose1d(3, 4, 3, {.groups = 2}), Error);
  CHECK(printed(nn::ConvTranspose1d(4, 6, 3, {.stride = 2, .output_padding = 1})) ==
        "ConvTranspose1d(4, 6, kernel_size=(3,), stride=(2,), output_padding=(1,))");
  CHECK(printed(nn::AvgPool1d(2)) == "AvgPool1d(kernel_size=(2,), stride=(2,), padding=(0,))");
  CHECK(printed(nn::AdaptiveAvgPool1d(3)) == "AdaptiveAvgPool1d(output_size=3)");
}

// ------------------------------------------------------------------------------------- channels

/// Checks that dropout of x takes whole channels, whose `size` elements stand together.
template <class M>
void check_channels(M& layer, const Tensor& x, int64_t size, double p) {
  Tensor leaf = clone(x).requires_grad_();
  const Tensor y = layer(leaf);
  const std::vector<double> dropped = y.to_vector(), from = x.to_vector();
  y.backward(ones(x.shape()));
  const std::vector<double> dx = leaf.grad().to_vector();
  int64_t zeros = 0;
  const int64_t channels = x.numel() / size;
  for (int64_t c = 0; c < channels; ++c) {
    const double factor = dx[static_cast<size_t>(c * size)];
    CHECK((factor == 0 || factor == doctest::Approx(1 / (1 - p))));
    zeros += factor == 0;
    for (int64_t i = c * size; i < (c + 1) * size; ++i) {
      REQUIRE(dx[static_cast<size_t>(i)] == factor);
      REQUIRE(dropped[static_cast<size_t>(i)] ==
              doctest::Approx(from[static_cast<size_t>(i)] * factor));
    }
  }
  const double share = static_cast<double>(zeros) / static_cast<double>(channels);
  CHECK(std::abs(share - p) < 5 * std::sqrt(p * (1 - p) / static_cast<double>(channels)));
}

TEST_CASE("Dropout1d and Dropout2d take whole channels, each on its own") {
  manual_seed(4);
  nn::Dropout1d one(0.25);
  check_channels(one, randn({40, 50, 3}) + 10, 3, 0.25);
  check_channels(one, randn({2000, 3}) + 10, 3, 0.25);
  nn::Dropout2d two(0.4);
  check_channels(two, randn({40, 50, 2, 3}) + 10, 6, 0.4);
  const Tensor x = randn({2, 3, 2, 2});
  two.eval();
  CHECK(two(x).to_vector() == x.to_vector());
  CHECK(nn::Dropout2d(0)(x).to_vector() == x.to_vector());
  CHECK(nn::Dropout2d(1)(x).to_vector() == std::vector<double>(24, 0.0));
  manual_seed(9);
  const std::vector<double> first = one(randn({4, 5, 2})).to_vector();
  manual_seed(9);
  CHECK(one(randn({4, 5, 2})).to_vector() == first);
  check_error("[dropout1d] probability 1.5", [] { nn::Dropout1d(1.5); });
  check_error("[dropout2d] probability nan", [] { nn::Dropout2d(NAN); });
  check_error(
      "[dropout2d] x of f32 and shape (2, 3, 4): expected floating (N, C, H, W); Dropout1d "
      "is for (N, C, L)",
      [&] {
        nn::Dropout2d()(ones({2, 3, 4}));
      });
  check_error("[dropout1d]", [&] { one(ones({2, 3, 4, 5})); });
}

/// While training and in eval().
template <class M>
void check_norm(const std::string& name, int64_t C, const nn::InstanceNormOptions& options = {}) {
  check_case<M>(name, C, options);
  check_layer("images.safetensors", name + "_eval", [&] {
    auto layer = std::make_unique<M>(C, options);
    layer->eval();
    return layer;
  });
}

TEST_CASE("instance normalisation computes what PyTorch's computes, training and not") {
  check_norm<nn::InstanceNorm1d>("instance_norm1d", 3);
  check_norm<nn::InstanceNorm1d>("instance_norm1d_single", 3, {.affine = true});
  check_norm<nn::InstanceNorm1d>(
      "instance_norm1d_tracked", 3,
      {.eps = 0.1, .momentum = 0.3, .affine = true, .track_running_stats = true});
  check_norm<nn::InstanceNorm2d>("instance_norm2d", 2, {.affine = true});
  check_norm<nn::InstanceNorm2d>("instance_norm2d_tracked", 2, {.track_running_stats = true});
  check_norm<nn::InstanceNorm2d>("instance_norm2d_single", 2, {.track_running_stats = true});
  check_norm<nn::InstanceNorm2d>("instance_norm2d_fixed", 2,
                                 {.momentum = {}, .affine = true, .track_running_stats = true});
}

TEST_CASE("instance normalisation refuses what does not fit") {
  check_error("[instance_norm] x of shape (2, 4, 2, 2): expected (N, 3, H, W) or (3, H, W)", [] {
    nn::InstanceNorm2d(3)(ones({2, 4, 2, 2}));
  });
  check_error("expected (N, 3, L) or (3, L)", [] { nn::InstanceNorm1d(3)(ones({3})); });
  check_error("one element per channel", [] { nn::InstanceNorm2d(3)(ones({2, 3, 1, 1})); });
  check_error("[instance_norm] eps", [] { nn::InstanceNorm2d(3, {.eps = -1}); });
  check_error("[instance_norm] momentum", [] { nn::InstanceNorm2d(3, {.momentum = 2}); });
  nn::InstanceNorm2d tracked(3, {.track_running_stats = true});
  CHECK(tracked(zeros({0, 3, 2, 2})).shape() == Shape{0, 3, 2, 2});
  CHECK(max(abs(tracked.running_mean)).item() == 0);
  tracked.eval();
  CHECK(tracked(ones({2, 3, 1, 1})).shape() == Shape{2, 3, 1, 1});
  CHECK(printed(nn::InstanceNorm2d(3)) ==
        "InstanceNorm2d(3, eps=1e-05, momentum=0.1, affine=false, track_running_stats=false)");
}

// ------------------------------------------------------------------------------------- bags

TEST_CASE("bags with padding, and their largest elements, are PyTorch's") {
  using Padding = std::optional<int64_t>;
  for (const std::string mode : {"mean", "sum", "max"})
    for (const Padding padding : {Padding(), Padding(1)}) {
      if (!padding && mode != "max") continue;
      const std::string name = "bag_" + mode + (padding ? "_padding" : "");
      const auto make = [&] { return std::make_unique<nn::EmbeddingBag>(6, 3, mode, padding); };
      check_layer("images.safetensors", name, make);
      check_layer("images.safetensors", name + "_offsets", make, {"x", "offsets"});
    }
}

TEST_CASE("bags: an offset past the list is refused before any memory is taken for it") {
  nn::EmbeddingBag bag(5, 3);
  const Tensor index = tensor({1, 2, 3, 4}, i64);
  for (const int64_t offset : {int64_t{5}, int64_t{1} << 50, int64_t{1} << 61})
    CHECK(error_of([&] {
            bag(index, from_vector(std::vector<int64_t>{0, offset}, {2}));
          }).find("offsets begin at 0 and do not fall") != std::string::npos);
}

TEST_CASE("bags with a weight for each index are PyTorch's") {
  for (const DType dtype : {f64, f32})
    for (const std::string name : {"bag_weights", "bag_weights_padding"})
      for (const bool list : {false, true}) {
        CAPTURE(name);
        CAPTURE(list);
        const TensorDict numbers =
            golden("images.safetensors", name + (list ? "_offsets." : "."), dtype);
        nn::EmbeddingBag bag(6, 3, "sum",
                             name == "bag_weights" ? std::nullopt : std::optional<int64_t>(1));
        bag.to(dtype);
        bag.load_state_dict(part(numbers, "state."));
        Tensor weights = clone(numbers["weights"]).requires_grad_();
        const Tensor y = bag(numbers["x"], list ? numbers["offsets"] : Tensor(), weights);
        check_close("y", y, numbers["y"]);
        y.backward(numbers["dy"]);
        check_close("dweights", weights.grad(), numbers["dweights"]);
        check_close("dweight", bag.weight.grad(), numbers["grad.weight"]);
      }
}

TEST_CASE("bags: the padding row, empty bags, ties and NaN") {
  nn::EmbeddingBag bag(4, 2, "max", -3);
  CHECK(bag.padding_idx == 1);
  CHECK(select(bag.weight, 0, 1).to_vector() == std::vector<double>{0, 0});
  CHECK(printed(bag) == "EmbeddingBag(4, 2, mode='max', padding_idx=1)");
  {
    const NoGrad guard;
    copy_(bag.weight, tensor({{-1, 2}, {50, 60}, {3, 4}, {3, -6}}));
  }
  const Tensor y = bag(tensor({{0, 1}, {1, 1}, {2, 3}}, i64));
  CHECK(y.to_vector() == std::vector<double>{-1, 2, 0, 0, 3, 4});
  sum(y).backward();
  CHECK(bag.weight.grad().to_vector() == std::vector<double>{1, 1, 0, 0, 1, 1, 0, 0});
  CHECK(bag(tensor({1, 1}, i64), tensor({0, 1}, i64)).to_vector() == std::vector<double>(4, 0.0));
  {
    const NoGrad guard;
    copy_(bag.weight, tensor({{-1, 2}, {50, 60}, {NAN, 4}, {3, -6}}));
  }
  const std::vector<double> largest = bag(tensor({{0, 2, 3}}, i64)).to_vector();
  CHECK(std::isnan(largest[0]));
  CHECK(largest[1] == 4);

  check_error("[embedding_bag] mode 'min': use mean, sum or max",
              [] { nn::EmbeddingBag(3, 2, "min"); });
  check_error("[embedding_bag] padding_idx 3 of 3 rows: use -3 to 2",
              [] { nn::EmbeddingBag(3, 2, "sum", 3); });
  const Tensor index = tensor({{0, 1}}, i64);
  check_error("per_sample_weights with mode 'mean': they are for sum", [&] {
    nn::EmbeddingBag(3, 2)(index, Tensor(), ones({1, 2}));
  });
  check_error("expected f32 and (1, 2), one for each index",
              [&] { nn::EmbeddingBag(3, 2, "sum")(index, Tensor(), ones({2})); });
  check_error("[embedding_bag] index of f32: i64 is needed", [&] { bag(ones({1, 2})); });
}

}  // namespace
}  // namespace tarsier
