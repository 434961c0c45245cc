// Models with int8 weights: made, used, written, read, refused.
#include "nn/quantize.h"

#include <doctest/doctest.h>

#include <cmath>
#include <filesystem>
#include <limits>
#include <sstream>

#include "autograd/io/safetensors.h"
#include "nn/nn.h"
#include "optim/optim.h"
#include "tests/error_of.h"
#include "tests/nn/temporary.h"

namespace tarsier {
namespace {

/// A model of the user's: an embedding tied to the last layer, attention, and a matrix of its own.
struct Reader : nn::Layer<Reader>, nn::Quantizable {
  nn::Embedding embedding;
  nn::MultiheadAttention attention;
  nn::LayerNorm norm;
  Tensor own;
  QuantizedMatrix own_int8;
  nn::Linear head;

  explicit Reader(int64_t C = 24)
      : embedding(50, C), attention(C, 4, {.batch_first = true}), norm(C), head(C, 50, false) {
    register_module("embedding", embedding);
    register_module("attention", attention);
    register_module("norm", norm);
    register_parameter("own", own, randn({C, C}) * 0.3);
    register_module("head", head);
    head.weight = embedding.weight;
  }
  Tensor forward(const Arg& index) {
    const Tensor x = embedding(index);
    const Tensor y = x + attention(x, x, slice(x, 1, 0, x.size(1)));
    return head(norm(multiplied(*this, attention(y), own, own_int8)));
  }
  std::vector<nn::QuantizableMatrix> matrices() override { return {{"own", &own, &own_int8}}; }
};

const Tensor kIndex = tensor({{1, 49, 3, 7}, {0, 2, 30, 30}}, i64);

/// A reader in eval() that records nothing.
struct Model {
  const NoGrad no_grad;
  Reader reader;
  Model() { reader.eval(); }
};

TEST_CASE("quantize_ replaces all matrices in place, tied ones by one") {
  Model model;
  Reader& reader = model.reader;
  const Tensor before = reader(kIndex);
  CHECK(nn::quantize_(reader) ==
        std::vector<std::string>{"own", "embedding.weight", "attention.in_proj_weight",
                                 "attention.out_proj.weight", "head.weight"});
  CHECK(!reader.embedding.weight.defined());
  CHECK(reader.embedding.quantized.scales().data() == reader.head.quantized.scales().data());
  CHECK(nn::quantize_(reader).empty());
  const Tensor after = reader(kIndex);
  CHECK(mean(square(after - before)).item() < 1e-3 * mean(square(before)).item());
  CHECK(after.to_vector() != before.to_vector());
  for (const auto& [name, parameter] : reader.named_parameters()) CHECK(!parameter.requires_grad());
  std::ostringstream text;
  text << reader;
  CHECK(text.str().find("(embedding): Embedding(50, 24, weight=int8)") != std::string::npos);
  CHECK(text.str().find("bias=false, weight=int8)") != std::string::npos);
  CHECK(text.str().find("weights=int8") != std::string::npos);
}

TEST_CASE("attention with int8 weights: one input, two, three, and separate matrices") {
  const NoGrad no_grad;
  Generator generator(1);
  const Tensor q = randn({2, 3, 20}, f32, generator), kv = randn({2, 5, 20}, f32, generator),
               v = randn({2, 5, 12}, f32, generator);
  for (const bool separate : {false, true}) {
    nn::MultiheadAttention attention(
        20, 4, {.vdim = separate ? std::optional<int64_t>(12) : std::nullopt, .batch_first = true});
    attention.eval();
    const auto results = [&] {
      if (separate) return std::vector<Tensor>{attention(q, kv, v)};
      return std::vector<Tensor>{attention(q), attention(q, kv, kv), attention(q, kv, kv + 1)};
    };
    const std::vector<Tensor> before = results();
    CHECK(nn::quantize_(attention).size() == (separate ? 4 : 2));
    const std::vector<Tensor> after = results();
    for (size_t i = 0; i < before.size(); ++i) CHECK(allclose(before[i], after[i], 0.02, 0.02));
  }
}

TEST_CASE("a file of int8 weights gives the same bits, and has a quarter of the size") {
  const TemporaryFolder folder;
  Model a, b;
  save_safetensors(folder / "f32", a.reader.state_dict());
  nn::quantize_(a.reader);
  nn::save_quantized(folder / "int8", a.reader, {{"key", "text"}});
  CHECK(nn::holds_int8(folder / "int8"));
  CHECK(!nn::holds_int8(folder / "f32"));
  CHECK(a.reader(kIndex).to_vector() != b.reader(kIndex).to_vector());
  nn::load_quantized(b.reader, folder / "int8");
  CHECK(a.reader(kIndex).to_vector() == b.reader(kIndex).to_vector());
  CHECK(b.reader.embedding.quantized.scales().data() == b.reader.head.quantized.scales().data());

  const SafetensorsFile file(folder / "int8");
  CHECK(file.metadata().at("key") == "text");
  CHECK(file.find("own")->dtype == "I8");
  CHECK(file.find("own_scale")->shape == std::vector<int64_t>{24});
  const Tensor own = to(file.read("own"), f32) * unsqueeze(file.read("own_scale"), 1);
  CHECK(own.to_vector() == a.reader.own_int8.dequantized().to_vector());
  const auto size = [&](const char* name) { return std::filesystem::file_size(folder / name); };
  CHECK(size("int8") < 0.4 * size("f32"));
}

TEST_CASE("int8 weights are not trained, and not read as f32") {
  const TemporaryFolder folder;
  Reader reader;
  nn::quantize_(reader);
  const char* const advice =
      " has int8 weights (nn::quantize_), which cannot be trained: call eval() to use them; to "
      "train, load the f32 weights, and quantise them afterwards";
  CHECK(!reader(kIndex).requires_grad());
  reader.train();
  check_error(concat("[embedding] this Embedding", advice), [&] { reader(kIndex); });
  check_error(concat("[linear] this Linear", advice), [&] { reader.head(zeros({1, 24})); });
  reader.eval();
  Tensor x = zeros({1, 24}).requires_grad_();
  check_error(
      "[linear] int8 weights have no gradients: train the f32 weights and quantise them "
      "after that, or compute under a NoGrad guard",
      [&] { reader.head(x); });
  check_error("[linear] x is f64, but int8 weights are multiplied in f32", [&] {
    reader.head(zeros({1, 24}, f64));
  });
  check_error("expected x (…, 24)", [&] { reader.head(zeros({1, 23})); });
  check_error("[embedding] index 50 is out of range: the table has 50 rows",
              [&] { reader.embedding(tensor({50}, i64)); });
  nn::save_quantized(folder / "int8", reader);
  Reader other;
  check_error("own is i64 where f32 belongs",
              [&] { other.load_state_dict(load_safetensors(folder / "int8")); });
}

TEST_CASE("weights that cannot be quantised are named, and nothing is changed") {
  Reader reader;
  reader.own.data<float>()[30] = std::numeric_limits<float>::quiet_NaN();
  check_error("[quantize] 'own': [quantize] row 1 of the matrix holds a NaN",
              [&] { nn::quantize_(reader); });
  CHECK(reader.embedding.weight.defined());
  CHECK(reader.is_training());
  reader.to(f64);
  check_error("'own' is f64: convert the model with to(f32) first", [&] { nn::quantize_(reader); });
}

TEST_CASE("hostile files of int8 weights are refused") {
  const TemporaryFolder folder;
  const std::string path = folder / "int8";
  const auto refused = [&](const std::string& text, const TensorDict& tensors,
                           const std::vector<Int8Tensor>& integers) {
    save_safetensors(path, tensors, {}, integers);
    nn::Linear fc(3, 2);
    check_error(text, [&] { nn::load_quantized(fc, path); });
    CHECK(fc.weight.defined() == (text.find("[load_state_dict]") == text.npos));
  };
  const Tensor bias = zeros({2}), scale = ones({2});
  const Int8Tensor weight{"weight", {2, 3}, {1, 2, 3, 4, 5, 6}};
  const float nan = std::numeric_limits<float>::quiet_NaN();
  refused("holds no int8 weights", {{"weight", zeros({2, 3})}, {"bias", bias}}, {});
  refused("'weight' has no scales: 'weight_scale' is missing", {{"bias", bias}}, {weight});
  refused("one for each of its 2 rows", {{"weight_scale", ones({3})}, {"bias", bias}}, {weight});
  refused("of F32", {{"weight_scale", ones({2}, f64)}, {"bias", bias}}, {weight});
  refused("the scale of row 1 is nan", {{"weight_scale", tensor({1, nan})}}, {weight});
  refused("the scale of row 0 is inf", {{"weight_scale", 1 / tensor({0, 1})}}, {weight});
  refused("the scale of row 0 is -1", {{"weight_scale", tensor({-1, 1})}}, {weight});
  refused("'weight' is (1, 6) where (2, 3) belongs", {{"weight_scale", ones({1})}},
          {{"weight", {1, 6}, {1, 2, 3, 4, 5, 6}}});
  refused("'weight' has 1 dimensions", {{"weight_scale", scale}},
          {{"weight", {6}, {1, 2, 3, 4, 5, 6}}});
  refused("'bias' is no matrix of this Linear", {{"bias_scale", scale}},
          {{"bias", {1, 2}, {1, 2}}});
  refused("[load_state_dict]", {{"weight_scale", scale}}, {weight});  // no bias
  refused("[load_state_dict]", {{"weight_scale", scale}, {"bias", bias}, {"more", bias}}, {weight});
  check_error("two tensors 'bias'", [&] {
    save_safetensors(path, {{"bias", bias}}, {}, {{"bias", {1}, {1}}});
  });
  check_error("'a' of shape (3, 1) has 2 elements", [&] {
    save_safetensors(path, {}, {}, {{"a", {3, 1}, {1, 2}}});
  });

  Model model;
  nn::quantize_(model.reader);
  nn::save_quantized(path, model.reader);
  std::string bytes = read_file(path);
  bytes[bytes.size() - 1] ^= 1;  // the last of head.weight, which is embedding.weight
  write_file_atomically(path, bytes);
  Model other;
  check_error("'head.weight' differs from another that is the same matrix in this Reader",
              [&] { nn::load_quantized(other.reader, path); });
}

}  // namespace
}  // namespace tarsier
