// Runs as folders of transformers: what comes back has the same bits, the real library gives the same
// logits and tokens, and what it lacks is refused.
#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "tests/error_of.h"
#include "tests/zoo/exported.h"
#include "zoo/bert/model.h"
#include "zoo/bert/vocabulary.h"
#include "zoo/data/bpe.h"
#include "zoo/export/tokenizer_file.h"
#include "zoo/gpt/tokens.h"
#include "zoo/pretrained/bert.h"
#include "zoo/pretrained/gpt2.h"
#include "zoo/pretrained/llama.h"
#include "zoo/pretrained/vit.h"
#include "zoo/text_classifier/model.h"
#include "zoo/tokenizer_json/tokenizer_json.h"
#include "zoo/vit/model.h"

namespace tarsier::zoo {
namespace {

const Changes kTinyGpt = {{"n_layer", "2"}, {"n_head", "2"}, {"n_embd", "16"}, {"block_size", "8"}};
const Changes kMistral = {{"position", "rotary"}, {"norm", "rms"}, {"mlp", "swiglu"}};
const Changes kTinyEncoder = {
    {"layers", "2"}, {"heads", "2"}, {"width", "8"}, {"mlp_width", "24"}, {"max_length", "9"}};
const Changes kTinyBytes = {{"tokens", "bpe"}, {"vocab_size", "280"}};
const Changes kTinyVit = {{"layers", "1"},     {"heads", "2"},      {"width", "8"},
                          {"mlp_width", "12"}, {"stem", "patches"}, {"pooling", "class_token"},
                          {"patch_size", "14"}};

const std::string& text_file() {
  static const Scratch scratch;
  static const std::string path = scratch.write("data.txt", small_text());
  return path;
}

/// The facts for the other side: tokens of a text.
Json facts_of(const std::string& text, const std::vector<int32_t>& tokens,
              const std::string& decoded) {
  Json::Array ids;
  for (const int32_t id : tokens) ids.emplace_back(int64_t{id});
  return Json::Object{{"text", text}, {"tokens", ids}, {"decoded", decoded}};
}

/// The tokens that tokenizer.json of `folder` gives `text`, as our own reader has them.
std::vector<int32_t> read_tokens(const std::string& folder, const std::string& text) {
  return tokenizer_json::TokenizerJson::load(folder + "/tokenizer.json").encode(text);
}

/// Indices of a batch of 2 texts of `length` tokens.
Tensor indices(int64_t vocabulary, int64_t length) {
  return remainder(reshape(arange(2 * length) * 5 + 1, {2, length}), vocabulary);
}

TEST_CASE("a gpt goes to transformers as GPT-2 and comes back with the same bits") {
  const NoGrad guard;
  for (const Changes& changes : {Changes{}, Changes{{"bias", "true"}, {"tied", "false"}},
                                 with(kTinyBytes, {{"mlp", "relu2"}})}) {
    const UntrainedRun run("gpt", with(kTinyGpt, changes), text_file());
    auto& gpt = run.model<gpt::Gpt>();
    const std::string folder = run.exported("huggingface");
    const auto back = load_gpt2(folder);
    for (const auto& [name, tensor] : gpt.state_dict())
      CHECK_MESSAGE(back->state_dict()[name].to_vector() == tensor.to_vector(), name);
    const Tensor input = indices(gpt.config.vocab_size, 8);
    const auto tokens = gpt::TextTokens::from_json(run.folder().read_config().data["vocabulary"]);
    const std::string text = "the cat sat on a log.\n";
    CHECK(read_tokens(folder, text) == tokens.encode(text, "text"));
    CHECK(library_agrees(run, "huggingface", folder, {{"input", input}, {"output", gpt(input)}},
                         facts_of(text, tokens.encode(text, "text"), text)));
  }
}

TEST_CASE("a gpt with rotary positions, RMSNorm and SwiGLU goes out as Mistral") {
  const NoGrad guard;
  for (const char* tied : {"true", "false"}) {
    const UntrainedRun run("gpt", with(with(kTinyGpt, kMistral), {{"tied", tied}}), text_file());
    auto& gpt = run.model<gpt::Gpt>();
    const std::string folder = run.exported("huggingface");
    // Longer than the window of block_size.
    const Tensor input = indices(gpt.config.vocab_size, 21);
    const Tensor back = (*load_llama(folder))(input);
    CHECK(max(abs(back - gpt(input))).item() < 1e-5);
    CHECK(library_agrees(run, "huggingface", folder, {{"input", input}, {"output", gpt(input)}}));
  }
}

TEST_CASE("bert goes out as BertForMaskedLM") {
  const NoGrad guard;
  const UntrainedRun run("bert", with(kTinyEncoder, kTinyBytes), text_file());
  auto& bert = run.model<bert::BertForMaskedLM>();
  const std::string folder = run.exported("huggingface");
  const Tensor input = indices(bert.bert.config.vocab_size, 9);
  const auto back = load_bert_for_masked_lm(folder);
  for (const auto& [name, tensor] : bert.state_dict())
    CHECK_MESSAGE(back->state_dict()[name].to_vector() == tensor.to_vector(), name);
  const bert::Vocabulary vocabulary(
      Tokenizer::from_json(run.folder().read_config().data["tokenizer"]));
  const std::string text = "the cat sat on a[MASK].";
  CHECK(read_tokens(folder, text) == vocabulary.encode(text));
  CHECK(library_agrees(run, "huggingface", folder, {{"input", input}, {"output", bert(input)}},
                       facts_of(text, vocabulary.encode(text), "<bos>the cat sat on a[MASK].")));
}

TEST_CASE("vit goes out as ViTForImageClassification, with its classes and the scale of pixels") {
  const NoGrad guard;
  const UntrainedRun run("vit", kTinyVit, "");
  auto& vit = run.model<vit::VisionTransformer>();
  const std::string folder = run.exported("huggingface");
  Generator generator(3);
  const Tensor input = randn({2, 1, 28, 28}, f32, generator);
  const auto back = load_vit(folder);
  for (const auto& [name, tensor] : vit.state_dict())
    CHECK_MESSAGE(back->state_dict()[name].to_vector() == tensor.to_vector(), name);
  CHECK(library_agrees(run, "huggingface", folder, {{"input", input}, {"output", vit(input)}}));
  const Json data = run.folder().read_config().data;
  const auto read = [&](const char* name) { return Json::parse(read_file(folder + "/" + name)); };
  CHECK(read("config.json")["id2label"]["3"] == data["names"].as_array()[3]);
  CHECK(read("preprocessor_config.json")["image_mean"] == data["scale"]["mean"]);
}

TEST_CASE("a text classifier of BERT's kind goes out: its first token gives the class") {
  const NoGrad guard;
  const Changes kind = {{"position", "learned"}, {"norm", "post"}, {"pooling", "class_token"}};
  const UntrainedRun run("text-classifier", with(with(kTinyEncoder, kind), kTinyBytes), "");
  auto& model = run.model<text_classifier::TextClassifier>();
  const std::string folder = run.exported("huggingface");
  const Tensor input = indices(model.config.vocab_size, 9);
  const Tensor output = model(input, zeros({2, 9}, boolean));
  CHECK(library_agrees(run, "huggingface", folder, {{"input", input}, {"output", output}}));
}

TEST_CASE("what transformers lacks is refused, with its module") {
  const auto refusal = [](const std::string& model, const Changes& changes,
                          const std::string& data) {
    const UntrainedRun run(model, changes, data);
    return error_of([&] { run.exported("huggingface"); });
  };
  CHECK(
      refusal("gpt", with(kTinyGpt, {{"position", "rotary"}, {"qk_norm", "true"}}), text_file()) ==
      "[export] transformers' GPT2 lacks transformer.wpe (position=rotary), transformer.h.0.attn "
      "(qk_norm), and its Mistral differs in transformer.ln_f (not norm=rms), "
      "transformer.h.0.attn (qk_norm), transformer.h.0.mlp (not mlp=swiglu)");
  CHECK(refusal("vit", with(kTinyVit, {{"pooling", "mean"}}), "").find("pooling: ") !=
        std::string::npos);
  CHECK(refusal("text-classifier", kTinyEncoder, "") ==
        "[export] transformers' BertForTokenClassification lacks positions (position=sinusoidal), "
        "encoder (norm=pre), head (pooling=mean)");
  CHECK(refusal("recommend", {}, "").find("recommend has no counterpart in transformers") !=
        std::string::npos);
}

TEST_CASE("tokenizer.json of characters, byte pairs and words") {
  const Json characters = *tokenizer_file("ab\n");
  CHECK(characters["model"]["vocab"].dump() == R"({"a": 0, "b": 1, "\n": 2})");
  CHECK(characters["added_tokens"].as_array().empty());
  CHECK(characters["pre_tokenizer"].is_null());

  TokenizerOptions options{.kind = "bpe", .size = 270};
  const auto bytes = Tokenizer::train({small_text()}, options);
  const Json json = *tokenizer_file(bytes->to_json(), {.mask = "[MASK]"});
  const Scratch scratch;
  const Bpe back = Bpe::load_tokenizer(scratch.write("tokenizer.json", json.dump()));
  CHECK(back.encode("the cat é") == bytes->encode("the cat é"));
  CHECK(back.size() == bytes->size() + 1);
  CHECK(back.special("[MASK]") == bytes->size());
  CHECK(tokenizer_config(json, 8)["mask_token"] == Json("[MASK]"));
  CHECK(tokenizer_config(json, 8)["pad_token"] == Json("<pad>"));

  options.kind = "words";
  const auto words = Tokenizer::train({small_text()}, options);
  CHECK_FALSE(tokenizer_file(words->to_json()));
  CHECK(token_list(words->to_json())["4"] == Json(words->show(4)));
}

}  // namespace
}  // namespace tarsier::zoo
