#include "zoo/pretrained/save.h"

#include <filesystem>
#include <iterator>

#include "autograd/io/file.h"
#include "autograd/io/safetensors.h"
#include "autograd/ops.h"

namespace tarsier::zoo {

void add_parts(TensorDict& weights, const Source& source, const Tensor& tensor) {
  const std::vector<Tensor> parts = chunk(tensor, std::ssize(source.names), 0);
  for (size_t i = 0; i < parts.size(); ++i) weights.add(source.names[i], parts[i]);
}

void add_labels(Json& config, const std::vector<std::string>& labels) {
  Json::Object names, numbers;
  for (const std::string& label : labels) {
    const auto number = static_cast<int64_t>(names.size());
    names.emplace_back(std::to_string(number), label);
    numbers.emplace_back(label, number);
  }
  config.set("id2label", std::move(names));
  config.set("label2id", std::move(numbers));
}

void save_pretrained(const std::string& folder, const Json& config, const TensorDict& weights) {
  namespace fs = std::filesystem;
  std::error_code error;
  fs::create_directories(folder, error);
  check(!error, "file", folder, ": cannot make the folder: ", error.message());
  save_safetensors((fs::path(folder) / "model.safetensors").string(), weights, {{"format", "pt"}});
  write_file_atomically((fs::path(folder) / "config.json").string(), config.dump(2) + "\n");
}

}  // namespace tarsier::zoo
