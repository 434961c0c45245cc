#include "zoo/gpt/start.h"

#include "autograd/io/file.h"
#include "zoo/base/usage_error.h"
#include "zoo/data/lines.h"
#include "zoo/pretrained/gpt2.h"

namespace tarsier::zoo::gpt {

namespace {

constexpr const char* kPositions = "transformer.wpe.weight";

std::string tokenizer_of(const std::string& folder) { return folder + "/tokenizer.json"; }

}  // namespace

Start::Start(const std::string& folder) : folder_(folder) {
  if (!file_exists(folder + "/config.json") || !file_exists(tokenizer_of(folder)))
    usage_fail("train", "--from ", folder, ": a gpt starts from a folder with a GPT-2 of Hugging ",
               "Face's transformers, with config.json, weights and tokenizer.json, but this has ",
               describe_folder(folder));
  gpt_ = load_gpt2(folder);
  tokenizer_ = Json::parse(read_file(tokenizer_of(folder)), tokenizer_of(folder));
  const std::string& activation = gpt_->config.activation.name();
  check(activation == "gelu" || activation == "gelu_tanh", "pretrained", folder,
        "/config.json: a gpt cannot be trained with the activation ", activation,
        ": expected gelu or gelu_new");
}

TextTokens Start::tokens() const {
  return TextTokens(tokenizer_, gpt_->config.vocab_size, tokenizer_of(folder_));
}

void Start::apply_to(Settings& settings) {
  const Config& config = gpt_->config;
  settings.set("block_size", std::to_string(config.block_size));
  decided_.apply(Json::Object{{"n_layer", config.n_layer},
                              {"n_head", config.n_head},
                              {"n_embd", config.n_embd},
                              {"bias", true},
                              {"position", "learned"},
                              {"norm", "layer"},
                              {"norm_eps", config.layer_norm_eps},
                              {"mlp", config.activation.name()},
                              {"qk_norm", false},
                              {"tied", config.tied},
                              {"tokens", "bpe"}},
                 settings);
}

void Start::check_unchanged(const Settings& settings, int64_t block_size) const {
  decided_.check_unchanged(settings, folder_, "leave it out");
  if (block_size > gpt_->config.block_size)
    usage_fail("train", "--set block_size=", block_size, " contradicts --from ", folder_,
               ", whose positions end at ", gpt_->config.block_size, ": take a smaller one");
}

void Start::load_into(Gpt& model) const {
  TensorDict weights;
  for (const auto& [name, tensor] : gpt_->state_dict())
    weights.add(name, name == kPositions ? contiguous(slice(tensor, 0, 0, model.config.block_size))
                                         : tensor);
  model.load_state_dict(weights, /*strict=*/false);  // adapters are not in the file
}

}  // namespace tarsier::zoo::gpt
