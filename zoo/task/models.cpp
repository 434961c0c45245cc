#include "zoo/task/models.h"

#include "zoo/base/usage_error.h"
#include "zoo/bert/task.h"
#include "zoo/captioning/task.h"
#include "zoo/clip/task.h"
#include "zoo/detection/task.h"
#include "zoo/diffusion/task.h"
#include "zoo/gpt/task.h"
#include "zoo/image_gpt/task.h"
#include "zoo/music/task.h"
#include "zoo/question_answering/task.h"
#include "zoo/recommend/task.h"
#include "zoo/segmentation/task.h"
#include "zoo/speech/task.h"
#include "zoo/summarize/task.h"
#include "zoo/task/trained.h"
#include "zoo/text_classifier/task.h"
#include "zoo/transformer/task.h"
#include "zoo/vit/task.h"

namespace tarsier::zoo {

const std::vector<ModelEntry>& models() {
  static const std::vector<ModelEntry> entries = [] {
    std::vector<ModelEntry> all;
    for (const auto& family :
         {gpt::models(), transformer::models(), text_classifier::models(), vit::models(),
          speech::models(), recommend::models(), music::models(), summarize::models(),
          bert::models(), question_answering::models(), image_gpt::models(), diffusion::models(),
          detection::models(), segmentation::models(), captioning::models(), clip::models()})
      all.insert(all.end(), family.begin(), family.end());
    return all;
  }();
  return entries;
}

const ModelEntry& find_model(const std::string& name) {
  std::vector<std::string> names;
  for (const ModelEntry& entry : models()) {
    if (entry.name == name) return entry;
    names.push_back(entry.name);
  }
  usage_fail("train", "the zoo has no model '", name, "'", among(name, names));
}

const ModelEntry& find_preset(const std::string& family, const std::string& preset) {
  std::vector<std::string> names;
  for (const ModelEntry& entry : models()) {
    if (entry.family != family) continue;
    if (entry.preset == preset) return entry;
    names.push_back(entry.preset);
  }
  usage_fail("settings", family, " has no preset '", preset, "'", among(preset, names));
}

namespace {

/// The entry of the model that a run is of.
const ModelEntry& entry_of(const RunConfig& config) {
  for (const ModelEntry& entry : models())
    if (entry.name == config.model) return entry;
  fail("config", "the run is of a model '", config.model,
       "', which this program does not have: use the version that trained it");
}

}  // namespace

std::unique_ptr<Task> make_task(const RunConfig& config) {
  return configured_task(entry_of(config), config);
}

std::unique_ptr<Task> make_trained_task(const RunFolder& folder, const RunConfig& config) {
  return trained_task(entry_of(config), folder, config);
}

void load_trained_data(Task& task, const RunConfig& config,
                       const std::optional<std::string>& given) {
  try {
    task.load_data(given.value_or(config.data_path));
  } catch (const Error& error) {
    if (given) throw;
    fail("data", "cannot load the data of the run: ", error.what(),
         ". Give their path with --data");
  }
}

}  // namespace tarsier::zoo
