#include "zoo/export/torch.h"

#include "autograd/io/file.h"
#include "zoo/export/gpt_training.h"
#include "zoo/report/files.h"

namespace tarsier::zoo {

namespace {

using Dict = PythonValue::Dict;

/// The model as model.py reads it.
Json json_of(const gpt::Config& config) {
  const std::string mlp = config.swiglu ? "swiglu" : config.activation.name();
  check(mlp == "gelu" || mlp == "relu2" || mlp == "swiglu", "export",
        "model.py lacks transformer.h.0.mlp (", mlp, ")");
  return Json::Object{{"vocab_size", config.vocab_size},
                      {"block_size", config.block_size},
                      {"n_layer", config.n_layer},
                      {"n_head", config.n_head},
                      {"n_embd", config.n_embd},
                      {"mlp_width", config.mlp_width()},
                      {"dropout", config.dropout},
                      {"bias", config.bias},
                      {"layer_norm_eps", config.layer_norm_eps},
                      {"tied", config.tied},
                      {"position", nn::position_name(config.position)},
                      {"norm", config.rms_norm ? "rms" : "layer"},
                      {"qk_norm", config.qk_norm},
                      {"mlp", mlp}};
}

/// The recipe as train.py reads it.
Json json_of(const Recipe& recipe, int64_t steps, uint64_t seed) {
  return Json::Object{{"seed", static_cast<int64_t>(seed)},
                      {"steps", steps},
                      {"batch_size", recipe.batch_size},
                      {"accumulate", recipe.accumulate},
                      {"schedule", recipe.schedule},
                      {"learning_rate", recipe.learning_rate},
                      {"min_learning_rate", recipe.min_learning_rate},
                      {"warmup_steps", recipe.warmup_steps},
                      {"decay_steps", recipe.decay_steps},
                      {"beta1", recipe.beta1},
                      {"beta2", recipe.beta2},
                      {"weight_decay", recipe.weight_decay},
                      {"clip_norm", recipe.clip_norm}};
}

/// Why train.py cannot go on with the run; "" if it can.
std::string obstacle(const RunFolder& run, const Recipe& recipe) {
  if (recipe.optimizer != "adamw")
    return concat("no train.py: the run is trained by ", recipe.optimizer,
                  ", and train.py has AdamW alone");
  return run.has_checkpoint() ? "" : "no train.py: the run has no checkpoint to go on from";
}

}  // namespace

std::vector<std::string> export_torch(const RunFolder& run, const std::string& folder) {
  const GptRun gpt(run);
  const gpt::Config& sizes = gpt.model->config;
  const Recipe& recipe = gpt.task->recipe;
  write_file_atomically(folder + "/config.json",
                        Json(Json::Object{{"model", json_of(sizes)},
                                          {"recipe", json_of(recipe, gpt.steps, gpt.config.seed)}})
                                .dump(2) +
                            "\n");
  save_torch(folder + "/model.pt", with_head(gpt.model->state_dict(), sizes.tied));
  write_file_atomically(folder + "/model.py", page_file("zoo/export/gpt/model.py"));
  if (std::string reason = obstacle(run, recipe); !reason.empty()) return {std::move(reason)};

  const Checkpoint checkpoint = run.load_checkpoint();
  save_torch(folder + "/checkpoint.pt",
             Dict{{"model", with_head(checkpoint.model, sizes.tied)},
                  {"optimizer", adamw_state(gpt.model->named_parameters(), checkpoint.optimizer,
                                            recipe, recipe.learning_rate)},
                  {"step", checkpoint.step}});
  write_file_atomically(folder + "/train.py", page_file("zoo/export/gpt/train.py"));
  std::vector<std::string> remarks;
  if (std::string remark = write_token_files(gpt.config, folder); !remark.empty())
    remarks.push_back(std::move(remark));
  return remarks;
}

}  // namespace tarsier::zoo
