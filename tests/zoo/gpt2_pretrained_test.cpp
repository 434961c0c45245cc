// A GPT-2 saved by the transformers library (tests/golden/make_hugging_face_gpt2.py) gives the same
// logits here, and is saved unchanged; and the errors of the loader.
#include <doctest/doctest.h>

#include <filesystem>

#include "autograd/base/random.h"
#include "autograd/io/json.h"
#include "nn/init.h"
#include "tests/nn/golden.h"
#include "tests/zoo/pretrained.h"
#include "zoo/gpt/generate.h"
#include "zoo/pretrained/gpt2.h"

namespace tarsier::zoo {
namespace {

using doctest::Contains;

constexpr const char* kModel = "gpt2-tiny";

/// The logits of the model loaded from `copy`.
Tensor logits_of(const ModelCopy& copy) {
  const Scratch folder;
  copy.write(folder.path(""));
  return (*load_gpt2(folder.path("")))(expected_of(kModel)["index"]);
}

/// Whether `actual` are the expected numbers of that name, to f32's accuracy (required: 1e-4).
void check_same(const Tensor& actual, const std::string& name) {
  CHECK(relative_error(actual, expected_of(kModel)[name]) < tolerance(f32));
}

TEST_CASE("a GPT-2 of Hugging Face gives its logits") {
  const TensorDict expected = expected_of(kModel);
  for (const char* end : {"", "/model.safetensors"}) {
    const auto gpt = load_gpt2(saved_model(kModel) + end);
    CHECK_FALSE(gpt->is_training());
    check_same((*gpt)(expected["index"]), "logits");
  }
  const gpt::Config config = load_gpt2(saved_model(kModel))->config;
  CHECK(config.vocab_size == 41);
  CHECK(config.block_size == 10);
  CHECK(config.n_head == 3);
  CHECK(config.dropout == 0.1);
  CHECK(config.activation.name() == "gelu_tanh");
  CHECK(config.layer_norm_eps == 1e-3);
}

TEST_CASE("other forms of the same model: names without prefix, old masks, another head or GELU") {
  ModelCopy copy(kModel);
  SUBCASE("GPT2Model: no prefix") {
    copy.rename([](const std::string& name) { return name.substr(name.find('.') + 1); });
    check_same(logits_of(copy), "logits");
  }
  SUBCASE("masks as weights, a tied head that was saved, n_ctx") {
    for (const char* layer : {"0", "1"}) {
      copy.weights.add(concat("transformer.h.", layer, ".attn.bias"), ones({1, 1, 10, 10}));
      copy.weights.add(concat("transformer.h.", layer, ".attn.masked_bias"), ones({}));
    }
    copy.weights.add("lm_head.weight", copy.weights["transformer.wte.weight"]);
    copy.config.set("n_ctx", 10);
    copy.config.set("n_positions", Json());
    check_same(logits_of(copy), "logits");
  }
  SUBCASE("a head of its own") {
    copy.config.set("tie_word_embeddings", false);
    copy.weights.add("lm_head.weight", expected_of(kModel)["head"]);
    check_same(logits_of(copy), "logits_untied");
  }
  SUBCASE("GELU with erf") {
    copy.config.set("activation_function", "gelu");
    check_same(logits_of(copy), "logits_erf");
  }
}

TEST_CASE("the likeliest continuation is that of transformers' generate") {
  const auto gpt = load_gpt2(saved_model(kModel));
  const std::vector<int32_t> expected = expected_of(kModel)["greedy"].to_vector<int32_t>();
  std::vector<int32_t> text(expected.begin(), expected.begin() + 4);
  gpt::generate(*gpt, text, 6, {.temperature = 0}, [&](int32_t token) { text.push_back(token); });
  CHECK(text == expected);
}

TEST_CASE("save_gpt2 writes what was loaded") {
  const auto gpt = load_gpt2(saved_model(kModel));
  const Scratch folder;
  save_gpt2(*gpt, folder.path("new/folder"));
  const ModelCopy original(kModel);
  const TensorDict saved = load_safetensors(folder.path("new/folder/model.safetensors"));
  CHECK(saved.size() == original.weights.size());
  for (const auto& [name, tensor] : original.weights) {
    CAPTURE(name);
    CHECK(saved[name].shape() == tensor.shape());
    CHECK(saved[name].to_vector() == tensor.to_vector());
  }
  const Json config = Json::parse(folder.read("new/folder/config.json"));
  for (const auto& [key, value] : config.as_object()) {
    CAPTURE(key);
    CHECK(original.config[key] == value);
  }
}

TEST_CASE("a GPT with other options comes back as it was saved") {
  gpt::Config config;
  config.vocab_size = 7;
  config.block_size = 5;
  config.n_layer = 3;
  config.n_head = 2;
  config.n_embd = 4;
  config.dropout = 0.25;
  for (const char* activation : {"gelu", "relu"})
    for (const bool tied : {true, false})
      for (const bool bias : {true, false}) {
        CAPTURE(tied);
        CAPTURE(bias);
        config.activation = activation;
        config.tied = tied;
        config.bias = bias;
        Generator generator(6);
        gpt::Gpt gpt(config, generator);
        for (const Tensor& parameter : gpt.parameters()) nn::normal_(parameter, 0, 1, generator);
        gpt.eval();
        const Scratch folder;
        save_gpt2(gpt, folder.path(""));
        const auto loaded = load_gpt2(folder.path(""));
        CHECK(loaded->config.dropout == 0.25);
        CHECK((loaded->lm_head.weight.impl() == loaded->transformer.wte.weight.impl()) == tied);
        const Tensor index = randint(0, 7, {2, 5}, generator);
        CHECK((*loaded)(index).to_vector() == gpt(index).to_vector());
      }
  config.activation = nn::Activation([](const Arg& x) { return square(x); }, "square");
  const Scratch folder;
  CHECK_THROWS_WITH_AS(save_gpt2(gpt::Gpt(config), folder.path("")),
                       Contains("'square' has no name in transformers"), Error);
  folder.write("file", "");
  CHECK_THROWS_WITH_AS(save_gpt2(gpt::Gpt(gpt::Config()), folder.path("file/folder")),
                       Contains("file/folder: cannot make the folder"), Error);
}

// ---- bad input ----

/// The error of load_gpt2 for the model with another value in config.json.
void load_with(const char* key, Json value) {
  ModelCopy copy(kModel);
  copy.config.set(key, std::move(value));
  logits_of(copy);
}

TEST_CASE("a config.json that does not fit is refused by name and value") {
  const auto refused = [](const char* key, const Json& value, const char* text) {
    CAPTURE(key);
    CHECK_THROWS_WITH_AS(load_with(key, value), Contains(text), Error);
    CHECK_THROWS_WITH_AS(load_with(key, value), Contains("config.json"), Error);
  };
  refused("n_layer", Json(), "the key 'n_layer' is missing: a whole number, 1 or more was");
  refused("n_layer", "two", "'n_layer' is \"two\", where a whole number, 1 or more was expected");
  refused("n_head", 0, "'n_head' is 0, where a whole number");
  refused("n_head", 2.5, "'n_head' is 2.5, where a whole number");
  refused("n_head", 5, "n_head=5 does not divide n_embd=12");
  refused("layer_norm_epsilon", "small", "'layer_norm_epsilon' is \"small\", where a number was");
  refused("scale_attn_weights", 1, "'scale_attn_weights' is 1, where true or false was expected");
  refused("activation_function", 3, "'activation_function' is 3, where a string was expected");
  refused("activation_function", "prelu",
          "activation_function 'prelu' is not supported: expected ");
  refused("n_inner", 13, "'n_inner' is 13, which is not supported");
  refused("add_cross_attention", true, "'add_cross_attention' is true, which is not supported");
  refused("scale_attn_weights", false, "'scale_attn_weights' is false");
  refused("scale_attn_by_inverse_layer_idx", true, "'scale_attn_by_inverse_layer_idx' is true");
  refused("model_type", "llama", "is of a model of type 'llama', and 'gpt2' was expected");
  refused("model_type", Json(), "the key 'model_type' is missing");
  // Sizes of another model: both shapes, before memory is allocated.
  refused("n_embd", 15, "'wte.weight' is (41, 12), where ");
  refused("n_embd", 15, " asks for (41, 15)");
  refused("vocab_size", 1'000'000'000'000, " asks for (1000000000000, 12)");
  refused("n_positions", 9, "'wpe.weight' is (10, 12), where ");
  refused("n_layer", 1'000'000'000'000, "no weight 'h.999999999999.ln_1.weight'");
}

TEST_CASE("weights that do not fit are listed, with both shapes") {
  const auto with_other = [](const std::string& other, const Tensor& tensor) {
    ModelCopy copy(kModel);
    copy.rename([&](const std::string& name) { return name == other ? "" : name; });
    if (tensor.defined()) copy.weights.add(other, tensor);
    logits_of(copy);
  };
  const std::string attn = "transformer.h.1.attn.c_attn.weight";
  CHECK_THROWS_WITH_AS(with_other(attn, zeros({36, 12})),
                       Contains("wrong: h.1.attn.c_attn.weight is (36, 12) where (12, 36) belongs"),
                       Error);
  CHECK_THROWS_WITH_AS(with_other(attn, zeros({12, 36}, i64)),
                       Contains("wrong: h.1.attn.c_attn.weight is I64 where f32 belongs"), Error);
  CHECK_THROWS_WITH_AS(with_other(attn, {}), Contains("model.safetensors does not fit a Gpt"),
                       Error);
  CHECK_THROWS_WITH_AS(with_other(attn, {}), Contains("missing: h.1.attn.c_attn.weight"), Error);
  CHECK_THROWS_WITH_AS(with_other("transformer.h.2.ln_1.weight", zeros({12})),
                       Contains("unexpected: h.2.ln_1.weight"), Error);
  CHECK_THROWS_WITH_AS(with_other("transformer.wte.weight", {}),
                       Contains("has no weight 'wte.weight'"), Error);
  CHECK_THROWS_WITH_AS(with_other("wte.weight", zeros({41, 12})),
                       Contains("'wte.weight' is there twice, with and without 'transformer.'"),
                       Error);
  CHECK_THROWS_WITH_AS(load_with("tie_word_embeddings", false), Contains("missing: lm_head.weight"),
                       Error);
}

TEST_CASE("files that are missing or damaged are named") {
  const Scratch folder;
  const auto says = [&](const std::string& name, const std::string& text) {
    CAPTURE(text);
    CHECK_THROWS_WITH_AS(load_gpt2(folder.path(name)), Contains(text.c_str()), Error);
  };
  const std::string weights = read_file(saved_model(kModel) + "/model.safetensors");
  const std::string config = read_file(saved_model(kModel) + "/config.json");
  says("none", "none does not exist: give the folder with config.json and model.safetensors");
  says("", "config.json does not exist");
  folder.write("config.json", config);
  says("", "model.safetensors does not exist");
  folder.write("pytorch_model.bin", "");
  says("", "pytorch_model.bin: not a file of torch.save");
  folder.write("model.safetensors.index.json", "{}");
  says("", "model.safetensors.index.json: expected an index of split weights");
  folder.write("model.safetensors", weights.substr(0, weights.size() - 1));
  says("", "is the file cut off?");
  folder.write("model.safetensors", weights);
  CHECK_NOTHROW(load_gpt2(folder.path("")));
  folder.write("config.json", config.substr(0, 100));
  says("", "config.json line 5, byte 96: the string that begins here does not end");
  folder.write("config.json", "[1]");
  says("", "config.json: expected an object {…}");
  folder.write("config.json", config);
  says("config.json", "not a safetensors file");
  CHECK_THROWS_WITH_AS(load_gpt2(std::string(5000, 'x')), Contains("does not exist"), Error);
}

}  // namespace
}  // namespace tarsier::zoo
