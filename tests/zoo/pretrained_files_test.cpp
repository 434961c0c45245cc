// Folders of transformers 5 that differ from an ordinary model by save_pretrained
// (tests/golden/make_hugging_face_files.py): untied weights, heads for other tasks, names, variants
// and dtypes. Each gives the numbers that transformers gives.
#include <doctest/doctest.h>

#include <cmath>
#include <cstring>

#include "autograd/io/json.h"
#include "tests/nn/golden.h"
#include "tests/zoo/pretrained.h"
#include "zoo/pretrained/bert.h"
#include "zoo/pretrained/gpt2.h"
#include "zoo/pretrained/hugging_face.h"
#include "zoo/pretrained/vit.h"

namespace tarsier::zoo {
namespace {

using doctest::Contains;
using Names = std::vector<std::string>;

constexpr double kTolerance = 1e-5;  // of f32; required: 1e-4

std::string folder(const std::string& name) { return saved_model("hugging-face/" + name); }
TensorDict expected(const std::string& name) { return expected_of("hugging-face/" + name); }

/// Whether a GPT-2 gives transformers' logits.
void check_gpt2(const std::string& path, const std::string& name, bool tied = true) {
  CAPTURE(name);
  const TensorDict numbers = expected(name);
  const auto gpt = load_gpt2(path);
  CHECK(gpt->config.tied == tied);
  CHECK(relative_error((*gpt)(numbers["input_ids"]), numbers["logits"]) < kTolerance);
}

void check_bert(const std::string& name, bool tied) {
  CAPTURE(name);
  const TensorDict numbers = expected(name);
  const auto bert = load_bert_for_masked_lm(folder(name));
  CHECK(bert->bert.config.tie_word_embeddings == tied);
  CHECK(relative_error((*bert)(numbers["input_ids"]), numbers["logits"]) < kTolerance);
}

/// A copy with other names of the weights, or other settings.
ModelCopy copy_of(const std::string& name) { return ModelCopy("hugging-face/" + name); }

// ---- tied weights ----

TEST_CASE("a GPT-2 with an output layer of its own has it, whatever config.json says") {
  check_gpt2(folder("gpt2-own-head"), "gpt2-own-head", /*tied=*/false);
  check_gpt2(folder("gpt2-equal-head"), "gpt2-equal-head");
  check_gpt2(folder("gpt2-head-only"), "gpt2-head-only");
  // After saving, there are still two.
  const Scratch scratch;
  save_gpt2(*load_gpt2(folder("gpt2-own-head")), scratch.path(""));
  check_gpt2(scratch.path(""), "gpt2-own-head", /*tied=*/false);
}

TEST_CASE("without the tie the embedding is not taken from the output layer") {
  ModelCopy copy = copy_of("gpt2-head-only");
  copy.config.set("tie_word_embeddings", false);
  const Scratch scratch;
  copy.write(scratch.path(""));
  CHECK_THROWS_WITH_AS(load_gpt2(scratch.path("")), Contains("has no weight 'wte.weight'"), Error);
}

TEST_CASE("a BERT with a decoder of its own has it, whatever config.json says") {
  check_bert("bert-own-decoder", false);
  check_bert("bert-untied", false);
  check_bert("bert-decoder-only", true);
  // Body and other heads find the embeddings under the decoder's name as well.
  const TensorDict numbers = expected("bert-decoder-only");
  const auto body = load_bert(folder("bert-decoder-only"));
  const auto masked = load_bert_for_masked_lm(folder("bert-decoder-only"));
  CHECK((*body)(numbers["input_ids"]).to_vector() ==
        masked->bert(numbers["input_ids"]).to_vector());
}

TEST_CASE("an untied BERT starts with a decoder of its own") {
  Generator generator(3);
  bert::Config config{.vocab_size = 11,
                      .hidden_size = 8,
                      .num_hidden_layers = 1,
                      .num_attention_heads = 2,
                      .intermediate_size = 12,
                      .max_position_embeddings = 6};
  const bert::BertForMaskedLM tied(config, generator);
  config.tie_word_embeddings = false;
  const bert::BertForMaskedLM untied(config, generator);
  CHECK(tied.decoder.weight.impl() == tied.bert.word_embeddings.weight.impl());
  CHECK(untied.decoder.weight.impl() != untied.bert.word_embeddings.weight.impl());
  CHECK(untied.num_parameters() == tied.num_parameters() + 11 * 8);
  const double deviation = std::sqrt(mean(square(untied.decoder.weight)).item());
  CHECK(deviation > 0.015);
  CHECK(deviation < 0.025);
}

// ---- heads ----

TEST_CASE("a GPT-2 with another head loads without it, and says what is not used") {
  const auto check_head = [](const std::string& name, const Names& head) {
    check_gpt2(folder(name), name);
    Names unused = {"stale"};
    load_gpt2(folder(name), &unused);
    CHECK(unused == head);
  };
  check_head("gpt2-double-heads",
             {"multiple_choice_head.summary.bias", "multiple_choice_head.summary.weight"});
  check_head("gpt2-classifier", {"score.weight"});
  check_head("gpt2-token-classifier", {"classifier.bias", "classifier.weight"});
  check_head("gpt2-question-answering", {"qa_outputs.bias", "qa_outputs.weight"});
  Names unused = {"stale"};
  load_gpt2(folder("gpt2-own-head"), &unused);
  CHECK(unused.empty());
}

TEST_CASE("the body of a BERT with another head loads, and says what is not used") {
  const auto check_head = [](const std::string& name, const Names& head) {
    CAPTURE(name);
    const TensorDict numbers = expected(name);
    Names unused;
    const auto bert = load_bert(folder(name), &unused);
    CHECK(relative_error((*bert)(numbers["input_ids"]), numbers["last_hidden_state"]) < kTolerance);
    CHECK(unused == head);
  };
  check_head("bert-token-classifier", {"classifier.bias", "classifier.weight"});
  check_head("bert-question-answering", {"qa_outputs.bias", "qa_outputs.weight"});
  Names unused;
  load_bert(folder("bert-untied"), &unused);
  CHECK(unused.size() == 7);  // transform, its norm, decoder, and the bias that it does not add
}

TEST_CASE("a user's own head is ignored, and named if something else is wrong") {
  ModelCopy copy = copy_of("gpt2-own-head");
  copy.weights.add("my_head.weight", zeros({3, 8}));
  const Scratch scratch;
  copy.write(scratch.path(""));
  Names unused;
  load_gpt2(scratch.path(""), &unused);
  CHECK(unused == Names{"my_head.weight"});
  copy.rename([](const std::string& name) {
    return name == "transformer.h.0.ln_2.bias" ? "h.0.ln_2.bias" : name;
  });
  copy.write(scratch.path(""));
  CHECK_NOTHROW(load_gpt2(scratch.path("")));  // transformers also accepts one without prefix
  copy.rename([](const std::string& name) { return name == "h.0.ln_2.bias" ? "other" : name; });
  copy.write(scratch.path(""));
  CHECK_THROWS_WITH_AS(
      load_gpt2(scratch.path("")),
      Contains("missing: h.0.ln_2.bias\n  of another head, and not used: my_head.weight, other"),
      Error);
}

// ---- names ----

TEST_CASE("a Vision Transformer under the names of transformers 5 gives its logits") {
  const TensorDict numbers = expected("vit-in-memory");
  const auto vit = load_vit(folder("vit-in-memory"));
  CHECK(relative_error((*vit)(numbers["pixel_values"]), numbers["logits"]) < kTolerance);
  ModelCopy copy = copy_of("vit-in-memory");
  copy.config.set("intermediate_size", 13);
  const Scratch scratch;
  copy.write(scratch.path(""));
  CHECK_THROWS_WITH_AS(load_vit(scratch.path("")),
                       Contains("'layers.1.mlp.fc1.weight' is (12, 8), where "), Error);
}

TEST_CASE("sizes under their other names are read; two that differ are refused") {
  check_gpt2(folder("gpt2-aliases"), "gpt2-aliases");
  ModelCopy copy = copy_of("gpt2-aliases");
  const Scratch scratch;
  copy.config.set("n_layer", 1);
  copy.config.set("n_embd", Json());
  copy.write(scratch.path(""));
  check_gpt2(scratch.path(""), "gpt2-aliases");
  copy.config.set("n_layer", 2);
  copy.write(scratch.path(""));
  CHECK_THROWS_WITH_AS(load_gpt2(scratch.path("")),
                       Contains("config.json: 'n_layer' is 2 and 'num_hidden_layers', another name "
                                "of it, is 1: leave one of them"),
                       Error);
}

TEST_CASE("weights in wrappers load: torch.compile, parallel training, both") {
  const auto check_renamed = [](const std::function<std::string(const std::string&)>& new_name) {
    ModelCopy copy = copy_of("gpt2-own-head");
    copy.rename(new_name);
    const Scratch scratch;
    copy.write(scratch.path(""));
    check_gpt2(scratch.path(""), "gpt2-own-head", /*tied=*/false);
  };
  check_renamed([](const std::string& name) { return "_orig_mod." + name; });
  check_renamed([](const std::string& name) { return "module." + name; });
  check_renamed([](const std::string& name) { return "module._orig_mod.module." + name; });
  check_renamed([](std::string name) {  // one compiled layer
    const size_t at = name.find(".h.0.");
    return at == name.npos ? name : name.insert(at + 5, "_orig_mod.");
  });
}

TEST_CASE("activations have transformers' names and values") {
  const TensorDict all =
      load_safetensors(source_file("tests/golden/hugging-face/activations.safetensors").string());
  Pretrained file;
  CHECK(all.size() == 21);
  for (const auto& [name, y] : all) {
    CAPTURE(name);
    file.config.set("act", name == "x" ? "linear" : name);
    const nn::Activation activation = activation_of(file, "act");
    CHECK(relative_error(activation(all["x"]), y) < 1e-6);
    // The written name reads back as the same.
    file.config.set("act", name_of(activation));
    CHECK(activation_of(file, "act").name() == activation.name());
  }
  file.config.set("act", "xielu");  // has parameters
  CHECK_THROWS_WITH_AS(activation_of(file, "act"),
                       Contains("act 'xielu' is not supported: expected gelu, gelu_python, "),
                       Error);
}

TEST_CASE("a GPT with any of transformers' activations comes back as it was saved") {
  for (const char* name : {"quick_gelu", "relu2", "mish", "swish"}) {
    CAPTURE(name);
    ModelCopy copy = copy_of("gpt2-own-head");
    copy.config.set("activation_function", name);
    const Scratch first, second;
    copy.write(first.path(""));
    const auto gpt = load_gpt2(first.path(""));
    save_gpt2(*gpt, second.path(""));
    const Tensor index = expected("gpt2-own-head")["input_ids"];
    CHECK((*load_gpt2(second.path("")))(index).to_vector() == (*gpt)(index).to_vector());
  }
}

// ---- dtypes and variants ----

TEST_CASE("half-precision files and variants load in f32") {
  check_gpt2(folder("gpt2-bf16"), "gpt2-bf16");
  check_gpt2(folder("gpt2-fp16"), "gpt2-fp16");
  check_gpt2(folder("gpt2-fp16") + "/model.fp16.safetensors", "gpt2-fp16");
  CHECK(load_gpt2(folder("gpt2-fp16"))->lm_head.weight.dtype() == f32);
  // If there are several, the user chooses.
  const Scratch scratch;
  const std::string weights = read_file(folder("gpt2-fp16") + "/model.fp16.safetensors");
  scratch.write("config.json", read_file(folder("gpt2-fp16") + "/config.json"));
  scratch.write("model.fp16.safetensors", weights);
  scratch.write("model.bf16.safetensors", weights);
  CHECK_THROWS_WITH_AS(load_gpt2(scratch.path("")),
                       Contains("has no model.safetensors, and several variants\n  there are: "
                                "model.bf16.safetensors, model.fp16.safetensors\n  give the path"),
                       Error);
  check_gpt2(scratch.path("model.bf16.safetensors"), "gpt2-fp16");
}

/// The bytes of a file with one more tensor, of a dtype that save_safetensors does not write.
std::string with_tensor(const std::string& file, const std::string& entry, size_t data) {
  uint64_t length;
  std::memcpy(&length, file.data(), 8);
  const size_t end = file.size() - 8 - length;
  const std::string header = file.substr(8, length);
  std::string out = header.substr(0, header.rfind('}')) + "," + entry +
                    concat("\"data_offsets\":[", end, ",", end + data, "]}}");
  length = out.size();
  std::string size(8, '\0');
  std::memcpy(size.data(), &length, 8);
  return size + out + file.substr(8 + header.size()) + std::string(data, '\1');
}

TEST_CASE("an unneeded tensor does not matter, whatever its dtype") {
  const std::string weights = read_file(folder("gpt2-own-head") + "/model.safetensors");
  const Scratch scratch;
  scratch.write("config.json", read_file(folder("gpt2-own-head") + "/config.json"));
  for (const char* dtype : {"U8", "I8", "BOOL", "F8_E4M3", "Q4_K"}) {
    scratch.write("model.safetensors",
                  with_tensor(weights,
                              concat("\"transformer.h.0.attn.bias\":{\"dtype\":\"", dtype,
                                     "\",\"shape\":[1,1,6,6],"),
                              36));
    check_gpt2(scratch.path(""), "gpt2-own-head", /*tied=*/false);
  }
  for (const char* shape : {"[1,1,1,1,1,1,1,1,1]", "[]"}) {
    scratch.write(
        "model.safetensors",
        with_tensor(weights, concat("\"other.state\":{\"dtype\":\"C64\",\"shape\":", shape, ","),
                    8));
    check_gpt2(scratch.path(""), "gpt2-own-head", /*tied=*/false);
  }
}

TEST_CASE("a needed tensor that cannot be used is named with the file's dtype") {
  ModelCopy copy = copy_of("gpt2-own-head");
  const std::string missing = "transformer.h.0.ln_2.bias";
  copy.rename([&](const std::string& name) { return name == missing ? "" : name; });
  const Scratch scratch;
  copy.write(scratch.path(""));
  const std::string weights = scratch.read("model.safetensors");
  const auto message = [&](const std::string& dtype, size_t size) {
    scratch.write(
        "model.safetensors",
        with_tensor(weights, concat("\"", missing, "\":{\"dtype\":\"", dtype, "\",\"shape\":[8],"),
                    8 * size));
    try {
      load_gpt2(scratch.path(""));
    } catch (const Error& error) {
      return std::string(error.what());
    }
    return std::string("no error");
  };
  CHECK(message("F64", 8) == "no error");
  CHECK(message("F8_E5M2", 1) == "no error");
  CHECK(message("I8", 1).find("wrong: h.0.ln_2.bias is I8 where f32 belongs (quantised weights?") !=
        std::string::npos);
  CHECK(message("Q8", 1).find("h.0.ln_2.bias is Q8 where") != std::string::npos);
  CHECK(message("F4", 1).find("takes 4 bytes") != std::string::npos);
}

}  // namespace
}  // namespace tarsier::zoo
