#include "zoo/export/torch.h"

#include "autograd/io/file.h"
#include "zoo/export/gpt_training.h"
#include "zoo/export/torch_models.h"
#include "zoo/report/files.h"
#include "zoo/task/models.h"

namespace tarsier::zoo {

namespace {

using Dict = PythonValue::Dict;

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

/// Writes train.py and what it needs, and returns remarks.
std::vector<std::string> write_training(const RunFolder& run, const GptRun& gpt,
                                        const std::string& folder) {
  const Recipe& recipe = gpt.task->recipe;
  if (std::string reason = obstacle(run, recipe); !reason.empty()) return {std::move(reason)};
  const Checkpoint checkpoint = run.load_checkpoint();
  save_torch(folder + "/checkpoint.pt",
             Dict{{"model", with_head(checkpoint.model, gpt.model->config.tied)},
                  {"optimizer", adamw_state(gpt.model->named_parameters(), checkpoint.optimizer,
                                            recipe, recipe.learning_rate)},
                  {"step", checkpoint.step}});
  write_file_atomically(folder + "/train.py", page_file("zoo/export/gpt/train.py"));
  std::vector<std::string> remarks;
  if (std::string remark = write_token_files(gpt.config, folder); !remark.empty())
    remarks.push_back(std::move(remark));
  return remarks;
}

}  // namespace

std::vector<std::string> export_torch(const RunFolder& run, const std::string& folder) {
  const RunConfig config = run.read_config();
  std::unique_ptr<Task> task = make_trained_task(run, config);
  const TorchModel model = torch_model(task->model(), config.model);
  save_torch(folder + "/model.pt", task->model().state_dict());
  write_file_atomically(folder + "/model.py",
                        concat(page_file(concat("zoo/export/", model.folder, "/model.py")), "\n\n",
                               page_file("zoo/export/load.py")));
  Json json = Json::Object{{"model", model.config}};
  std::vector<std::string> remarks;
  if (dynamic_cast<const gpt::Gpt*>(&task->model()) != nullptr) {
    const GptRun gpt(config, std::move(task));
    json.set("recipe", json_of(gpt.task->recipe, gpt.steps, config.seed));
    remarks = write_training(run, gpt, folder);
  }
  write_file_atomically(folder + "/config.json", json.dump(2) + "\n");
  return remarks;
}

}  // namespace tarsier::zoo
