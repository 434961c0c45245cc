#include "zoo/task/reproduce.h"

#include <algorithm>
#include <cmath>
#include <filesystem>

#include "autograd/io/json.h"
#include "zoo/base/format.h"
#include "zoo/base/json_number.h"
#include "zoo/base/usage_error.h"
#include "zoo/task/models.h"

namespace tarsier::zoo {

namespace fs = std::filesystem;

namespace {

std::vector<ReproduceRow> rows_of_texts_and_images() {
  return {
      {"transformer",
       "transformer",
       "",
       {},
       {"exact", 99.5, 2, "%", true},
       "none: the dates are generated"},
      {"translation",
       "translation",
       "multi30k",
       {{"source", "de"}, {"target", "en"}},
       {"BLEU", 36.1, 2, "", true},
       "36.09 (bentrevett/pytorch-seq2seq, Attention is All You Need)"},
      {"sentiment",
       "sentiment",
       "movie-reviews",
       {},
       {"accuracy", 77.5, 2, "%", true},
       "76.1 (CNN-rand, Kim 2014), 79.4 (NBSVM, Wang & Manning 2012)"},
      {"vit",
       "vit",
       "mnist",
       {},
       {"accuracy", 98.3, 2, "%", true},
       "96.9 (a plain ViT in PyTorch, on the same images)"},
      {"gpt",
       "gpt",
       "tinyshakespeare/input.txt",
       {},
       {"val_loss", 1.90, 4, "", false},
       "1.88 (nanoGPT's README, from 20 batches of the validation part)"},
      {"gpt-fast",
       "gpt-fast",
       "tinyshakespeare/input.txt",
       {},
       {"val_loss", 1.60, 4, "", false},
       "1.88 (nanoGPT's README: its recipe for a CPU)"},
  };
}

std::vector<ReproduceRow> rows_of_sound_music_and_users() {
  return {
      {"speech",
       "speech",
       "speech-recognition",
       {},
       {"accuracy", 99.0, 2, "%", true},
       "97.7 (MFCC + logistic regression, the same 1,080 recordings)"},
      {"speech-strings",
       "speech",
       "speech-recognition",
       {},
       {"WER", 1.5, 2, "%", false},
       "none: the strings are made for this project"},
      {"music",
       "music",
       "music-generation",
       {},
       {"nats", 0.42, 3, "", false},
       "0.335, and 0.417 without relative positions, in validation (Huang et al. 2018)"},
      {"music-chords",
       "music",
       "music-generation",
       {{"grid", "chords"}},
       {"nats", 8.10, 3, "", false},
       "8.10 (TCN, Bai et al. 2018: nats a step, each key on its own)"},
      {"recommend",
       "recommend",
       "recommendation/beauty.txt",
       {},
       {"HR@10", 0.0810, 4, "", true},
       "0.0605 (SASRec in TIGER's paper), 0.0810 (SASRec with full cross-entropy, a later "
       "rerun)"},
  };
}

}  // namespace

const std::vector<ReproduceRow>& reproduce_rows() {
  static const std::vector<ReproduceRow> rows = [] {
    std::vector<ReproduceRow> all;
    for (const auto& part : {rows_of_texts_and_images(), rows_of_sound_music_and_users()})
      all.insert(all.end(), part.begin(), part.end());
    std::erase_if(all, [](const ReproduceRow& row) {
      return std::none_of(models().begin(), models().end(),
                          [&](const ModelEntry& entry) { return entry.name == row.model; });
    });
    return all;
  }();
  return rows;
}

// ------------------------------------------------------------------------------------- results

double RowResult::mean() const {
  double sum = 0;
  for (const SeedResult& seed : seeds) sum += seed.value;
  return sum / static_cast<double>(seeds.size());
}

double RowResult::deviation() const {
  if (seeds.size() < 2) return 0;
  double sum = 0;
  for (const SeedResult& seed : seeds) sum += (seed.value - mean()) * (seed.value - mean());
  return std::sqrt(sum / static_cast<double>(seeds.size() - 1));
}

double RowResult::minutes() const {
  double seconds = 0;
  for (const SeedResult& seed : seeds) seconds += seed.seconds;
  return seconds / 60 / static_cast<double>(seeds.size());
}

std::string RowResult::text(const Metric& mark) const {
  std::string text = fixed(mean(), mark.digits);
  if (seeds.size() > 1) text += " ± " + fixed(deviation(), mark.digits);
  return text + (mark.unit.empty() ? "" : " " + mark.unit);
}

bool RowResult::passes(const Metric& mark) const {
  return mark.higher_is_better ? mean() >= mark.value : mean() <= mark.value;
}

// --------------------------------------------------------------------------------- reproduction

namespace {

std::unique_ptr<Task> configured(const ReproduceRow& row) {
  std::unique_ptr<Task> task = find_model(row.model).make();
  Settings settings = task->settings();
  for (const auto& [key, value] : row.settings) settings.set(key, value);
  return task;
}

/// The settings as config.json stores them.
Json settings_of(const ReproduceRow& row) {
  RunConfig config;
  config.keep(configured(row)->settings());
  return config.settings;
}

}  // namespace

std::string Reproduction::folder(const ReproduceRow& row, uint64_t seed) const {
  return concat(out_, "/", row.name, "/seed-", seed);
}

std::string Reproduction::data_path(const ReproduceRow& row) const {
  return row.data.empty() ? "" : fs::absolute(fs::path(data_) / row.data).string();
}

void Reproduction::check_data(const std::vector<ReproduceRow>& rows) const {
  std::string missing;
  for (const ReproduceRow& row : rows) {
    std::error_code ignored;
    if (row.data.empty() || (!data_.empty() && fs::exists(data_path(row), ignored))) continue;
    missing += concat(missing.empty() ? "" : ", ", row.data, " (", row.name, ")");
  }
  if (missing.empty()) return;
  usage_fail("reproduce",
             data_.empty() ? "give the folder with --data DIR that holds "
                           : concat("the folder '", data_, "' of --data does not hold "),
             missing);
}

std::optional<SeedResult> Reproduction::finished(const ReproduceRow& row, uint64_t seed) const {
  const std::string path = folder(row, seed) + "/result.json";
  if (!fs::exists(path)) return {};
  // With other settings it is another result.
  const RunConfig kept = RunFolder::open(folder(row, seed)).read_config();
  if (kept.model != row.model || kept.settings != settings_of(row)) return {};
  try {
    const Json json = Json::parse(read_file(path), path);
    check(json["metric"].as_string() == row.mark.name, "reproduce", "it is of another metric");
    return SeedResult{seed, number_of(json["value"]), json["seconds"].as_double()};
  } catch (const Error& error) {
    fail("reproduce", path, " is damaged: ", error.what(), ". Remove it to evaluate again");
  }
}

std::unique_ptr<Task> Reproduction::prepare(const ReproduceRow& row, uint64_t seed) const {
  std::unique_ptr<Task> task = configured(row);
  task->load_data(data_path(row));
  task->build(seed);
  check_batch_memory(*task, seed);
  return task;
}

std::optional<SeedResult> Reproduction::run(const ReproduceRow& row, Task& task, uint64_t seed,
                                            const std::function<bool()>& interrupted,
                                            TrainObserver& observer) const {
  RunConfig config;
  config.model = task.name();
  config.seed = seed;
  config.data_path = data_path(row);
  config.data = task.describe_data();
  config.keep(task.settings());

  const std::string path = folder(row, seed);
  const bool resume = fs::exists(path + "/config.json") && RunFolder::open(path).has_checkpoint();
  RunFolder::check_space(path, disk_space_needed(task));
  const RunFolder run = resume ? RunFolder::open(path) : RunFolder::create(path);
  const RunLock lock(run);
  if (resume) {
    const RunConfig kept = run.read_config();
    check(kept.model == config.model && kept.seed == seed && kept.settings == config.settings &&
              kept.data == config.data,
          "reproduce", path, " holds a run with other settings or data: remove it, or choose ",
          "another --out");
  } else {
    run.write_config(config);
  }
  TrainOptions options;
  options.seed = seed;
  options.resume = resume;
  options.interrupted = interrupted;
  if (train(task, run, options, observer).interrupted) return {};

  const Metrics metrics = task.evaluate();
  const auto found = std::find_if(metrics.begin(), metrics.end(), [&](const Metric& metric) {
    return metric.name == row.mark.name;
  });
  check(found != metrics.end(), "reproduce", row.name, ": the evaluation says nothing of '",
        row.mark.name, "'");
  const SeedResult result{seed, found->value, run.load_checkpoint().seconds};
  write_file_atomically(run.file("result.json"),
                        Json(Json::Object{{"metric", found->name},
                                          {"value", json_number(result.value)},
                                          {"seconds", result.seconds}})
                                .dump(2) +
                            "\n");
  return result;
}

std::optional<RowResult> Reproduction::result(const ReproduceRow& row) const {
  RowResult all;
  for (uint64_t seed = 1;; ++seed) {
    const std::optional<SeedResult> one = finished(row, seed);
    if (!one) break;
    all.seeds.push_back(*one);
  }
  if (all.seeds.empty()) return {};
  return all;
}

std::string Reproduction::table(const std::vector<ReproduceRow>& rows) const {
  std::string text =
      "| row | metric | result | seeds | minutes each | mark | passes | published |\n"
      "|---|---|---|---|---|---|---|---|\n";
  for (const ReproduceRow& row : rows) {
    const std::optional<RowResult> result = this->result(row);
    if (!result) continue;
    text += concat("| ", row.name, " | ", row.mark.name, " | ", result->text(row.mark), " | ",
                   result->seeds.size(), " | ", fixed(result->minutes(), 1), " | ",
                   row.mark.higher_is_better ? "≥ " : "≤ ", row.mark.text(), " | ",
                   result->passes(row.mark) ? "yes" : "no", " | ", row.published, " |\n");
  }
  return text;
}

}  // namespace tarsier::zoo
