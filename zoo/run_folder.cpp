#include "zoo/run_folder.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <system_error>

#include "zoo/trainer.h"
#include "zoo/usage_error.h"

namespace tarsier::zoo {

namespace fs = std::filesystem;

namespace {

constexpr const char* kConfig = "config.json";
constexpr const char* kMetrics = "metrics.jsonl";
constexpr const char* kWeights = "model.safetensors";
constexpr const char* kReport = "report.html";
constexpr const char* kCheckpoint = "checkpoint/state.safetensors";

/// The first file in the folder that training made, or "".
std::string part_of_run(const std::string& path) {
  std::error_code ignored;
  for (const char* name : {kMetrics, kWeights, kCheckpoint})
    if (fs::exists(path + "/" + name, ignored)) return name;
  return "";
}

/// What a process that was killed while writing left behind (nn::AtomicFile). Other files in the
/// folder are not ours.
void remove_unfinished(const std::string& path) {
  std::error_code ignored;
  for (const char* name : {kConfig, kMetrics, kReport, kWeights, kCheckpoint}) {
    const fs::path file = fs::path(path) / name;
    for (const auto& entry : fs::directory_iterator(file.parent_path(), ignored))
      if (entry.path().filename().string().starts_with(file.filename().string() + ".tmp."))
        fs::remove(entry.path(), ignored);
  }
}

void add_prefixed(TensorDict& all, const std::string& prefix, const TensorDict& part) {
  for (const auto& [name, tensor] : part) all.add(prefix + name, tensor);
}

TensorDict without_prefix(const TensorDict& all, const std::string& prefix) {
  TensorDict part;
  for (const auto& [name, tensor] : all)
    if (name.starts_with(prefix)) part.add(name.substr(prefix.size()), tensor);
  return part;
}

}  // namespace

// ------------------------------------------------------------------------------------------ config

void RunConfig::keep(const Settings& values) {
  for (const std::string& name : values.names())
    settings.set(name, values.is_text(name) ? nn::Json(values.get(name))
                                            : nn::Json::parse(values.get(name), name));
}

void RunConfig::apply_to(Settings& values) const {
  try {
    for (const auto& [name, value] : settings.as_object())
      values.set(name, value.is_string() ? value.as_string() : value.dump());
  } catch (const UsageError& error) {
    // Nobody typed this on the command line: it is the file that is wrong.
    fail("config", "in config.json: ", error.what());
  }
}

void RunFolder::write_config(const RunConfig& config) const {
  const nn::Json json = nn::Json::Object{
      {"model", config.model},       {"seed", static_cast<int64_t>(config.seed)},
      {"settings", config.settings}, {"data_path", config.data_path},
      {"data", config.data},
  };
  nn::write_file_atomically(file(kConfig), json.dump(2) + "\n");
}

RunConfig RunFolder::read_config() const {
  const std::string path = file(kConfig);
  try {
    const nn::Json json = nn::Json::parse(nn::read_file(path), path);
    RunConfig config;
    config.model = json["model"].as_string();
    config.seed = static_cast<uint64_t>(json["seed"].as_int());
    config.settings = json["settings"];
    config.data_path = json["data_path"].as_string();
    config.data = json["data"];
    return config;
  } catch (const Error& error) {
    fail("config", path, " is damaged: ", error.what(), ". Restore it, or train anew");
  }
}

// ------------------------------------------------------------------------------------------ folder

RunFolder RunFolder::create(const std::string& path) {
  const std::string part = part_of_run(path);
  check(part.empty(), "run", "'", path, "' holds a run already (", part,
        "): choose another --out, or go on with it by --resume ", path);
  std::error_code error;
  if (fs::exists(path + "/" + kConfig, error)) {
    try {
      RunFolder(path).read_config();
    } catch (const Error&) {
      fail("run", "'", path, "' has a ", kConfig,
           " of something else, which the run would replace: choose another --out");
    }
  }
  fs::create_directories(path + "/checkpoint", error);
  check(!error, "run", "cannot make the folder '", path, "': ", error.message());
  return RunFolder(path);
}

RunFolder RunFolder::create_next(const std::string& stem) {
  std::error_code error;
  const fs::path parent = fs::path(stem).parent_path();
  if (!parent.empty()) fs::create_directories(parent, error);
  check(!error, "run", "cannot make the folder '", parent.string(), "': ", error.message(),
        "; choose another with --out");
  for (int number = 1;; ++number) {
    const std::string path = number == 1 ? stem : concat(stem, "-", number);
    // True only for the one that made it: two runs that begin at once get two folders.
    const bool made = fs::create_directory(path, error);
    check(!error || fs::exists(path), "run", "cannot make the folder '", path,
          "': ", error.message(), "; choose another with --out");
    if (made) return create(path);
  }
}

RunFolder RunFolder::open(const std::string& path) {
  std::error_code ignored;
  check(fs::exists(path, ignored), "run", "there is no folder '", path, "'");
  check(fs::is_directory(path, ignored), "run", "'", path, "' is not a folder of a run");
  check(fs::exists(path + "/" + kConfig, ignored), "run", "'", path,
        "' is not the folder of a run: it has no ", kConfig);
  std::string trimmed = path;
  while (trimmed.size() > 1 && trimmed.ends_with('/')) trimmed.pop_back();
  return RunFolder(trimmed);
}

void RunFolder::check_space(const std::string& path, int64_t bytes) {
  std::error_code error;
  fs::path existing = fs::absolute(path, error);
  while (!fs::exists(existing, error) && existing.has_relative_path())
    existing = existing.parent_path();
  const fs::space_info space = fs::space(existing, error);
  if (error || space.capacity == 0) return;  // not every file system knows
  check(space.available >= static_cast<uintmax_t>(bytes), "run", "the disk of '", path, "' has ",
        space.available >> 20, " MB left, but the run needs ", (bytes >> 20) + 1,
        " MB: make room, or choose another --out");
}

// ----------------------------------------------------------------------------------------- tensors

void RunFolder::save_weights(const TensorDict& weights, const std::string& model) const {
  nn::save_safetensors(file(kWeights), weights, {{"model", model}});
}

TensorDict RunFolder::load_weights() const {
  try {
    return nn::load_safetensors(file(kWeights));
  } catch (const Error& error) {
    if (!has_checkpoint()) throw;
    fail("run", error.what(), ". Write it anew from the checkpoint: tarsier train --resume ",
         path_);
  }
}

bool RunFolder::has_checkpoint() const {
  std::error_code ignored;
  return fs::exists(file(kCheckpoint), ignored);
}

void RunFolder::save_checkpoint(const Checkpoint& checkpoint) const {
  TensorDict all;
  add_prefixed(all, "model.", checkpoint.model);
  add_prefixed(all, "optimizer.", checkpoint.optimizer);
  add_prefixed(all, "average.", checkpoint.average);
  add_prefixed(all, "best.", checkpoint.best);
  const nn::Json state = nn::Json::Object{
      {"step", checkpoint.step},           {"seed", static_cast<int64_t>(checkpoint.seed)},
      {"seconds", checkpoint.seconds},     {"best_value", checkpoint.best_value},
      {"best_step", checkpoint.best_step}, {"without_gain", checkpoint.without_gain},
  };
  nn::save_safetensors(file(kCheckpoint), all, {{"tarsier", state.dump()}});
}

Checkpoint RunFolder::load_checkpoint() const {
  const std::string path = file(kCheckpoint);
  check(has_checkpoint(), "run", "'", path_, "' has no checkpoint: the run ended before its first");
  try {
    nn::Metadata metadata;
    const TensorDict all = nn::load_safetensors(path, &metadata);
    const nn::Json state = nn::Json::parse(metadata["tarsier"], "the checkpoint's state");
    Checkpoint checkpoint;
    checkpoint.step = state["step"].as_int();
    checkpoint.seed = static_cast<uint64_t>(state["seed"].as_int());
    checkpoint.seconds = state["seconds"].as_double();
    check(checkpoint.step >= 0, "json", "step ", checkpoint.step, " is negative");
    checkpoint.model = without_prefix(all, "model.");
    checkpoint.optimizer = without_prefix(all, "optimizer.");
    checkpoint.average = without_prefix(all, "average.");
    checkpoint.best = without_prefix(all, "best.");
    checkpoint.best_value = state["best_value"].as_double();
    checkpoint.best_step = state["best_step"].as_int();
    checkpoint.without_gain = state["without_gain"].as_int();
    return checkpoint;
  } catch (const Error& error) {
    fail("run", path, " is not a whole checkpoint: ", error.what(), ". Restore it, or train anew; ",
         kWeights, " beside it can be used as before");
  }
}

// -------------------------------------------------------------------------------------------- lock

RunLock::RunLock(const RunFolder& folder) {
  folder_ = ::open(folder.path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  // Some file systems have no locks: training goes on without one.
  const bool taken =
      folder_ >= 0 && ::flock(folder_, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK;
  if (!taken) return;
  ::close(folder_);
  fail("run", "another process is training in ", folder.path(),
       ": wait for it or stop it, or choose another --out");
}

RunLock::~RunLock() {
  if (folder_ >= 0) ::close(folder_);
}

// ----------------------------------------------------------------------------------------- metrics

MetricsLog::MetricsLog(const RunFolder& folder, int64_t last_step) : path_(folder.file(kMetrics)) {
  remove_unfinished(folder.path());
  std::string kept;
  if (fs::exists(path_)) {
    const std::string text = nn::read_file(path_);
    int64_t number = 1;
    for (size_t begin = 0; begin < text.size(); ++number) {
      const size_t end = text.find('\n', begin);
      if (end == text.npos) break;
      const std::string_view line = std::string_view(text).substr(begin, end - begin);
      if (step_of(line, number) > last_step) break;
      begin = end + 1;
      kept = text.substr(0, begin);
    }
  }
  nn::write_file_atomically(path_, kept);
  file_.open(path_, std::ios::binary | std::ios::app);
  check(file_.is_open(), "run", "cannot write ", path_, ": ", std::strerror(errno));
}

int64_t MetricsLog::step_of(std::string_view line, int64_t number) const {
  try {
    return nn::Json::parse(line, path_)["step"].as_int();
  } catch (const Error& error) {
    fail("run", path_, ": line ", number, " is damaged (", error.what(),
         "). Mend or remove it, or move the file away: training does not need it");
  }
}

void MetricsLog::write(const StepReport& report, const std::string& items) {
  nn::Json line = nn::Json::Object{
      {"step", report.step},
      {"train_loss", report.train_loss},
      {"lr", report.learning_rate},
      {"grad_norm", report.grad_norm},
      {items + "_per_second", report.items_per_second},
      {"seconds", report.seconds},
  };
  for (const Metric& metric : report.metrics) line.set(metric.name, metric.value);
  file_ << line.dump() << '\n' << std::flush;
  check(file_.good(), "run", "cannot write ", path_, ": ", std::strerror(errno));
}

}  // namespace tarsier::zoo
