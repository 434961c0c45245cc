// The Transformer and its parts: PyTorch's numbers, gradients, dropout, errors.
#include "nn/layers/transformer.h"

#include <doctest/doctest.h>

#include <cmath>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "autograd/base/random.h"
#include "autograd/check/gradcheck.h"
#include "nn/init.h"
#include "tests/error_of.h"
#include "tests/nn/golden.h"
#include "tests/nn/transformer.h"

namespace tarsier {
namespace {

using doctest::Contains;
using nn::TransformerLayerOptions;

// ----------------------------------------------------------------------------- against PyTorch

constexpr const char* kFile = "transformer.safetensors";

/// The tensor of that name, or an undefined one.
Tensor optional(const TensorDict& numbers, const std::string& name) {
  const Tensor* tensor = numbers.find(name);
  return tensor != nullptr ? *tensor : Tensor();
}

nn::EncoderMasks encoder_masks(const TensorDict& n, bool is_causal) {
  return {.src_mask = optional(n, "src_mask"),
          .src_key_padding_mask = optional(n, "src_key_padding_mask"),
          .is_causal = is_causal};
}

nn::DecoderMasks decoder_masks(const TensorDict& n, bool is_causal) {
  return {.tgt_mask = optional(n, "tgt_mask"),
          .memory_mask = optional(n, "memory_mask"),
          .tgt_key_padding_mask = optional(n, "tgt_key_padding_mask"),
          .memory_key_padding_mask = optional(n, "memory_key_padding_mask"),
          .tgt_is_causal = is_causal};
}

/// Runs the module that `make` makes on the numbers of case `name` ("family.case"), in both dtypes,
/// and compares the output and the gradients of `inputs` and parameters. `run` calls the module on
/// the inputs, with the masks that are among the numbers.
template <class Make, class Run>
void check_case(const std::string& name, const std::vector<std::string>& inputs, const Make& make,
                const Run& run) {
  for (const DType dtype : {f64, f32}) {
    CAPTURE(name);
    const TensorDict numbers = golden(kFile, name + ".", dtype);
    auto module = make();
    module->to(dtype);
    // A family has one set of weights; one of its cases may lack the biases.
    const TensorDict state = golden(kFile, name.substr(0, name.find('.')) + ".state.", dtype);
    CHECK(module->load_state_dict(state, false).missing.empty());

    std::vector<Tensor> x;
    for (const std::string& input : inputs) x.push_back(clone(numbers[input]).requires_grad_());
    const Tensor y = run(*module, x, numbers);
    check_close("y", y, numbers["y"]);
    y.backward(numbers["dy"]);
    for (size_t i = 0; i < x.size(); ++i)
      check_close("d" + inputs[i], x[i].grad(), numbers["d" + inputs[i]]);
    const TensorDict parameters = module->named_parameters(), expected = part(numbers, "grad.");
    CHECK(parameters.size() == expected.size());
    for (const auto& [key, grad] : expected) check_close("d" + key, parameters[key].grad(), grad);
  }
}

void check_encoder_layer(const std::string& name, const TransformerLayerOptions& options = {},
                         bool is_causal = false) {
  check_case(
      "encoder_layer." + name, {"src"},
      [&] { return std::make_unique<nn::TransformerEncoderLayer>(kC, kH, small(options)); },
      [&](auto& layer, const auto& x, const TensorDict& numbers) {
        return layer(x[0], encoder_masks(numbers, is_causal));
      });
}

TEST_CASE("an encoder layer computes what PyTorch's computes, under every kind of mask") {
  check_encoder_layer("post");
  check_encoder_layer("pre", {.norm_first = true});
  check_encoder_layer("post_first",
                      {.activation = "gelu", .layer_norm_eps = 0.1, .batch_first = true});
  check_encoder_layer("pre_first", {.activation = silu, .batch_first = true, .norm_first = true});
  check_encoder_layer("no_bias", {.activation = "gelu_tanh", .bias = false});
  check_encoder_layer("bool_mask");
  check_encoder_layer("float_mask", {.norm_first = true});
  check_encoder_layer("head_mask", {.batch_first = true});
  check_encoder_layer("padding");
  check_encoder_layer("float_padding", {.batch_first = true});
  check_encoder_layer("causal", {.norm_first = true}, true);
  check_encoder_layer("all", {.activation = "gelu", .batch_first = true, .norm_first = true});
  check_encoder_layer("blind");
}

void check_decoder_layer(const std::string& name, const TransformerLayerOptions& options = {},
                         bool is_causal = false) {
  const auto make = [&] {
    return std::make_unique<nn::TransformerDecoderLayer>(kC, kH, small(options));
  };
  const std::vector<std::string> inputs = {"tgt", "memory"};
  const std::string full_name = "decoder_layer." + name;
  check_case(full_name, inputs, make, [&](auto& layer, const auto& x, const TensorDict& numbers) {
    return layer(x[0], x[1], decoder_masks(numbers, is_causal));
  });
  check_case(full_name, inputs, make, [&](auto& layer, const auto& x, const TensorDict& numbers) {
    return layer.with_weights(x[0], x[1], decoder_masks(numbers, is_causal)).output;
  });
}

TEST_CASE("a decoder layer computes what PyTorch's computes, under every kind of mask") {
  check_decoder_layer("post");
  check_decoder_layer("pre", {.activation = "gelu", .norm_first = true});
  check_decoder_layer("no_bias", {.batch_first = true, .bias = false});
  check_decoder_layer("causal", {.batch_first = true}, true);
  check_decoder_layer("memory_masks");
  check_decoder_layer("float_masks", {.norm_first = true});
  check_decoder_layer("all", {.activation = "gelu", .batch_first = true, .norm_first = true});
  check_decoder_layer("blind", {.norm_first = true});
}

TEST_CASE("stacks compute what PyTorch's compute, with and without a final norm") {
  const auto encoder = [](const std::string& name, const nn::TransformerStackOptions& options,
                          bool is_causal) {
    check_case(
        name, {"src"}, [&] { return std::make_unique<nn::TransformerEncoder>(kC, kH, 2, options); },
        [&](auto& stack, const auto& x, const TensorDict& numbers) {
          return stack(x[0], encoder_masks(numbers, is_causal));
        });
  };
  encoder("encoder.plain", {.layer = small()}, false);
  encoder("encoder_norm.norm",
          {.layer = small({.batch_first = true, .norm_first = true}), .final_norm = true}, true);

  const auto decoder = [](const std::string& name, const nn::TransformerStackOptions& options,
                          bool is_causal) {
    const auto make = [&] { return std::make_unique<nn::TransformerDecoder>(kC, kH, 2, options); };
    check_case(name, {"tgt", "memory"}, make,
               [&](auto& stack, const auto& x, const TensorDict& numbers) {
                 return stack(x[0], x[1], decoder_masks(numbers, is_causal));
               });
    check_case(name, {"tgt", "memory"}, make,
               [&](auto& stack, const auto& x, const TensorDict& numbers) {
                 return stack.with_weights(x[0], x[1], decoder_masks(numbers, is_causal)).output;
               });
  };
  decoder("decoder.plain", {.layer = small({.batch_first = true})}, true);
  decoder("decoder_norm.norm",
          {.layer = small({.norm_first = true, .bias = false}), .final_norm = true}, false);
}

void check_transformer(const std::string& name, const TransformerLayerOptions& options) {
  check_case(
      "transformer." + name, {"src", "tgt"},
      [&] { return std::make_unique<nn::Transformer>(kC, kH, 1, 2, small(options)); },
      [&](auto& model, const auto& x, const TensorDict& n) {
        return model(x[0], x[1],
                     {.src_mask = optional(n, "src_mask"),
                      .tgt_mask = optional(n, "tgt_mask"),
                      .memory_mask = optional(n, "memory_mask"),
                      .src_key_padding_mask = optional(n, "src_key_padding_mask"),
                      .tgt_key_padding_mask = optional(n, "tgt_key_padding_mask"),
                      .memory_key_padding_mask = optional(n, "memory_key_padding_mask")});
      });
}

TEST_CASE("the Transformer computes what PyTorch's computes") {
  check_transformer("plain", {});
  check_transformer("masks", {.activation = "gelu", .batch_first = true, .norm_first = true});
}

std::vector<std::string> names_of(const TensorDict& dict) {
  std::vector<std::string> names;
  for (const auto& [name, tensor] : dict) names.push_back(name);
  return names;
}

TEST_CASE("state-dict keys are PyTorch's, in PyTorch's order") {
  const auto expect = [](const nn::Module& module, const std::string& family) {
    CHECK(names_of(module.state_dict()) == names_of(golden(kFile, family + ".state.")));
  };
  expect(nn::TransformerEncoderLayer(kC, kH), "encoder_layer");
  expect(nn::TransformerDecoderLayer(kC, kH), "decoder_layer");
  expect(nn::TransformerEncoder(kC, kH, 2), "encoder");
  expect(nn::TransformerEncoder(kC, kH, 2, {.final_norm = true}), "encoder_norm");
  expect(nn::TransformerDecoder(kC, kH, 2), "decoder");
  expect(nn::TransformerDecoder(kC, kH, 2, {.layer = {.bias = false}, .final_norm = true}),
         "decoder_norm");
  expect(nn::Transformer(kC, kH, 1, 2), "transformer");
}

TEST_CASE("defaults are PyTorch's") {
  const nn::Transformer model;
  CHECK(model.num_parameters() == 44140544);  // of torch.nn.Transformer()
  const nn::TransformerDecoderLayer& layer = model.decoder.layers[5];
  CHECK(layer.dropout.p == 0.1);
  CHECK(layer.norm3.eps == 1e-5);
  CHECK(layer.activation.name() == "relu");
  CHECK_FALSE(layer.norm_first);
  CHECK_FALSE(model.batch_first);
}

// ------------------------------------------------------------------------------------ gradients

TEST_CASE("gradients of every input and parameter are right") {
  for (const bool norm_first : {false, true}) {
    CAPTURE(norm_first);
    nn::Transformer model(4, 2, 1, 1,
                          {.dim_feedforward = 3,
                           .dropout = 0,
                           .activation = "gelu",  // smooth, for differences
                           .norm_first = norm_first});
    model.to(f64);
    Tensor src = randn({3, 2, 4}, f64), tgt = randn({2, 2, 4}, f64);
    std::vector<Tensor> leaves = {src.requires_grad_(), tgt.requires_grad_()};
    for (const Tensor& parameter : model.parameters()) leaves.push_back(parameter);
    const Tensor padding = from_vector<bool>({false, false, true, false, true, true}, {2, 3});
    CHECK_NOTHROW(gradcheck(
        [&](const auto&) {
          return model(src, tgt, {.src_key_padding_mask = padding, .tgt_is_causal = true});
        },
        leaves));
  }
}

// -------------------------------------------------------------------------------------- dropout

TEST_CASE("dropout acts where PyTorch's acts: on each block's result, and inside feed-forward") {
  constexpr double p = 0.4;
  const auto drop = [](const Tensor& x) { return dropout(x, p); };
  const Tensor x = randn({5, 3, kC}), memory = randn({4, 3, kC});
  for (const bool norm_first : {false, true}) {
    CAPTURE(norm_first);
    const TransformerLayerOptions options{.dim_feedforward = kF,
                                          .dropout = p,
                                          .activation = "gelu",  // relu and dropout would commute
                                          .norm_first = norm_first};
    // x + f(norm(x)), or norm(x + f(x)).
    const auto block = [&](const Tensor& x, nn::LayerNorm& norm, auto&& f) {
      return norm_first ? x + drop(f(norm(x))) : norm(x + drop(f(x)));
    };
    const auto feed_forward = [&](auto& layer) {
      return [&](const Tensor& x) { return layer.linear2(drop(gelu(layer.linear1(x)))); };
    };

    nn::TransformerEncoderLayer encoder(kC, kH, options);
    manual_seed(7);
    const Tensor encoded = encoder(x);
    manual_seed(7);
    Tensor h = block(x, encoder.norm1, encoder.self_attn);
    h = block(h, encoder.norm2, feed_forward(encoder));
    CHECK(relative_error(encoded, h) == 0);

    nn::TransformerDecoderLayer decoder(kC, kH, options);
    manual_seed(7);
    const Tensor decoded = decoder(x, memory);
    manual_seed(7);
    h = block(x, decoder.norm1, decoder.self_attn);
    h = block(h, decoder.norm2,
              [&](const Tensor& x) { return decoder.multihead_attn(x, memory, memory); });
    h = block(h, decoder.norm3, feed_forward(decoder));
    CHECK(relative_error(decoded, h) == 0);

    // And on the attention weights.
    CHECK_FALSE(allclose(encoder.self_attn(x), encoder.self_attn(x)));
    CHECK_FALSE(allclose(decoder.self_attn(x), decoder.self_attn(x)));
    CHECK_FALSE(allclose(decoder.multihead_attn(x, memory, memory),
                         decoder.multihead_attn(x, memory, memory)));
  }
}

TEST_CASE("dropout acts only in training") {
  const Tensor src = randn({4, 3, kC}), tgt = randn({5, 3, kC});
  nn::Transformer model(kC, kH, 1, 1, {.dim_feedforward = kF, .dropout = 0.5});
  nn::Transformer without(kC, kH, 1, 1, small());
  without.load_state_dict(model.state_dict());
  CHECK_FALSE(allclose(model(src, tgt), without(src, tgt)));
  model.eval();
  CHECK(relative_error(model(src, tgt), without(src, tgt)) == 0);
}

// ----------------------------------------------------------------------------- starts and masks

TEST_CASE("a Transformer starts Xavier-uniform, and no two layers start alike") {
  constexpr int64_t C = 32, F = 64;
  nn::Transformer model(C, 4, 2, 2, {.dim_feedforward = F});
  for (const auto& [name, parameter] : model.named_parameters()) {
    if (parameter.dim() < 2) continue;
    CAPTURE(name);
    // U(−b, b) has variance b² / 3. Estimated from n numbers it has a relative deviation of
    // √(0.8 / n), which is 0.028 for the smallest matrix; the bound is six of those.
    const double b = std::sqrt(6.0 / static_cast<double>(parameter.size(0) + parameter.size(1)));
    CHECK(max(abs(parameter)).item() <= b);
    CHECK(std::abs(mean(square(parameter)).item() / (b * b / 3) - 1) < 0.17);
  }
  CHECK(norm(model.encoder.layers[0].self_attn.in_proj_bias).item() == 0);
  CHECK_FALSE(
      allclose(model.encoder.layers[0].linear1.weight, model.encoder.layers[1].linear1.weight));

  nn::TransformerEncoder stack(C, 4, 2, {.layer = {.dim_feedforward = F}});
  CHECK_FALSE(allclose(stack.layers[0].linear1.weight, stack.layers[1].linear1.weight));
}

TEST_CASE("generate_square_subsequent_mask is what is_causal stands for") {
  const Tensor mask = nn::Transformer::generate_square_subsequent_mask(3, f64);
  CHECK(mask.shape() == Shape{3, 3});
  const double inf = INFINITY;
  CHECK(mask.to_vector() == std::vector<double>{0, -inf, -inf, 0, 0, -inf, 0, 0, 0});

  nn::TransformerDecoderLayer layer(kC, kH, small());
  layer.to(f64);
  const Tensor tgt = randn({3, 2, kC}, f64), memory = randn({4, 2, kC}, f64);
  check_close("y", layer(tgt, memory, {.tgt_mask = mask}),
              layer(tgt, memory, {.tgt_is_causal = true}));
}

// ----------------------------------------------------------------------------- prints and errors

TEST_CASE("activations are chosen by name or given as functions, and printed") {
  const Tensor x = linspace(-2, 2, 9);
  const auto equal = [&](const nn::Activation& activation, const Tensor& y) {
    CAPTURE(activation.name());
    CHECK(relative_error(activation(x), y) == 0);
  };
  equal("relu", relu(x));
  equal("gelu", gelu(x));
  equal("gelu_tanh", gelu(x, "tanh"));
  equal("silu", silu(x));
  equal("tanh", tanh(x));
  equal(std::string("sigmoid"), sigmoid(x));
  equal(silu, silu(x));
  equal([](const Arg& x) { return square(relu(x)); }, square(relu(x)));
  CHECK(error_of([] { nn::Activation("mish"); }) ==
        "[activation] no function 'mish': use relu, gelu, gelu_tanh, silu, tanh, sigmoid, or a "
        "function of your own");

  const auto print = [](const nn::Activation& activation) {
    std::ostringstream out;
    out << nn::TransformerEncoderLayer(kC, kH, {.dim_feedforward = kF, .activation = activation});
    return out.str();
  };
  CHECK(print("gelu").starts_with("TransformerEncoderLayer(activation=gelu, norm_first=false\n"));
  CHECK(print(silu).starts_with("TransformerEncoderLayer(activation=custom, "));
  CHECK(print({silu, "swish"}).starts_with("TransformerEncoderLayer(activation=swish, "));
  CHECK(print("relu").ends_with("(dropout2): Dropout(p=0.1)\n)\n289 parameters"));
}

TEST_CASE("wrong arguments are refused") {
  CHECK_THROWS_WITH_AS(nn::TransformerEncoderLayer(8, 3), Contains("multiple of num_heads 3"),
                       Error);
  CHECK_THROWS_WITH_AS(nn::TransformerDecoderLayer(8, 3), Contains("multiple of num_heads 3"),
                       Error);
  CHECK_THROWS_AS(nn::TransformerEncoderLayer(0, 1), Error);
  CHECK_THROWS_AS(nn::TransformerEncoderLayer(8, 2, {.dim_feedforward = 0}), Error);
  CHECK_THROWS_AS(nn::TransformerEncoderLayer(8, 2, {.dropout = 1.5}), Error);
  CHECK_THROWS_WITH_AS(nn::TransformerEncoder(8, 2, 0), Contains("at least one"), Error);
  CHECK_THROWS_WITH_AS(nn::Transformer(8, 2, 1, -1), Contains("-1 layers"), Error);
}

TEST_CASE("what does not fit is refused with the layer's path and the shapes") {
  nn::Transformer model(8, 2, 1, 1, {.dim_feedforward = 5});
  const Tensor src = randn({4, 3, 8}), tgt = randn({5, 3, 8});
  const auto says = [&](const Tensor& src, const Tensor& tgt, const nn::TransformerMasks& masks,
                        const std::vector<std::string>& parts) {
    const std::string text = error_of([&] { model(src, tgt, masks); });
    CAPTURE(text);
    for (const std::string& part : parts) {
      CAPTURE(part);
      CHECK(text.find(part) != text.npos);
    }
  };
  says(randn({4, 3, 7}), tgt, {}, {"(4, 3, 7)", "8", "in encoder.layers.0.self_attn"});
  says(src, randn({5, 3, 7}), {}, {"(5, 3, 7)", "8", "in decoder.layers.0.self_attn"});
  says(src, randn({5, 2, 8}), {},
       {"[transformer] src (4, 3, 8) and tgt (5, 2, 8): batches of 3 and 2"});
  const auto hide = [](const Shape& shape) { return zeros(shape, boolean); };
  says(src, tgt, {.src_mask = hide({4, 5})}, {"(4, 5)", "(4, 4)", "in encoder.layers.0.self_attn"});
  says(src, tgt, {.src_mask = zeros({4, 4}, f64)}, {"f64", "in encoder.layers.0.self_attn"});
  says(src, tgt, {.src_key_padding_mask = hide({4, 3})},
       {"(4, 3)", "(3, 4)", "in encoder.layers.0.self_attn"});
  says(src, tgt, {.tgt_mask = hide({4, 5})}, {"(4, 5)", "(5, 5)", "in decoder.layers.0.self_attn"});
  says(src, tgt, {.memory_mask = hide({4, 5})},
       {"(4, 5)", "(5, 4)", "in decoder.layers.0.multihead_attn"});
  says(src, tgt, {.memory_key_padding_mask = hide({3, 5})},
       {"(3, 5)", "(3, 4)", "in decoder.layers.0.multihead_attn"});
}

}  // namespace
}  // namespace tarsier
