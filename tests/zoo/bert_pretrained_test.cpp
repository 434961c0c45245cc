// BERTs saved by the transformers library (tests/golden/make_hugging_face_encoders.py) give the
// same logits here; and the errors of the loaders.
#include <doctest/doctest.h>

#include "autograd/io/json.h"
#include "tests/nn/golden.h"
#include "tests/zoo/pretrained.h"
#include "zoo/pretrained/bert.h"

namespace tarsier::zoo {
namespace {

using doctest::Contains;

constexpr const char* kMasked = "bert-tiny/masked-lm";
constexpr const char* kClassifier = "bert-tiny/classifier";
constexpr const char* kBody = "bert-tiny/model";
constexpr double kTolerance = 1e-5;  // of f32; required: 1e-4

/// The output of the model for the inputs of `expected`.
template <class M>
Tensor run(M& model, const TensorDict& expected) {
  CHECK_FALSE(model.is_training());
  return model(expected["input_ids"], {.padding_mask = expected["attention_mask"] == 0,
                                       .token_types = expected["token_type_ids"]});
}

void check_same(const Tensor& actual, const Tensor& expected) {
  CHECK(relative_error(actual, expected) < kTolerance);
}

TEST_CASE("the BERTs of Hugging Face give their logits") {
  SUBCASE("masked language model") {
    const TensorDict expected = expected_of(kMasked);
    check_same(run(*load_bert_for_masked_lm(saved_model(kMasked)), expected), expected["logits"]);
  }
  SUBCASE("classifier") {
    const TensorDict expected = expected_of(kClassifier);
    const auto model = load_bert_for_sequence_classification(saved_model(kClassifier));
    check_same(run(*model, expected), expected["logits"]);
  }
  SUBCASE("without a head") {
    const TensorDict expected = expected_of(kBody);
    const auto model = load_bert(saved_model(kBody));
    const Tensor hidden = run(*model, expected);
    check_same(hidden, expected["last_hidden_state"]);
    check_same((*model->pooler)(hidden), expected["pooler_output"]);
  }
}

TEST_CASE("the body of a BERT with a head loads without it") {
  const auto masked = load_bert_for_masked_lm(saved_model(kMasked));
  const auto body = load_bert(saved_model(kMasked));
  CHECK_FALSE(body->pooler.has_value());
  const TensorDict expected = expected_of(kMasked);
  CHECK(run(*body, expected).to_vector() == run(masked->bert, expected).to_vector());
  CHECK(load_bert(saved_model(kClassifier))->pooler.has_value());
}

TEST_CASE("the sizes of a BERT are those of config.json") {
  const bert::Config config = load_bert(saved_model(kClassifier))->config;
  CHECK(config.vocab_size == 30);
  CHECK(config.max_position_embeddings == 9);
  CHECK(config.type_vocab_size == 2);
  CHECK(config.dropout == 0.1);
  CHECK(config.layer_norm_eps == 0.1);
  CHECK(config.hidden_act.name() == "gelu_tanh");
  CHECK(load_bert(saved_model(kMasked))->config.hidden_act.name() == "relu");
  CHECK(load_bert(saved_model(kBody))->config.hidden_act.name() == "gelu");
}

TEST_CASE("files of old versions load: gamma and beta, position_ids, a decoder, a second head") {
  ModelCopy copy(kMasked);
  copy.rename([](const std::string& name) {
    const size_t at = name.find("LayerNorm.");
    if (at == name.npos) return name;
    return name.substr(0, at + 10) + (name.ends_with("weight") ? "gamma" : "beta");
  });
  copy.weights.add("bert.embeddings.position_ids", reshape(arange(9), {1, 9}));
  copy.weights.add("bert.pooler.dense.bias", zeros({12}));
  copy.weights.add("cls.predictions.decoder.weight",
                   copy.weights["bert.embeddings.word_embeddings.weight"]);
  copy.weights.add("cls.seq_relationship.weight", zeros({2, 12}));
  const Scratch folder;
  copy.write(folder.path(""));
  const TensorDict expected = expected_of(kMasked);
  check_same(run(*load_bert_for_masked_lm(folder.path("")), expected), expected["logits"]);
}

TEST_CASE("other files are refused, with the file and what is wrong") {
  CHECK_THROWS_WITH_AS(load_bert(saved_model("vit-tiny/classifier")),
                       Contains("is of a model of type 'vit', and 'bert' was expected"), Error);
  CHECK_THROWS_WITH_AS(load_bert_for_sequence_classification(saved_model(kMasked)),
                       Contains("model.safetensors has no matrix 'classifier.weight'"), Error);
  CHECK_THROWS_WITH_AS(load_bert_for_masked_lm(saved_model(kClassifier)),
                       Contains("missing: cls.predictions.transform.dense.weight, "), Error);

  const auto with = [](const char* key, Json value) {
    ModelCopy copy(kMasked);
    copy.config.set(key, std::move(value));
    const Scratch folder;
    copy.write(folder.path(""));
    load_bert_for_masked_lm(folder.path(""));
  };
  CHECK_THROWS_WITH_AS(with("position_embedding_type", "relative_key"),
                       Contains("config.json: 'position_embedding_type' is \"relative_key\", which "
                                "is not supported"),
                       Error);
  CHECK_THROWS_WITH_AS(with("is_decoder", true), Contains("'is_decoder' is true"), Error);
  CHECK_THROWS_WITH_AS(with("add_cross_attention", true), Contains("'add_cross_attention'"), Error);
  CHECK_THROWS_WITH_AS(with("tie_word_embeddings", false),
                       Contains("missing: cls.predictions.decoder.weight"), Error);
  CHECK_THROWS_WITH_AS(with("hidden_act", "prelu"), Contains("hidden_act 'prelu' is not supported"),
                       Error);
  CHECK_THROWS_WITH_AS(with("hidden_size", 16), Contains("config.json asks for (30, 16)"), Error);
  CHECK_THROWS_WITH_AS(with("type_vocab_size", 3), Contains("config.json asks for (3, 12)"), Error);
  CHECK_THROWS_WITH_AS(with("intermediate_size", 24), Contains("asks for (24, 12)"), Error);
  CHECK_THROWS_WITH_AS(with("num_hidden_layers", 1'000'000'000),
                       Contains("encoder.layer.999999999."), Error);
  CHECK_THROWS_WITH_AS(with("num_hidden_layers", 1),
                       Contains("unexpected: encoder.layer.1.attention"), Error);
  CHECK_THROWS_WITH_AS(with("num_attention_heads", 5),
                       Contains("config.json: [bert] num_attention_heads=5 does not divide"),
                       Error);
  CHECK_THROWS_WITH_AS(with("vocab_size", Json()), Contains("'vocab_size' is missing"), Error);

  const auto without = [](const std::string& left_out) {
    ModelCopy copy(kMasked);
    copy.rename([&](const std::string& name) { return name == left_out ? "" : name; });
    const Scratch folder;
    copy.write(folder.path(""));
    load_bert_for_masked_lm(folder.path(""));
  };
  CHECK_THROWS_WITH_AS(without("bert.encoder.layer.1.attention.self.value.bias"),
                       Contains("missing: encoder.layer.1.attention.self.value.bias"), Error);
  CHECK_THROWS_WITH_AS(without("cls.predictions.bias"), Contains("missing: cls.predictions.bias"),
                       Error);
}

}  // namespace
}  // namespace tarsier::zoo
