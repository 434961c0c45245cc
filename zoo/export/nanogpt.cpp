#include "zoo/export/nanogpt.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "autograd/io/file.h"
#include "zoo/base/usage_error.h"
#include "zoo/data/text.h"
#include "zoo/export/gpt_training.h"

namespace tarsier::zoo {

namespace {

using Dict = PythonValue::Dict;

/// What nanoGPT lacks, each with its module path.
std::vector<std::string> unlike_nanogpt(const gpt::Config& config) {
  std::vector<std::string> parts;
  const auto require = [&](bool same, const std::string& part) {
    if (!same) parts.push_back(part);
  };
  require(config.position == nn::PositionKind::learned,
          concat("transformer.wpe (position=", nn::position_name(config.position), ")"));
  require(!config.rms_norm, "transformer.ln_f (norm=rms)");
  require(!config.qk_norm, "transformer.h.0.attn (qk_norm)");
  const std::string mlp = config.activation.name();
  require(!config.swiglu && mlp == "gelu",
          concat("transformer.h.0.mlp (mlp=", config.swiglu ? "swiglu" : mlp, ")"));
  require(config.tied, "lm_head (not tied)");
  return parts;
}

/// train.py runs this text; `config_file` is its path there.
std::string settings_of(const gpt::Config& model, const Recipe& recipe, int64_t steps) {
  const bool falls = recipe.schedule != "constant";
  const int64_t end = recipe.decay_steps > 0 ? recipe.decay_steps : steps;
  const std::pair<const char*, Json> settings[] = {
      {"block_size", model.block_size},
      {"dropout", model.dropout},
      {"batch_size", recipe.batch_size},
      {"gradient_accumulation_steps", recipe.accumulate},
      {"learning_rate", recipe.learning_rate},
      {"min_lr", recipe.min_learning_rate},
      {"warmup_iters", falls ? std::min(recipe.warmup_steps, end / 2) : 0},
      {"lr_decay_iters", end},
      {"max_iters", steps},
      {"weight_decay", recipe.weight_decay},
      {"beta1", recipe.beta1},
      {"beta2", recipe.beta2},
      {"grad_clip", recipe.clip_norm}};
  std::string text =
      "# Settings for nanoGPT: python train.py THIS_FILE\n"
      "import os\n\n"
      "out_dir = dataset = os.path.dirname(os.path.abspath(config_file))\n"
      "init_from = 'resume'\n"
      "device = 'cpu'  # or 'cuda'\n"
      "compile = False\n";
  for (const auto& [name, value] : settings) text += concat(name, " = ", value.dump(), "\n");
  return concat(text, "decay_lr = ", falls ? "True" : "False", "\n");
}

/// meta.pkl: the numbers of the characters.
PythonValue characters_of(const std::string& text) {
  Dict of_number, of_character;
  for (const char32_t character : decode_utf8(text, "the characters")) {
    const auto number = static_cast<int64_t>(of_number.size());
    of_number.emplace_back(number, encode_utf8(character));
    of_character.emplace_back(encode_utf8(character), number);
  }
  const auto size = static_cast<int64_t>(of_number.size());
  return Dict{{"vocab_size", size}, {"itos", of_number}, {"stoi", of_character}};
}

}  // namespace

std::vector<std::string> export_nanogpt(const RunFolder& run, const std::string& folder) {
  const GptRun gpt(run);
  const gpt::Config& sizes = gpt.model->config;
  const std::vector<std::string> parts = unlike_nanogpt(sizes);
  check(parts.empty(), "export", "nanoGPT lacks ", listed(parts));
  const Checkpoint checkpoint = run.load_checkpoint();
  const Recipe& recipe = gpt.task->recipe;
  save_torch(
      folder + "/ckpt.pt",
      Dict{{"model", with_head(checkpoint.model, sizes.tied)},
           {"optimizer", adamw_state(gpt.model->named_parameters(), checkpoint.optimizer, recipe,
                                     recipe.learning_rate_of(checkpoint.step + 1, gpt.steps))},
           {"model_args", Dict{{"n_layer", sizes.n_layer},
                               {"n_head", sizes.n_head},
                               {"n_embd", sizes.n_embd},
                               {"block_size", sizes.block_size},
                               {"bias", sizes.bias},
                               {"vocab_size", sizes.vocab_size},
                               {"dropout", sizes.dropout}}},
           {"iter_num", checkpoint.step},
           {"best_val_loss", std::isfinite(checkpoint.best_loss) ? checkpoint.best_loss : 1e9},
           {"config", Dict{{"dataset", "tarsier"}}}});
  write_file_atomically(folder + "/resume.py", settings_of(sizes, recipe, gpt.steps));
  const Json& vocabulary = gpt.config.data["vocabulary"];
  if (vocabulary.is_string())
    write_file_atomically(folder + "/meta.pkl",
                          pickled(characters_of(vocabulary.as_string())).bytes);
  std::vector<std::string> remarks;
  if (recipe.schedule != "cosine" && recipe.schedule != "constant")
    remarks.push_back(concat("the learning rate falls as a cosine from here on: nanoGPT has no ",
                             recipe.schedule, " schedule"));
  if (std::string remark = write_token_files(gpt.config, folder); !remark.empty())
    remarks.push_back(std::move(remark));
  return remarks;
}

}  // namespace tarsier::zoo
