#include "zoo/task/models.h"

#include "zoo/base/usage_error.h"
#include "zoo/gpt/task.h"
#include "zoo/text_classifier/task.h"
#include "zoo/transformer/task.h"
#include "zoo/vit/task.h"

namespace tarsier::zoo {

const std::vector<ModelEntry>& models() {
  static const std::vector<ModelEntry> entries = {
      {"gpt", "gpt", "cpu", "to write text, character by character",
       "tarsier's own source text, or --data FILE: any text in UTF-8",
       "loss 1.90 on tiny Shakespeare", "under a minute on two cores",
       [] { return make_gpt_task(GptPreset::cpu); }},
      {"gpt-fast", "gpt", "fast",
       "the same with later inventions: the lowest loss in three minutes",
       "tarsier's own source text, or --data FILE: any text in UTF-8",
       "loss 1.48 on tiny Shakespeare", "three minutes on two cores",
       [] { return make_gpt_task(GptPreset::fast); }},
      {"gpt-baby", "gpt", "baby", "the same, with 13 times the weights, seeing 4 times as far back",
       "tarsier's own source text, or --data FILE: any text in UTF-8",
       "loss 1.47 on tiny Shakespeare (nanoGPT's figure)", "hours on two cores",
       [] { return make_gpt_task(GptPreset::baby); }},
      {"transformer", "transformer", "dates", "to write dates of many forms as ISO 8601 does",
       "dates that it makes up, or --data DIR with --source and --target: parallel text",
       "99.9 % of dates on days never seen", "a quarter of a minute on two cores",
       [] { return make_transformer_task(TransformerPreset::dates); }},
      {"translation", "transformer", "translation", "to translate sentences",
       "--data DIR with --source and --target: parallel text, in files train.de, train.en, val.de, "
       "…; or a TSV or CSV file with two columns",
       "BLEU 39.0 on Multi30k, German to English", "ten minutes on two cores",
       [] { return make_transformer_task(TransformerPreset::translation); }},
      {"text-classifier", "text-classifier", "sources",
       "to tell which folder of tarsier's sources a piece of text is from",
       "pieces of tarsier's own source text, or --data PATH: labelled texts",
       "80 % of the pieces that it never saw", "a minute or two on two cores",
       [] { return make_text_classifier_task(TextClassifierPreset::sources); }},
      {"sentiment", "text-classifier", "sentiment", "to tell good reviews from bad",
       "--data DIR with train.tsv, val.tsv and test.tsv, lines of label, tab, text; or --data "
       "FILE, also CSV, with columns by name",
       "77.7 % of the sentences in movie reviews (MR)", "seconds on two cores",
       [] { return make_text_classifier_task(TextClassifierPreset::sentiment); }},
      {"vit", "vit", "digits", "to tell what an image shows",
       "digits that it draws, or --data DIR: the files of MNIST, Fashion-MNIST or CIFAR-10",
       "99.1 % of MNIST's digits", "two minutes on two cores", [] { return make_vit_task(); }},
  };
  return entries;
}

const ModelEntry& find_model(const std::string& name) {
  std::vector<std::string> names;
  std::string list;
  for (const ModelEntry& entry : models()) {
    if (entry.name == name) return entry;
    names.push_back(entry.name);
    list += (list.empty() ? "" : ", ") + entry.name;
  }
  const std::string suggestion = did_you_mean(name, names);
  usage_fail("train", "the zoo has no model '", name, "'", suggestion.empty() ? "." : suggestion,
             " It has: ", list);
}

const ModelEntry& find_preset(const std::string& family, const std::string& preset) {
  std::string list;
  for (const ModelEntry& entry : models()) {
    if (entry.family != family) continue;
    if (entry.preset == preset) return entry;
    list += (list.empty() ? "" : ", ") + entry.preset;
  }
  usage_fail("settings", family, " has no preset '", preset, "'. It has: ", list);
}

std::unique_ptr<Task> make_task(const RunConfig& config) {
  for (const ModelEntry& entry : models()) {
    if (entry.name != config.model) continue;
    std::unique_ptr<Task> task = entry.make();
    Settings settings = task->settings();
    config.apply_to(settings);
    task->restore_data(config.data);
    return task;
  }
  fail("config", "the run is of a model '", config.model, "', which this program does not have");
}

std::unique_ptr<Task> make_trained_task(const RunFolder& folder, const RunConfig& config) {
  std::unique_ptr<Task> task = make_task(config);
  task->build(config.seed);
  const TensorDict weights = folder.load_weights();
  try {
    task->model().load_state_dict(weights);
  } catch (const Error& error) {
    fail("run", folder.path(),
         ": model.safetensors and config.json do not belong together: ", error.what());
  }
  task->model().eval();
  return task;
}

void load_trained_data(Task& task, const RunConfig& config,
                       const std::optional<std::string>& given) {
  try {
    task.load_data(given.value_or(config.data_path));
  } catch (const Error& error) {
    if (given) throw;
    fail("data", "the data of the run cannot be had: ", error.what(),
         ". Say with --data where they are");
  }
}

}  // namespace tarsier::zoo
