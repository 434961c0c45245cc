#include "zoo/text_classifier/start.h"

#include <string_view>
#include <utility>

#include "zoo/data/tokenizer.h"

namespace tarsier::zoo::text_classifier {

namespace {

constexpr const char* kModel = "bert";
constexpr const char* kTable = "embedding.weight";

/// The settings of bert that decide about the encoder and its tokens; the classifier has the same,
/// and more that bert decides.
constexpr const char* kTaken[] = {"layers", "heads", "width",     "mlp_width",  "max_length",
                                  "tokens", "lower", "min_count", "vocab_size", "vocab"};
constexpr std::pair<const char*, const char*> kFixed[] = {{"position", "learned"},
                                                          {"norm", "post"}};

/// What a weight of bert/model.h is called in the classifier; "" if it has no such weight.
std::string renamed(std::string_view name) {
  static const std::pair<std::string_view, std::string_view> prefixes[] = {
      {"bert.word_embeddings.", "embedding."},
      {"bert.position_embeddings.", "positions."},
      {"bert.embedding_norm.", "embedding_norm."},
      {"bert.encoder.", "encoder."}};
  for (const auto& [bert, ours] : prefixes)
    if (name.starts_with(bert)) return concat(ours, name.substr(bert.size()));
  return "";
}

}  // namespace

Start::Start(const std::string& folder) : folder_(folder) {
  const RunFolder run = RunFolder::open(folder);
  const RunConfig config = run.read_config();
  check(config.model == kModel, "run", folder, " is a run of ", config.model,
        ": a text classifier starts from a run of ", kModel);
  run.refuse_int8("train", "trained");
  try {
    tokenizer_ = config.data["tokenizer"];
    const int64_t words = Tokenizer::from_json(tokenizer_)->size();
    for (const char* name : kTaken) config_.settings.set(name, config.settings[name]);
    for (const auto& [name, tensor] : run.load_weights())
      if (const std::string ours = renamed(name); !ours.empty())
        weights_.add(ours, ours == kTable ? slice(tensor, 0, 0, words) : tensor);
  } catch (const Error& error) {
    fail("run", "cannot start from ", folder, ": ", error.what());
  }
  for (const auto& [name, value] : kFixed) config_.settings.set(name, value);
}

void Start::apply_to(Settings& settings) { decided_.apply(config_.settings, settings); }

void Start::check_unchanged(const Settings& settings) const {
  decided_.check_unchanged(settings, folder_, "leave it out, or pretrain another bert");
}

void Start::load_into(TextClassifier& model) const {
  TensorDict weights;  // forward() multiplies the table with embedding_scale
  for (const auto& [name, tensor] : weights_)
    weights.add(name, name == kTable ? tensor / model.config.embedding_scale : tensor);
  try {
    for (const std::string& name : model.load_state_dict(weights, /*strict=*/false).missing)
      check(name.starts_with("head.") || name.starts_with("pair_"), "weights", name, " is missing");
  } catch (const Error& error) {
    fail("run", folder_,
         ": model.safetensors and config.json do not belong together: ", error.what());
  }
}

}  // namespace tarsier::zoo::text_classifier
