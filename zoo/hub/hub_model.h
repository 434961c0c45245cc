#pragma once
// Models of Hugging Face's folders, used as they are: `tarsier predict FOLDER`, `tarsier eval FOLDER`.

#include <cstdint>
#include <memory>
#include <ostream>
#include <string>
#include <vector>

#include "../../nn/module.h"
#include "../metrics/metric.h"
#include "../task/settings.h"

namespace tarsier::zoo::hub {

/// A model of a folder, with its tokenizer or what else it needs to read its inputs.
class HubModel {
 public:
  explicit HubModel(std::string folder) : folder_(std::move(folder)) {}
  virtual ~HubModel() = default;

  const std::string& folder() const { return folder_; }
  /// What the folder holds and what can be done with it, in one line.
  virtual std::string description() = 0;

  /// The options of predict(), under the names that the models of the zoo have for the same.
  Settings predict_options();
  /// Whether all of standard input is one text, which predict() continues.
  virtual bool continues_text() const { return false; }
  /// The answer to each input in a line; a blank one gets a blank line. Throws Error.
  virtual void predict(const std::vector<std::string>& inputs, std::ostream& out);
  /// Measures the model on the data at `path`. Throws Error("data") for other data than
  /// description() says.
  virtual Metrics evaluate(const std::string& path) = 0;

 protected:
  virtual void add_predict_options(Settings&) {}
  /// The answer to an input that is not blank.
  virtual std::string answer(const std::string& input) = 0;

 private:
  std::string folder_;
};

/// Whether `path` is a folder that transformers saved: its config.json has a model_type.
bool is_hub_folder(const std::string& path);

/// The model in a folder of transformers: gpt2, llama, mistral, qwen2 and qwen3, which continue
/// texts; bert as a classifier of texts or as a masked language model; vit. Throws
/// Error("pretrained") that names the type and lists these for another one, and what the loaders of
/// zoo/pretrained and zoo/tokenizer_json throw.
std::unique_ptr<HubModel> open_hub_model(const std::string& folder);

std::unique_ptr<HubModel> open_text_model(const std::string& folder, const std::string& type);
std::unique_ptr<HubModel> open_bert_model(const std::string& folder);
std::unique_ptr<HubModel> open_vit_model(const std::string& folder);

/// "2 layers, 3 heads, 12 wide: 5,000 parameters".
std::string sizes_of(const nn::Module& module, int64_t layers, int64_t heads, int64_t width);

}  // namespace tarsier::zoo::hub
