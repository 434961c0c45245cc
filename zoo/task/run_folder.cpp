#include "zoo/task/run_folder.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <system_error>

#include "autograd/io/json.h"
#include "autograd/ops.h"
#include "zoo/base/json_number.h"
#include "zoo/base/usage_error.h"
#include "zoo/task/step_report.h"

namespace tarsier::zoo {

namespace fs = std::filesystem;

namespace {

constexpr const char* kConfig = "config.json";
constexpr const char* kMetrics = "metrics.jsonl";
constexpr const char* kSamples = "samples.jsonl";
constexpr const char* kWeights = "model.safetensors";
constexpr const char* kReport = "report.html";
constexpr const char* kCheckpoint = "checkpoint/state.safetensors";

/// The first file in the folder that belongs to a run, or "".
std::string part_of_run(const std::string& path) {
  std::error_code ignored;
  for (const char* name : {kMetrics, kWeights, kCheckpoint})
    if (fs::exists(path + "/" + name, ignored)) return name;
  return "";
}

/// Removes what a process that was killed while writing left (AtomicFile). Other files in the
/// folder are not ours.
void remove_unfinished(const std::string& path) {
  std::error_code ignored;
  for (const char* name : {kConfig, kMetrics, kSamples, kReport, kWeights, kCheckpoint}) {
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

bool same_bits(const Tensor& a, const Tensor& b) {
  if (a.dtype() != b.dtype() || a.shape() != b.shape()) return false;
  const Tensor x = contiguous(a.detach()), y = contiguous(b.detach());
  return dispatch_all(x.dtype(), [&]<class T>() {
    return x.numel() == 0 ||
           std::memcmp(x.data<T>(), y.data<T>(), static_cast<size_t>(x.numel()) * sizeof(T)) == 0;
  });
}

/// Waits until the names in a folder are on the disk. Not every file system supports this.
void sync_folder(const fs::path& path) {
  const int folder = ::open(path.empty() ? "." : path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (folder < 0) return;
  ::fsync(folder);
  ::close(folder);
}

}  // namespace

// ------------------------------------------------------------------------------------------ config

void RunConfig::keep(const Settings& values) {
  for (const std::string& name : values.names())
    settings.set(
        name, values.is_text(name) ? Json(values.get(name)) : Json::parse(values.get(name), name));
}

void RunConfig::apply_to(Settings& values) const {
  try {
    for (const auto& [name, value] : settings.as_object())
      values.set(name, value.is_string() ? value.as_string() : value.dump());
  } catch (const UsageError& error) {
    // The file is wrong, not the command line.
    fail("config", "in config.json: ", error.what());
  }
}

bool RunConfig::learned_from(const Json& described) const {
  const Json::Object& members = data.as_object();
  return !members.empty() && std::all_of(members.begin(), members.end(), [&](const auto& member) {
    const Json* now = described.find(member.first);
    return now != nullptr && *now == member.second;
  });
}

void RunFolder::write_config(const RunConfig& config) const {
  Json json = Json::Object{
      {"model", config.model},       {"seed", static_cast<int64_t>(config.seed)},
      {"settings", config.settings}, {"data_path", config.data_path},
      {"data", config.data},
  };
  if (!config.from.empty()) json.set("from", config.from);
  if (!config.quantized_from.empty()) json.set("quantized_from", config.quantized_from);
  write_file_atomically(file(kConfig), json.dump(2) + "\n");
}

RunConfig RunFolder::read_config() const {
  const std::string path = file(kConfig);
  bool ours = true;
  try {
    const Json json = Json::parse(read_file(path), path);
    ours = json.find("model") != nullptr && json.find("settings") != nullptr;
    RunConfig config;
    config.model = json["model"].as_string();
    config.seed = static_cast<uint64_t>(json["seed"].as_int());
    config.settings = json["settings"];
    config.data_path = json["data_path"].as_string();
    config.data = json["data"];
    if (const Json* from = json.find("from")) config.from = from->as_string();
    if (const Json* from = json.find("quantized_from")) config.quantized_from = from->as_string();
    return config;
  } catch (const Error& error) {
    check(ours, "config", path, " is of another program: that of a run has 'model' and 'settings'");
    fail("config", path, " is damaged: ", error.what(), ". Restore it, or train again");
  }
}

// ------------------------------------------------------------------------------------------ folder

RunFolder RunFolder::create(const std::string& path) {
  const std::string part = part_of_run(path);
  check(part.empty(), "run", "'", path, "' holds a run already (", part,
        "): choose another --out, or continue it with --resume ", path);
  std::error_code error;
  if (fs::exists(path + "/" + kConfig, error)) {
    try {
      RunFolder(path).read_config();
    } catch (const Error&) {
      fail("run", "'", path, "' has a ", kConfig,
           " of something else, which the run would overwrite: choose another --out");
    }
  }
  fs::create_directories(path + "/checkpoint", error);
  check(!error, "run", "cannot make the folder '", path, "': ", error.message());
  // AtomicFile syncs the files in it.
  for (const fs::path& folder : {fs::path(path), fs::path(path).parent_path()}) sync_folder(folder);
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
    // True only for the process that made it: two runs that start together get two folders.
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
  if (error || space.capacity == 0) return;  // unknown on some file systems
  check(space.available >= static_cast<uintmax_t>(bytes), "run", "the disk of '", path, "' has ",
        space.available >> 20, " MB left, but the run needs ", (bytes >> 20) + 1,
        " MB: make room, or choose another --out");
}

// ----------------------------------------------------------------------------------------- tensors

namespace {

Metadata metadata_of(const std::string& model, int64_t step) {
  return {{"model", model}, {"step", std::to_string(step)}};
}

}  // namespace

void RunFolder::save_weights(const TensorDict& weights, const std::string& model,
                             int64_t step) const {
  save_safetensors(file(kWeights), weights, metadata_of(model, step));
}

void RunFolder::save_int8(nn::Module& model, const std::string& name, int64_t step) const {
  nn::save_quantized(file(kWeights), model, metadata_of(name, step));
}

void RunFolder::load_int8(nn::Module& model) const { nn::load_quantized(model, file(kWeights)); }

bool RunFolder::holds_int8() const {
  try {
    return nn::holds_int8(file(kWeights));
  } catch (const Error&) {
    return false;  // load_weights() says what is wrong
  }
}

void RunFolder::refuse_int8(const char* op, const std::string& refused) const {
  if (!holds_int8()) return;
  const std::string from = read_config().quantized_from;
  fail(op, "'", path_, "' holds int8 weights, which tarsier quantize made",
       from.empty() ? "" : concat(" from ", from), ". They can be used by predict and eval, but ",
       "not ", refused, ": use the run that they were made from");
}

bool RunFolder::holds_weights(const TensorDict& weights) const {
  try {
    const TensorDict held = load_safetensors(file(kWeights));
    if (held.size() != weights.size()) return false;
    for (const auto& [name, tensor] : weights) {
      const Tensor* other = held.find(name);
      if (other == nullptr || !same_bits(tensor, *other)) return false;
    }
    return true;
  } catch (const Error&) {
    return false;  // missing or damaged
  }
}

TensorDict RunFolder::load_weights(int64_t* step) const {
  refuse_int8("run", "read as f32");
  try {
    Metadata metadata;
    TensorDict weights = load_safetensors(file(kWeights), &metadata);
    if (step != nullptr)
      *step = metadata.contains("step") ? Json::parse(metadata["step"], "its step").as_int() : -1;
    return weights;
  } catch (const Error& error) {
    if (!has_checkpoint()) throw;
    fail("run", error.what(), ". Restore it from the checkpoint: tarsier train --resume ", path_);
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
  Json::Object state{
      {"step", checkpoint.step},           {"seed", static_cast<int64_t>(checkpoint.seed)},
      {"seconds", checkpoint.seconds},     {"best_value", json_number(checkpoint.best_value)},
      {"best_step", checkpoint.best_step}, {"without_gain", checkpoint.without_gain},
  };
  if (std::isfinite(checkpoint.best_loss)) state.emplace_back("best_loss", checkpoint.best_loss);
  save_safetensors(file(kCheckpoint), all, {{"tarsier", Json(state).dump()}});
}

Checkpoint RunFolder::load_checkpoint() const {
  const std::string path = file(kCheckpoint);
  check(has_checkpoint(), "run", "'", path_, "' has no checkpoint: the run ended before its first");
  try {
    Metadata metadata;
    const TensorDict all = load_safetensors(path, &metadata);
    const Json state = Json::parse(metadata["tarsier"], "the checkpoint's state");
    Checkpoint checkpoint;
    checkpoint.step = state["step"].as_int();
    checkpoint.seed = static_cast<uint64_t>(state["seed"].as_int());
    checkpoint.seconds = state["seconds"].as_double();
    check(checkpoint.step >= 0, "json", "step ", checkpoint.step, " is negative");
    checkpoint.model = without_prefix(all, "model.");
    checkpoint.optimizer = without_prefix(all, "optimizer.");
    checkpoint.average = without_prefix(all, "average.");
    checkpoint.best = without_prefix(all, "best.");
    checkpoint.best_value = number_of(state["best_value"]);
    if (const Json* loss = state.find("best_loss")) checkpoint.best_loss = loss->as_double();
    checkpoint.best_step = state["best_step"].as_int();
    checkpoint.without_gain = state["without_gain"].as_int();
    return checkpoint;
  } catch (const Error& error) {
    fail("run", path, " is not a complete checkpoint: ", error.what(),
         ". Restore it, or train again; ", kWeights, " next to it can still be used");
  }
}

// -------------------------------------------------------------------------------------------- lock

RunLock::RunLock(const RunFolder& folder) {
  folder_ = ::open(folder.path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  // Some file systems have no locks: then training runs without one.
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

bool MetricsLog::rewind(const RunFolder& folder, int64_t last_step,
                        const std::function<bool()>& interrupted) {
  remove_unfinished(folder.path());
  const std::string path = folder.file(kMetrics);
  std::error_code error;
  if (!fs::exists(path, error)) return true;
  const std::string text = read_file(path);
  size_t kept = 0;
  int64_t number = 1, before = -1;
  for (size_t end; (end = text.find('\n', kept)) != text.npos; kept = end + 1, ++number) {
    if (number % 1000 == 0 && interrupted()) return false;
    const int64_t step = step_of(std::string_view(text).substr(kept, end - kept), path, number);
    if (step > last_step) break;
    check(step > before, "run", path, ": line ", number, " is of step ", step,
          ", but the one before it of step ", before,
          " already. Remove the extra lines, or move the file away: training does not "
          "need it");
    before = step;
  }
  // Truncating needs no space: it works on a full disk as well.
  if (kept < text.size()) fs::resize_file(path, kept, error);
  check(!error, "run", "cannot cut ", path, ": ", error.message());
  return true;
}

int64_t MetricsLog::step_of(std::string_view line, const std::string& path, int64_t number) {
  try {
    return Json::parse(line, path)["step"].as_int();
  } catch (const Error& error) {
    fail("run", path, ": line ", number, " is damaged (", error.what(),
         "). Fix or remove it, or move the file away: training does not need it");
  }
}

MetricsLog::MetricsLog(const RunFolder& folder)
    : path_(folder.file(kMetrics)),
      file_(::open(path_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666)) {
  check(file_ >= 0, "run", "cannot write ", path_, ": ", std::strerror(errno));
}

MetricsLog::~MetricsLog() { ::close(file_); }

void MetricsLog::write(const StepReport& report, const std::string& items) {
  Json line = Json::Object{
      {"step", report.step},
      {"train_loss", json_number(report.train_loss)},
      {"lr", json_number(report.learning_rate)},
      {"grad_norm", json_number(report.grad_norm)},
      {items + "_per_second", json_number(report.items_per_second)},
      {"seconds", json_number(report.seconds)},
  };
  if (!report.layers.empty()) {
    Json::Object weights, gradients;
    for (const LayerNorms& layer : report.layers) {
      weights.emplace_back(layer.layer, json_number(layer.weights));
      gradients.emplace_back(layer.layer, json_number(layer.gradient));
    }
    line.set("weight_norms", Json(std::move(weights)));
    line.set("grad_norms", Json(std::move(gradients)));
  }
  for (const Metric& metric : report.metrics) line.set(metric.name, json_number(metric.value));
  append(line.dump() + "\n");
}

void MetricsLog::append(std::string_view line) {
  const off_t size = ::lseek(file_, 0, SEEK_END);
  while (!line.empty()) {
    const ssize_t written = ::write(file_, line.data(), line.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) {
      const int reason = errno;
      // Do not leave half a line.
      if (size >= 0 && ::ftruncate(file_, size) != 0) errno = reason;
      fail("run", "cannot write ", path_, ": ", std::strerror(reason));
    }
    line.remove_prefix(static_cast<size_t>(written));
  }
}

void MetricsLog::sync() const { ::fsync(file_); }

}  // namespace tarsier::zoo
