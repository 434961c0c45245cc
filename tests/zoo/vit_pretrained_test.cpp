// Vision Transformers saved by the transformers library
// (tests/golden/make_hugging_face_encoders.py) give the same logits here; and the errors of the
// loader.
#include <doctest/doctest.h>

#include "autograd/io/json.h"
#include "tests/nn/golden.h"
#include "tests/zoo/pretrained.h"
#include "zoo/pretrained/vit.h"

namespace tarsier::zoo {
namespace {

using doctest::Contains;

constexpr const char* kModel = "vit-tiny/classifier";

void load(const ModelCopy& copy) {
  const Scratch folder;
  copy.write(folder.path(""));
  load_vit(folder.path(""));
}

TEST_CASE("a Vision Transformer of Hugging Face gives its logits") {
  for (const std::string name : {kModel, "vit-tiny/no-bias"}) {
    CAPTURE(name);
    const TensorDict expected = expected_of(name);
    const auto model = load_vit(saved_model(name));
    CHECK_FALSE(model->is_training());
    const Tensor logits = (*model)(expected["pixel_values"]);
    CHECK(logits.dtype() == f32);
    CHECK(relative_error(logits, expected["logits"]) < 1e-5);  // required: 1e-4
  }
}

TEST_CASE("the sizes of a Vision Transformer are those of config.json") {
  const vit::Config config = load_vit(saved_model("vit-tiny/no-bias"))->config;
  CHECK(config.channels == 1);
  CHECK(config.classes == 5);
  CHECK(config.layers == 2);
  CHECK(config.layer_norm_eps == 0.1);
  CHECK(config.activation.name() == "gelu_tanh");
  CHECK(config.dropout == 0);

  // Sizes as lists, a model of float64, and a pooler, which is not used here.
  const Scratch folder;
  ModelCopy copy(kModel);
  copy.config.set("image_size", Json::Array{8, 8});
  copy.config.set("patch_size", Json::Array{4, 4});
  copy.config.set("hidden_dropout_prob", 0.25);
  TensorDict weights{{"pooler.dense.bias", zeros({12})}};
  for (const auto& [name, tensor] : copy.weights) weights.add(name, to(tensor, f64));
  copy.weights = weights;
  copy.write(folder.path(""));
  const auto model = load_vit(folder.path("model.safetensors"));
  CHECK(model->dropout.p == 0.25);
  const TensorDict expected = expected_of(kModel);
  CHECK(relative_error((*model)(expected["pixel_values"]), expected["logits"]) < 1e-5);
}

TEST_CASE("other files are refused, with the file and what is wrong") {
  CHECK_THROWS_WITH_AS(load_vit(saved_model("bert-tiny/model")),
                       Contains("is of a model of type 'bert', and 'vit' was expected"), Error);

  const auto with = [](const char* key, Json value) {
    ModelCopy copy(kModel);
    copy.config.set(key, std::move(value));
    load(copy);
  };
  CHECK_THROWS_WITH_AS(
      with("hidden_act", "selu"),
      Contains("config.json: hidden_act 'selu' is not supported: expected gelu, gelu_python"),
      Error);
  CHECK_THROWS_WITH_AS(with("image_size", 12), Contains("config.json asks for (1, 10, 12)"), Error);
  CHECK_THROWS_WITH_AS(with("image_size", int64_t{1} << 40),
                       Contains("from 1 to 1048576 were expected"), Error);
  CHECK_THROWS_WITH_AS(with("patch_size", Json::Array{4}), Contains("'patch_size' is [4]"), Error);
  CHECK_THROWS_WITH_AS(with("patch_size", 0), Contains("'patch_size' is 0"), Error);
  CHECK_THROWS_WITH_AS(with("hidden_size", 16), Contains("config.json asks for (16, 3, 4, 4)"),
                       Error);
  CHECK_THROWS_WITH_AS(with("num_hidden_layers", 1'000'000'000),
                       Contains("encoder.layer.999999999."), Error);
  CHECK_THROWS_WITH_AS(with("num_attention_heads", 5),
                       Contains("config.json: [vit] heads=5 does not divide width=12"), Error);
  CHECK_THROWS_WITH_AS(with("num_hidden_layers", 1),
                       Contains("unexpected: encoder.layer.1.attention"), Error);
  CHECK_THROWS_WITH_AS(with("qkv_bias", false),
                       Contains("unexpected: encoder.layer.0.attention.attention.key.bias"), Error);

  ModelCopy copy(kModel);
  copy.rename([](const std::string& name) { return name == "classifier.weight" ? "" : name; });
  CHECK_THROWS_WITH_AS(load(copy), Contains("model.safetensors has no matrix 'classifier.weight'"),
                       Error);
  copy = ModelCopy(kModel);
  copy.rename([](const std::string& name) {
    return name == "vit.encoder.layer.1.attention.attention.key.weight" ? "other" : name;
  });
  CHECK_THROWS_WITH_AS(
      load(copy),
      Contains(
          "missing: encoder.layer.1.attention.attention.key.weight\n  of another head, and not "
          "used: other"),
      Error);
}

}  // namespace
}  // namespace tarsier::zoo
