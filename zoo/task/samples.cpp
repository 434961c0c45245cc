#include "zoo/task/samples.h"

#include <filesystem>
#include <sstream>
#include <string_view>

#include "autograd/io/file.h"
#include "autograd/io/json.h"
#include "autograd/io/utf8.h"

namespace tarsier::zoo {

namespace {

constexpr int64_t kMostSamples = 8;
constexpr size_t kLongest = 4000;  // bytes

std::string path_of(const RunFolder& folder) { return folder.file("samples.jsonl"); }

}  // namespace

bool is_sampled(int64_t step, int64_t steps, int64_t eval_every) {
  const int64_t validations = (steps - 1) / eval_every + 1;
  const int64_t between = (validations - 1) / kMostSamples + 1;
  return step == steps || (step % eval_every == 0 && step / eval_every % between == 0);
}

TrainingSample sample_of(Task& task, int64_t step) {
  const NoGrad guard;
  std::ostringstream out;
  try {
    task.show_sample(out);
  } catch (const Error& error) {  // nothing that is worth stopping for
    out << error.what();
  }
  std::string text = out.str();
  if (text.size() > kLongest) text = text.substr(0, kLongest) + " …";
  return {step, repaired_utf8(text)};
}

std::vector<TrainingSample> read_samples(const RunFolder& folder, int64_t last_step) {
  std::vector<TrainingSample> samples;
  std::error_code ignored;
  if (!std::filesystem::exists(path_of(folder), ignored)) return samples;
  std::istringstream lines(read_file(path_of(folder)));
  for (std::string line; std::getline(lines, line);) {
    try {
      const Json json = Json::parse(line);
      TrainingSample sample{json["step"].as_int(), json["text"].as_string()};
      const int64_t before = samples.empty() ? 0 : samples.back().step;
      if (sample.step > before && sample.step <= last_step) samples.push_back(std::move(sample));
    } catch (const Error&) {
      continue;
    }
  }
  return samples;
}

void write_samples(const RunFolder& folder, const std::vector<TrainingSample>& samples) {
  std::string text;
  for (const TrainingSample& sample : samples)
    text += Json(Json::Object{{"step", sample.step}, {"text", sample.text}}).dump() + "\n";
  write_file_atomically(path_of(folder), text);
}

}  // namespace tarsier::zoo
