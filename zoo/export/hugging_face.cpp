#include "zoo/export/hugging_face.h"

#include <memory>
#include <utility>

#include "autograd/io/file.h"
#include "autograd/ops.h"
#include "zoo/base/usage_error.h"
#include "zoo/export/tokenizer_file.h"
#include "zoo/gpt/model.h"
#include "zoo/pretrained/bert.h"
#include "zoo/pretrained/gpt2.h"
#include "zoo/pretrained/mistral.h"
#include "zoo/pretrained/vit.h"
#include "zoo/task/models.h"
#include "zoo/text_classifier/model.h"

namespace tarsier::zoo {

namespace {

using Remarks = std::vector<std::string>;

/// A run, and where its export goes.
struct Source {
  const RunConfig& config;
  const std::string& folder;

  void write(const char* name, const Json& json) const {
    write_file_atomically(folder + "/" + name, json.dump(2) + "\n");
  }
};

/// Refuses a model of which transformers lacks some part.
void require_none(const char* model, const std::vector<std::string>& unlike) {
  check(unlike.empty(), "export", "transformers' ", model, " lacks ", listed(unlike));
}

Remarks write_tokenizer(const Source& source, const Json& tokens, int64_t longest,
                        const TokenizerExtras& extras = {}) {
  const std::optional<Json> tokenizer = tokenizer_file(tokens, extras);
  if (!tokenizer) {
    source.write("tokens.json", token_list(tokens, extras));
    return {
        "no tokenizer.json: transformers cannot cut words as tarsier does. tokens.json lists "
        "the tokens (train with --set tokens=bpe for a tokenizer.json)"};
  }
  source.write("tokenizer.json", *tokenizer);
  source.write("tokenizer_config.json", tokenizer_config(*tokenizer, longest));
  return {};
}

// ------------------------------------------------------------------------------------------ models

/// What GPT-2 lacks, each with its module path.
std::vector<std::string> unlike_gpt2(const gpt::Config& config) {
  std::vector<std::string> parts;
  const auto require = [&](bool same, std::string part) {
    if (!same) parts.push_back(std::move(part));
  };
  require(config.position == nn::PositionKind::learned,
          concat("transformer.wpe (position=", nn::position_name(config.position), ")"));
  require(!config.rms_norm, "transformer.ln_f (norm=rms)");
  require(!config.qk_norm, "transformer.h.0.attn (qk_norm)");
  require(!config.swiglu, "transformer.h.0.mlp (mlp=swiglu)");
  return parts;
}

Remarks save(const gpt::Gpt& model, const Source& source) {
  const std::vector<std::string> mistral = unlike_mistral(model.config),
                                 gpt2 = unlike_gpt2(model.config);
  if (gpt2.empty()) {
    save_gpt2(model, source.folder);
  } else {
    check(mistral.empty(), "export", "transformers' GPT2 lacks ", listed(gpt2),
          ", and its Mistral differs in ", listed(mistral));
    save_mistral(model, source.folder);
  }
  return write_tokenizer(source, source.config.data["vocabulary"], model.config.block_size);
}

Remarks save(const bert::BertForMaskedLM& model, const Source& source) {
  save_bert_for_masked_lm(model, source.folder);
  return write_tokenizer(source, source.config.data["tokenizer"],
                         model.bert.config.max_position_embeddings,
                         {.begins = true, .mask = "[MASK]"});
}

/// Pixels as the run scales them.
Json preprocessor(const vit::Config& config, const Json& scale) {
  return Json::Object{
      {"image_processor_type", "ViTImageProcessor"},
      {"do_resize", true},
      {"size", Json::Object{{"height", config.image_size.h}, {"width", config.image_size.w}}},
      {"do_rescale", true},
      {"rescale_factor", 1 / 255.0},
      {"do_normalize", true},
      {"image_mean", scale["mean"]},
      {"image_std", scale["std"]}};
}

std::vector<std::string> texts_of(const Json& list) {
  std::vector<std::string> out;
  for (const Json& text : list.as_array()) out.push_back(text.as_string());
  return out;
}

Remarks save(const vit::VisionTransformer& model, const Source& source) {
  save_vit(model, texts_of(source.config.data["names"]), source.folder);
  source.write("preprocessor_config.json", preprocessor(model.config, source.config.data["scale"]));
  return {};
}

/// What BERT lacks, each with its module path.
std::vector<std::string> unlike_bert(const text_classifier::Config& config) {
  std::vector<std::string> parts;
  const auto require = [&](bool same, std::string part) {
    if (!same) parts.push_back(std::move(part));
  };
  require(config.position == nn::PositionKind::learned,
          concat("positions (position=", nn::position_name(config.position), ")"));
  require(config.post_norm, "encoder (norm=pre)");
  require(config.pooling == text_classifier::Pooling::class_token, "head (pooling=mean)");
  require(config.pairs == 0, "pair_embedding (pairs)");
  return parts;
}

Remarks save(const text_classifier::TextClassifier& model, const Source& source) {
  const text_classifier::Config& ours = model.config;
  require_none("BertForTokenClassification", unlike_bert(ours));
  bert::Config config;
  config.vocab_size = ours.vocab_size;
  config.hidden_size = ours.width;
  config.num_hidden_layers = ours.layers;
  config.num_attention_heads = ours.heads;
  config.intermediate_size = ours.mlp_width;
  config.dropout = ours.dropout;
  config.max_position_embeddings = ours.max_length;
  config.type_vocab_size = 0;
  TensorDict weights;
  for (const auto& [name, tensor] : model.state_dict()) {
    if (name == "embedding.weight")
      weights.add("bert.word_embeddings.weight", tensor * ours.embedding_scale);
    else if (name == "positions.weight")
      weights.add("bert.position_embeddings.weight", tensor);
    else if (name.starts_with("head."))
      weights.add("classifier." + name.substr(5), tensor);
    else
      weights.add("bert." + name, tensor);
  }
  save_bert_classifier("BertForTokenClassification", config, weights,
                       texts_of(source.config.data["labels"]), source.folder);
  Remarks remarks =
      write_tokenizer(source, source.config.data["tokenizer"], ours.max_length, {.begins = true});
  remarks.push_back(
      "the class of a text is that of its first token: AutoModelForTokenClassification"
      ".from_pretrained(…)(…).logits[:, 0]");
  return remarks;
}

/// Saves the model if it is an M.
template <class M>
bool saved_as(nn::Module& model, const Source& source, Remarks& remarks) {
  const auto* known = dynamic_cast<const M*>(&model);
  if (known == nullptr) return false;
  remarks = save(*known, source);
  return true;
}

}  // namespace

std::vector<std::string> export_hugging_face(const RunFolder& run, const std::string& folder) {
  const RunConfig config = run.read_config();
  const std::unique_ptr<Task> task = make_trained_task(run, config);
  const NoGrad guard;
  const Source source{config, folder};
  nn::Module& model = task->model();
  Remarks remarks;
  const bool saved = saved_as<gpt::Gpt>(model, source, remarks) ||
                     saved_as<bert::BertForMaskedLM>(model, source, remarks) ||
                     saved_as<vit::VisionTransformer>(model, source, remarks) ||
                     saved_as<text_classifier::TextClassifier>(model, source, remarks);
  check(saved, "export", config.model,
        " has no counterpart in transformers (gpt, bert, vit and "
        "text-classifier have one)");
  return remarks;
}

}  // namespace tarsier::zoo
