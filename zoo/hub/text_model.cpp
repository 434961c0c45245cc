// Decoders that continue texts: GPT-2 and Llama's family.

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>
#include <utility>

#include "autograd/io/file.h"
#include "autograd/io/json.h"
#include "autograd/ops.h"
#include "zoo/base/format.h"
#include "zoo/data/batches.h"
#include "zoo/data/lines.h"
#include "zoo/data/text.h"
#include "zoo/hub/decoder.h"
#include "zoo/hub/hub_model.h"
#include "zoo/tokenizer_json/folder.h"

namespace tarsier::zoo::hub {

namespace {

constexpr int64_t kLongestWindow = 1024;  // of eval: the cost of attention grows with it

/// The ids under `key` of a JSON file: a number or a list of them.
void add_ids(const std::string& path, const char* key, std::set<int32_t>& ids) {
  if (!file_exists(path)) return;
  const Json config = Json::parse(read_file(path), path);
  const Json* value = config.is_object() ? config.find(key) : nullptr;
  if (value == nullptr) return;
  for (const Json& id : value->is_array() ? value->as_array() : Json::Array{*value})
    if (id.is_int() && id.as_int() >= 0 && id.as_int() <= std::numeric_limits<int32_t>::max())
      ids.insert(static_cast<int32_t>(id.as_int()));
}

std::set<int32_t> ids_in(const std::string& folder, const char* key) {
  std::set<int32_t> ids;
  add_ids(folder + "/generation_config.json", key, ids);
  add_ids(folder + "/config.json", key, ids);
  return ids;
}

class TextModel final : public HubModel {
 public:
  TextModel(const std::string& folder, const std::string& type)
      : HubModel(folder),
        type_(type),
        decoder_(load_decoder(folder, type)),
        tokenizer_(tokenizer_json::load_folder(folder)),
        ends_(ids_in(folder, "eos_token_id")) {}

  std::string description() override {
    return concat(folder(), " holds a ", type_, " of ", decoder_->sizes(), ", window of ",
                  counted(decoder_->window(), "token"),
                  ": predict continues texts, eval --data FILE measures the perplexity of one");
  }

  bool continues_text() const override { return true; }

  /// The inputs are the words of one prompt.
  void predict(const std::vector<std::string>& inputs, std::ostream& out) override {
    std::string prompt;
    for (const std::string& input : inputs) prompt += (prompt.empty() ? "" : " ") + input;
    std::vector<int32_t> ids = encoded(prompt, true);
    if (ids.empty()) ids = blank();
    out << prompt << std::flush;
    // Tokens are parts of characters, and the spaces before words depend on what came before.
    size_t shown = tokenizer_.decode(ids).size();
    const auto show = [&](bool is_last) {
      const std::string text = tokenizer_.decode(ids);
      if (text.size() <= shown || (!is_last && text.ends_with("\uFFFD"))) return;
      out << text.substr(shown) << std::flush;
      shown = text.size();
      check(out.good(), "output", "cannot write to standard output");
    };
    continue_tokens(*decoder_, ids, count_, sampling_.chosen(), [&](int32_t token) {
      if (ends_.contains(token)) return false;
      ids.push_back(token);
      show(false);
      return true;
    });
    show(true);
    out << std::endl;
  }

  /// In adjacent windows, of which each token but the first is predicted once.
  Metrics evaluate(const std::string& path) override {
    const std::string text = read_text_file(path);
    const TokenWindows windows(encoded(text, false));
    const int64_t length = std::min(decoder_->window(), kLongestWindow);
    check(windows.size() >= 2, "data", "'", path, "' has ", counted(windows.size(), "token"),
          ": at least two are needed");
    const NoGrad no_grad;
    double sum = 0;
    windows.for_each(length, [&](const TokenBatch& batch) {
      for (int64_t b = 0; b < batch.inputs.size(0); ++b) {
        const Tensor logits = decoder_->logits(slice(batch.inputs, 0, b, b + 1));
        sum += cross_entropy(squeeze(logits, 0), select(batch.targets, 0, b),
                             {.reduction = Reduction::sum})
                   .item();
      }
    });
    const auto count = static_cast<double>(windows.size() - 1);
    const auto characters = static_cast<double>(count_characters(text));
    return {{.name = "loss",
             .value = sum / count,
             .note = concat("nats per token, of ", with_commas(windows.size() - 1),
                            " in windows of ", length)},
            {.name = "perplexity", .value = std::exp(sum / count)},
            {.name = "loss_per_character", .value = sum / characters}};
  }

 protected:
  void add_predict_options(Settings& options) override {
    options.add("tokens", count_, "tokens to write", 0, 1'000'000'000);
    sampling_.add_to(options, "text");
  }

  std::string answer(const std::string&) override { return ""; }  // predict() joins its inputs

 private:
  std::vector<int32_t> encoded(const std::string& text, bool specials) const {
    std::vector<int32_t> ids = tokenizer_.encode(text, specials);
    for (const int32_t id : ids)
      check(id < decoder_->vocab_size(), "hub", folder(), ": the tokenizer gives the id ", id,
            ", but the model has ", decoder_->vocab_size(),
            " tokens: tokenizer and model do not belong together");
    return ids;
  }

  /// What to start from without a prompt: the token that begins or ends texts.
  std::vector<int32_t> blank() const {
    for (const char* key : {"bos_token_id", "eos_token_id"})
      for (const int32_t id : ids_in(folder(), key))
        if (id < decoder_->vocab_size()) return {id};
    fail("hub", folder(), ": config.json names no token that begins a text: give a prompt");
  }

  const std::string type_;
  const std::unique_ptr<Decoder> decoder_;
  const tokenizer_json::TokenizerJson tokenizer_;
  const std::set<int32_t> ends_;
  int64_t count_ = 200;
  gpt::SamplingOptions sampling_;
};

}  // namespace

std::unique_ptr<HubModel> open_text_model(const std::string& folder, const std::string& type) {
  return std::make_unique<TextModel>(folder, type);
}

}  // namespace tarsier::zoo::hub
