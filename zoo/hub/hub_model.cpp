#include "zoo/hub/hub_model.h"

#include <algorithm>

#include "autograd/io/file.h"
#include "autograd/io/json.h"
#include "zoo/base/format.h"
#include "zoo/data/lines.h"

namespace tarsier::zoo::hub {

namespace {

std::string config_of(const std::string& folder) { return folder + "/config.json"; }

/// The model_type of config.json; "" if it has none.
std::string type_of(const Json& config) {
  const Json* type = config.is_object() ? config.find("model_type") : nullptr;
  return type != nullptr && type->is_string() ? type->as_string() : "";
}

}  // namespace

Settings HubModel::predict_options() {
  Settings options(folder_, "predict");
  add_predict_options(options);
  return options;
}

void HubModel::predict(const std::vector<std::string>& inputs, std::ostream& out) {
  for (const std::string& input : inputs) {
    const std::string line = is_blank(input) ? "" : answer(input);
    out << line << std::endl;
  }
}

bool is_hub_folder(const std::string& path) {
  if (!file_exists(config_of(path))) return false;
  try {
    const Json config = Json::parse(read_file(config_of(path)), config_of(path));
    return !type_of(config).empty() && config.find("settings") == nullptr;  // a run has those
  } catch (const Error&) {
    return false;  // who opens it as a run says what is wrong with it
  }
}

std::unique_ptr<HubModel> open_hub_model(const std::string& folder) {
  const std::string type = type_of(Json::parse(read_file(config_of(folder)), config_of(folder)));
  if (type == "bert") return open_bert_model(folder);
  if (type == "vit") return open_vit_model(folder);
  const std::vector<std::string> text = {"gpt2", "llama", "mistral", "qwen2", "qwen3"};
  check(std::find(text.begin(), text.end(), type) != text.end(), "pretrained", config_of(folder),
        ": a model of the type '", type,
        "' cannot be used: expected gpt2, llama, mistral, qwen2, qwen3, bert or vit");
  return open_text_model(folder, type);
}

std::string sizes_of(const nn::Module& module, int64_t layers, int64_t heads, int64_t width) {
  return concat(counted(layers, "layer"), ", ", counted(heads, "head"), ", ", width,
                " wide: ", counted(module.num_parameters(), "parameter"));
}

}  // namespace tarsier::zoo::hub
