// Decoders of Llama's family that transformers saved (tests/golden/make_llama.py) give its logits.
#include <doctest/doctest.h>

#include "tests/error_of.h"
#include "tests/nn/golden.h"
#include "tests/zoo/pretrained.h"
#include "zoo/pretrained/llama.h"

namespace tarsier::zoo {
namespace {

constexpr double kTolerance = 1e-5;  // of f32; required: 1e-4

std::string folder(const std::string& name) { return saved_model("llama/" + name); }

/// The relative error of the logits of the model at `path` against those of the golden `name`.
double error_of_logits(const std::string& path, const std::string& name) {
  const NoGrad guard;
  const TensorDict numbers = expected_of("llama/" + name);
  return relative_error((*load_llama(path))(numbers["input_ids"]), numbers["logits"]);
}

/// The same of a changed copy.
double error_of_logits(const ModelCopy& copy, const std::string& name) {
  const Scratch scratch;
  copy.write(scratch.path(""));
  return error_of_logits(scratch.path(""), name);
}

TEST_CASE("every member of Llama's family gives transformers' logits") {
  for (const char* name :
       {"plain", "biases", "tied", "linear", "dynamic", "dynamic-short", "yarn", "yarn-mscale",
        "llama3", "mistral", "mistral-full", "qwen2", "qwen2-full", "qwen3"}) {
    CAPTURE(name);
    CHECK(error_of_logits(folder(name), name) < kTolerance);
  }
}

TEST_CASE("what the configs say matters: windows, angles, norms") {
  const auto differs = [](const std::string& name, const char* key, const Json& value) {
    CAPTURE(name);
    ModelCopy copy("llama/" + name);
    copy.config.set(key, value);
    CHECK(error_of_logits(copy, name) > 1e-3);
  };
  const Json plain = Json::Object{{"rope_type", "default"}, {"rope_theta", 10000}};
  for (const char* name : {"linear", "dynamic", "yarn", "yarn-mscale", "llama3", "tied"})
    differs(name, "rope_parameters", plain);
  differs("mistral", "sliding_window", Json());
  differs("mistral", "sliding_window", 4);
  differs("qwen2", "use_sliding_window", false);
  differs("qwen2", "layer_types", Json::Array{"sliding_attention", "full_attention"});
  differs("plain", "rms_norm_eps", 1e-6);
  // Qwen's window alone does nothing.
  CHECK(load_llama(folder("qwen2-full"))->config.windows[0] == std::nullopt);
  CHECK(load_llama(folder("qwen2"))->config.windows[1] == 4);
}

TEST_CASE("configs from before transformers 5 say the same in other words") {
  ModelCopy copy("llama/linear");
  copy.config.set("rope_parameters", Json());
  copy.config.set("rope_theta", 10000);
  copy.config.set("rope_scaling", Json::Object{{"type", "linear"}, {"factor", 4}});
  CHECK(error_of_logits(copy, "linear") < kTolerance);
  copy = ModelCopy("llama/tied");
  copy.config.set("rope_parameters", Json());
  copy.config.set("rope_theta", 100);
  CHECK(error_of_logits(copy, "tied") < kTolerance);
  copy = ModelCopy("llama/qwen2");
  copy.config.set("layer_types", Json());
  CHECK(error_of_logits(copy, "qwen2") < kTolerance);
}

TEST_CASE("other forms of the same weights: without prefix, old angles, a tied head") {
  ModelCopy copy("llama/plain");
  copy.weights.add("model.layers.0.self_attn.rotary_emb.inv_freq", ones({4}));
  CHECK(error_of_logits(copy, "plain") < kTolerance);
  copy = ModelCopy("llama/tied");
  copy.rename([](const std::string& name) { return name.substr(6); });  // "model."
  CHECK(error_of_logits(copy, "tied") < kTolerance);
  copy.weights.add("lm_head.weight", copy.weights["embed_tokens.weight"]);
  CHECK(error_of_logits(copy, "tied") < kTolerance);
  copy.rename([](const std::string& name) { return name == "embed_tokens.weight" ? "" : name; });
  CHECK(error_of_logits(copy, "tied") < kTolerance);
  copy = ModelCopy("llama/tied");
  copy.weights.add("lm_head.weight", zeros({11, 8}));  // its own: the file wins
  CHECK(error_of_logits(copy, "tied") > 0.1);
}

TEST_CASE("a config.json that Llama cannot follow is refused by name and value") {
  const auto refused = [](const std::string& name, const char* key, const Json& value,
                          const std::string& text) {
    ModelCopy copy("llama/" + name);
    copy.config.set(key, value);
    const std::string error = error_of([&] { error_of_logits(copy, name); });
    CAPTURE(error);
    CHECK(error.find(text) != error.npos);
  };
  const auto rope = [](const char* type, const Json::Object& more) {
    Json::Object all = {{"rope_type", type}, {"rope_theta", 10000}};
    all.insert(all.end(), more.begin(), more.end());
    return Json(std::move(all));
  };
  const char* key = "rope_parameters";
  refused("plain", key, rope("longrope", {}), "'rope_parameters': the type 'longrope' is not");
  refused("plain", key, rope("linear", {}), "the key 'factor' is missing: a number was expected");
  refused("plain", key, rope("linear", {{"factor", 0}}), "'factor' is 0, where more than 0 was");
  refused("plain", key, rope("dynamic", {{"factor", 0.5}}), "'factor' is 0.5, which is not");
  refused("plain", key, rope("llama3", {{"factor", 8}}), "'low_freq_factor' is missing");
  refused("plain", key, rope("default", {{"partial_rotary_factor", 0.5}}),
          "'partial_rotary_factor' is 0.5, which is not supported");
  refused("plain", key, Json::Object{{"rope_theta", 1}}, "'rope_theta' is 1, where more than 1");
  refused("plain", key, 3, "'rope_parameters': expected an object");
  refused("plain", "model_type", "gpt2", "'llama', 'mistral', 'qwen2', 'qwen3' was expected");
  refused("plain", "num_key_value_heads", 3, "k_proj.weight' has 16 rows, where ");
  refused("plain", "num_attention_heads", 1'000'000'000'000, "asks for 1000000000000 heads of 8");
  refused("plain", "head_dim", 4, "q_proj.weight' has 32 rows, where ");
  refused("plain", "num_hidden_layers", 1'000'000'000'000, "no weight 'layers.999999999999.mlp.");
  refused("plain", "intermediate_size", 7, "'layers.1.mlp.gate_proj.weight' is (6, 8), where ");
  refused("plain", "attention_bias", true, "missing: layers.0.self_attn.q_proj.bias");
  refused("qwen3", "attention_bias", false, "unexpected: layers.0.self_attn.k_proj.bias");
  refused("qwen2", "layer_types", Json::Array{"full_attention"}, "should be a list of 2 types");
  refused("qwen2", "layer_types", Json::Array{"linear_attention", 3},
          "'layer_types' has 'linear_attention', where full_attention or sliding_attention was");
  refused("mistral", "sliding_window", 0, "'sliding_window' is 0, where a whole number, 1 or more");
}

}  // namespace
}  // namespace tarsier::zoo
