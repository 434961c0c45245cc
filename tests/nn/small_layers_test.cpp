// Small layers compared with PyTorch, and their errors. The convolutions are in conv_test.cpp.
#include <doctest/doctest.h>

#include <sstream>

#include "nn/nn.h"
#include "tests/nn/check_layer.h"

namespace tarsier {
namespace {

/// Makes an M(args…) for check_layer.
template <class M, class... Args>
auto maker(const Args&... args) {
  return [=] { return std::make_unique<M>(args...); };
}

template <class Make>
void check_small(const std::string& name, const Make& make,
                 const std::vector<std::string>& inputs = {"x"}) {
  check_layer("conv.safetensors", name, make, inputs);
}

TEST_CASE("affine maps and lookups of several inputs compute what PyTorch's compute") {
  check_small("bilinear", maker<nn::Bilinear>(5, 3, 4), {"x", "x2"});
  check_small("bilinear_no_bias", maker<nn::Bilinear>(5, 3, 4, false), {"x", "x2"});
  for (const std::string mode : {"mean", "sum"}) {
    check_small("embedding_bag_" + mode, maker<nn::EmbeddingBag>(6, 3, mode));
    check_small("embedding_bag_" + mode + "_offsets", maker<nn::EmbeddingBag>(6, 3, mode),
                {"x", "offsets"});
  }
}

TEST_CASE("normalisations over the last dimensions compute what PyTorch's compute") {
  check_small("layer_norm_two", maker<nn::LayerNorm>(Shape{3, 5}));
  check_small("layer_norm_no_bias", maker<nn::LayerNorm>(Shape{3, 5}, 1e-5, true, false));
  check_small("rms_norm", maker<nn::RMSNorm>(7));
  check_small("rms_norm_two", maker<nn::RMSNorm>(Shape{3, 5}, 0.1));
  check_small("rms_norm_plain", maker<nn::RMSNorm>(7, std::nullopt, false));
}

TEST_CASE("RMSNorm without eps takes that of the dtype") {
  nn::RMSNorm layer(2);
  CHECK(relative_error(layer(tensor({1e-4, 1e-4})), tensor({0.278197, 0.278197})) < 1e-5);
  layer.to(f64);
  CHECK(relative_error(layer(tensor({1e-8, 1e-8}, f64)), tensor({0.557240, 0.557240}, f64)) < 1e-5);
}

TEST_CASE("group normalisation computes what PyTorch's computes") {
  check_small("group_norm", maker<nn::GroupNorm>(2, 6));
  check_small("group_norm_eps", maker<nn::GroupNorm>(3, 6, 0.1));
  check_small("group_norm_plain", maker<nn::GroupNorm>(1, 6, 1e-5, false));
}

/// In training and in eval(), and the running statistics afterwards.
template <class M>
void check_batch_norm(const std::string& name, int64_t C,
                      const nn::BatchNormOptions& options = {}) {
  check_small(name, maker<M>(C, options));
  check_small(name + "_eval", [&] {
    auto layer = std::make_unique<M>(C, options);
    layer->eval();
    return layer;
  });
}

TEST_CASE("batch normalisation computes what PyTorch's computes, training and not") {
  check_batch_norm<nn::BatchNorm1d>("batch_norm1d", 5);
  check_batch_norm<nn::BatchNorm1d>("batch_norm1d_time", 5, {.eps = 0.1, .momentum = 0.3});
  check_batch_norm<nn::BatchNorm2d>("batch_norm2d", 3);
  check_batch_norm<nn::BatchNorm2d>("batch_norm2d_average", 3, {.momentum = {}});
  check_batch_norm<nn::BatchNorm2d>("batch_norm2d_plain", 3, {.affine = false});
  check_batch_norm<nn::BatchNorm2d>("batch_norm2d_untracked", 3, {.track_running_stats = false});
}

TEST_CASE("batch normalisation trains with its statistics, not through the running ones") {
  nn::BatchNorm1d layer(3);
  CHECK(layer.state_dict().contains("num_batches_tracked"));
  CHECK(layer.parameters().size() == 2);
  for (int step = 0; step < 3; ++step) layer(randn({4, 3}) * 5 + 2);
  CHECK(layer.num_batches_tracked.item() == 3);
  CHECK_FALSE(layer.running_mean.requires_grad());
  layer.eval();
  const Tensor before = clone(layer.running_var);
  layer(randn({4, 3}));
  layer(randn({1, 3}));  // one value per channel is enough here
  CHECK(relative_error(layer.running_var, before) == 0);
  CHECK(layer.num_batches_tracked.item() == 3);
}

TEST_CASE("activations, gates and shapes compute what PyTorch's compute") {
  check_small("relu", maker<nn::ReLU>());
  check_small("silu", maker<nn::SiLU>());
  check_small("tanh", maker<nn::Tanh>());
  check_small("sigmoid", maker<nn::Sigmoid>());
  check_small("leaky_relu", maker<nn::LeakyReLU>(0.2));
  check_small("elu", maker<nn::ELU>(1.5));
  check_small("softplus", maker<nn::Softplus>(2, 3));
  check_small("softmax", maker<nn::Softmax>(1));
  check_small("log_softmax", maker<nn::LogSoftmax>(-1));
  check_small("glu", maker<nn::GLU>());
  check_small("glu_dim", maker<nn::GLU>(1));
  check_small("swiglu", maker<nn::SwiGLU>());
  check_small("geglu", maker<nn::GEGLU>());
  check_small("flatten", maker<nn::Flatten>());
  check_small("flatten_some", maker<nn::Flatten>(0, 1));
  check_small("unflatten", maker<nn::Unflatten>(1, Shape{2, 2}));
  check_small("unflatten", maker<nn::Unflatten>(-2, Shape{2, -1}));
  check_small("identity", maker<nn::Identity>());
}

TEST_CASE("a dictionary of modules: names, order, types, keys of the state") {
  nn::ModuleDict heads;
  heads.add<nn::Linear>("class", 4, 3);
  heads.add<nn::LayerNorm>("norm", 4);
  CHECK(heads.size() == 2);
  CHECK(heads.contains("norm"));
  CHECK_FALSE(heads.contains("no"));
  CHECK(heads["class"].call(randn({2, 4})).shape() == Shape{2, 3});
  CHECK(heads.get<nn::Linear>("class").weight.shape() == Shape{3, 4});
  CHECK(heads.begin()->first == "class");
  CHECK(heads.state_dict().contains("class.weight"));
  CHECK_THROWS_WITH_AS(heads["no"], doctest::Contains("among: class norm"), Error);
  CHECK_THROWS_WITH_AS(heads.get<nn::Linear>("norm"), doctest::Contains("is a LayerNorm"), Error);
  CHECK_THROWS_AS(heads.add<nn::Identity>("norm"), Error);
  CHECK(heads.size() == 2);
  std::ostringstream text;
  text << heads;
  CHECK(text.str().find("(class): Linear(in_features=4, out_features=3, bias=true)") !=
        std::string::npos);
}

TEST_CASE("small layers start and print as PyTorch's") {
  const auto printed = [](const nn::Module& module) {
    std::ostringstream text;
    text << module;
    return text.str().substr(0, text.str().find('\n'));
  };
  CHECK(printed(nn::BatchNorm2d(3)) ==
        "BatchNorm2d(3, eps=1e-05, momentum=0.1, affine=true, track_running_stats=true)");
  CHECK(printed(nn::GroupNorm(2, 4)) == "GroupNorm(2, 4, eps=1e-05, affine=true)");
  CHECK(printed(nn::LayerNorm(Shape{2, 3})) ==
        "LayerNorm((2, 3), eps=1e-05, elementwise_affine=true)");
  CHECK(printed(nn::RMSNorm(4)) == "RMSNorm((4,), eps=None, elementwise_affine=true)");
  CHECK(printed(nn::SwiGLU()) == "SwiGLU(dim=-1)");
  const nn::Bilinear bilinear(16, 2, 30);
  CHECK(max(abs(bilinear.weight)).item() <= 0.25);
  CHECK(max(abs(bilinear.weight)).item() > 0.24);
  CHECK(max(abs(bilinear.bias)).item() <= 0.25);
}

TEST_CASE("small layers refuse what does not fit") {
  CHECK_THROWS_AS(nn::Bilinear(3, 0, 2), Error);
  CHECK_THROWS_WITH_AS(nn::Bilinear(3, 4, 2)(randn({2, 3}), randn({2, 3})),
                       doctest::Contains("expected (…, 3) and (…, 4)"), Error);
  CHECK_THROWS_AS(nn::Bilinear(3, 4, 2)(randn({2, 3}), randn({1, 4})), Error);
  CHECK_THROWS_AS(nn::LayerNorm(Shape{3, 5})(randn({5, 3})), Error);
  CHECK_THROWS_AS(nn::LayerNorm(Shape{3, 5})(randn({5})), Error);
  CHECK_THROWS_AS(nn::LayerNorm(Shape{}), Error);
  CHECK_THROWS_AS(nn::RMSNorm(4)(randn({4, 3})), Error);
  CHECK_THROWS_AS(nn::RMSNorm(Shape{3, 0}), Error);
  CHECK_THROWS_AS(nn::GroupNorm(4, 6), Error);
  CHECK_THROWS_AS(nn::GroupNorm(0, 6), Error);
  CHECK_THROWS_AS(nn::GroupNorm(2, 4)(randn({2, 3, 4})), Error);
  CHECK_THROWS_WITH_AS(nn::BatchNorm2d(3)(randn({2, 3})), doctest::Contains("(N, 3, H, W)"), Error);
  CHECK_THROWS_AS(nn::BatchNorm1d(3)(randn({2, 4})), Error);
  CHECK_THROWS_WITH_AS(nn::BatchNorm1d(3)(randn({1, 3})), doctest::Contains("one value"), Error);
  CHECK_THROWS_AS(nn::EmbeddingBag(3, 2, "none"), Error);
  nn::EmbeddingBag bag(3, 2);
  const Tensor index = tensor({0, 1, 2}, i64);
  CHECK_THROWS_AS(bag(index), Error);
  CHECK_THROWS_AS(bag(index, tensor({1, 2}, i64)), Error);
  CHECK_THROWS_AS(bag(index, tensor({0, 2, 1}, i64)), Error);
  CHECK_THROWS_AS(bag(index, tensor({0, 4}, i64)), Error);
  CHECK_THROWS_AS(bag(tensor({{0, 3}}, i64)), Error);
  CHECK_THROWS_WITH_AS(nn::SwiGLU()(randn({2, 5})), doctest::Contains("even"), Error);
  CHECK_THROWS_AS(nn::Unflatten(1, Shape{2, 2})(randn({3, 5})), Error);
  CHECK_THROWS_AS(nn::Unflatten(1, Shape{}), Error);
  CHECK_THROWS_AS(nn::Unflatten(1, Shape{0, -1})(randn({3, 5})), Error);
}

}  // namespace
}  // namespace tarsier
