// BERT as a classifier of texts, or guessing hidden words.

#include <algorithm>
#include <cmath>
#include <utility>

#include "autograd/io/json.h"
#include "autograd/ops.h"
#include "zoo/base/format.h"
#include "zoo/data/labelled.h"
#include "zoo/data/lines.h"
#include "zoo/data/text.h"
#include "zoo/hub/class_names.h"
#include "zoo/hub/hub_model.h"
#include "zoo/metrics/classifier_score.h"
#include "zoo/pretrained/bert.h"
#include "zoo/pretrained/hugging_face.h"
#include "zoo/tokenizer_json/folder.h"

namespace tarsier::zoo::hub {

namespace {

using tokenizer_json::Encoding;

/// What both have: a tokenizer, and the largest text.
class BertModel : public HubModel {
 public:
  explicit BertModel(const std::string& folder)
      : HubModel(folder), tokenizer_(tokenizer_json::load_folder(folder)) {}

 protected:
  /// The tokens of a text, or of two with a tab between. Throws Error("data") if the model cannot
  /// read as many.
  Encoding encoded(const std::string& text, const bert::Config& config) const {
    const size_t tab = text.find('\t');
    Encoding found;
    if (tab == text.npos || config.type_vocab_size < 2) {
      found.ids = tokenizer_.encode(text);
      found.types.resize(found.ids.size());
    } else {
      found = tokenizer_.encode_pair(text.substr(0, tab), text.substr(tab + 1));
    }
    check(std::ssize(found.ids) <= config.max_position_embeddings, "data", "'", beginning_of(text),
          "' has ", found.ids.size(), " tokens, but the model reads at most ",
          config.max_position_embeddings);
    for (const int32_t id : found.ids)
      check(id < config.vocab_size, "hub", folder(), ": the tokenizer gives the id ", id,
            ", but the model has ", config.vocab_size,
            " tokens: tokenizer and model do not belong together");
    return found;
  }

  /// (1, T) i64.
  static Tensor row(const std::vector<int32_t>& ids) {
    return from_vector(std::vector<int64_t>(ids.begin(), ids.end()), {1, std::ssize(ids)});
  }
  static bert::Inputs inputs(const Encoding& text, const bert::Config& config) {
    if (config.type_vocab_size < 2) return {};
    return {.token_types = row(text.types)};
  }
  static std::string sizes(const nn::Module& module, const bert::Config& config) {
    return sizes_of(module, config.num_hidden_layers, config.num_attention_heads,
                    config.hidden_size);
  }

  const tokenizer_json::TokenizerJson tokenizer_;
};

class Classifier final : public BertModel {
 public:
  explicit Classifier(const std::string& folder)
      : BertModel(folder),
        bert_(load_bert_for_sequence_classification(folder)),
        names_(folder, bert_->classifier.weight.size(0)) {}

  std::string description() override {
    return concat(folder(), " holds a bert of ", sizes(*bert_, bert_->bert.config),
                  ": predict tells which of ", counted(std::ssize(names_.names()), "class"),
                  " a text is of, eval --data FILE measures that on labelled texts");
  }

  Metrics evaluate(const std::string& path) override {
    ClassifierScore score(std::ssize(names_.names()));
    int64_t example = 0;
    for (const LabelledLine& line : read_labelled(path).lines) {
      const int64_t truth = names_.number_of(line.label, concat('\'', path, "', line ", line.line));
      score.add({example++}, logits(line.text), tensor({static_cast<double>(truth)}, i64));
    }
    return score.metrics("loss");
  }

 protected:
  std::string answer(const std::string& text) override {
    return likeliest(softmax(logits(text), -1).to_vector(), names_.names());
  }

 private:
  Tensor logits(const std::string& text) {
    const NoGrad no_grad;
    const Encoding found = encoded(text, bert_->bert.config);
    return (*bert_)(row(found.ids), inputs(found, bert_->bert.config));
  }

  std::unique_ptr<bert::BertForSequenceClassification> bert_;
  ClassNames names_;
};

class MaskedModel final : public BertModel {
 public:
  explicit MaskedModel(const std::string& folder)
      : BertModel(folder),
        bert_(load_bert_for_masked_lm(folder)),
        mask_(tokenizer_.id_of("[MASK]")) {
    check(mask_ >= 0, "hub", folder, ": the tokenizer has no token [MASK]");
  }

  std::string description() override {
    return concat(folder(), " holds a bert of ", sizes(*bert_, bert_->bert.config),
                  ": predict names the likeliest words for each [MASK] in a text, eval --data FILE "
                  "measures that on a text");
  }

  /// In each line the tokens 3, 10, 17, … are hidden, one at a time of every seven.
  Metrics evaluate(const std::string& path) override {
    double loss = 0, right = 0, count = 0;
    for (const std::string& line : read_lines(path)) {
      if (is_blank(line)) continue;
      Encoding text = encoded(line, bert_->bert.config);
      std::vector<int64_t> places, truths;
      for (size_t t = 3; t < text.ids.size(); t += 7) {
        if (tokenizer_.is_special(text.ids[t])) continue;
        places.push_back(static_cast<int64_t>(t));
        truths.push_back(text.ids[t]);
        text.ids[t] = mask_;
      }
      if (places.empty()) continue;
      const Tensor found = logits(text, places), truth = from_vector(truths, {std::ssize(truths)});
      loss += cross_entropy(found, truth, {.reduction = Reduction::sum}).item();
      right += sum(to(argmax(found, -1) == truth, f64)).item();
      count += static_cast<double>(places.size());
    }
    check(count > 0, "data", "'", path, "' has no line of four tokens or more");
    return {percent("masked accuracy", right / count),
            {.name = "perplexity",
             .value = std::exp(loss / count),
             .digits = 2,
             .note = concat("of ", counted(static_cast<int64_t>(count), "token"),
                            ", every seventh of each line"),
             .same_line = true}};
  }

 protected:
  void add_predict_options(Settings& options) override {
    options.add("words", words_, "how many words to name for each [MASK]", 1, 1'000'000);
  }

  std::string answer(const std::string& text) override {
    const Encoding found = encoded(text, bert_->bert.config);
    std::vector<int64_t> places;
    for (size_t t = 0; t < found.ids.size(); ++t)
      if (found.ids[t] == mask_) places.push_back(static_cast<int64_t>(t));
    check(!places.empty(), "predict", "'", beginning_of(text),
          "' has no [MASK]: write [MASK] for every word that is to be guessed");
    const Tensor probabilities = softmax(logits(found, places), -1);
    const ValuesIndices best = topk(probabilities, std::min(words_, probabilities.size(1)));
    std::string line;
    for (int64_t i = 0; i < std::ssize(places); ++i) {
      const std::vector<double> values = select(best.values, 0, i).to_vector();
      const std::vector<int64_t> ids = select(best.indices, 0, i).to_vector<int64_t>();
      for (size_t k = 0; k < ids.size(); ++k) {
        const std::string* token = tokenizer_.token_of(static_cast<int32_t>(ids[k]));
        line += concat(k > 0          ? ", "
                       : line.empty() ? ""
                                      : "; ",
                       token != nullptr ? *token : concat("token ", ids[k]), " (",
                       fixed(100 * values[k], 1), " %)");
      }
    }
    return line;
  }

 private:
  Tensor logits(const Encoding& text, const std::vector<int64_t>& places) {
    const NoGrad no_grad;
    return bert_->logits_at(row(text.ids), from_vector(places, {std::ssize(places)}),
                            inputs(text, bert_->bert.config));
  }

  std::unique_ptr<bert::BertForMaskedLM> bert_;
  const int32_t mask_;
  int64_t words_ = 5;
};

}  // namespace

std::unique_ptr<HubModel> open_bert_model(const std::string& folder) {
  const Pretrained file = open_pretrained(folder, "bert", "bert.");
  std::string kind;
  if (file.has("architectures") && file.config["architectures"].is_array())
    for (const Json& name : file.config["architectures"].as_array())
      if (kind.empty() && name.is_string()) kind = name.as_string();
  if (kind == "BertForSequenceClassification" ||
      (kind.empty() && file.contains("classifier.weight")))
    return std::make_unique<Classifier>(folder);
  check(kind == "BertForMaskedLM" || kind == "BertForPreTraining" || kind.empty(), "pretrained",
        file.config_path, ": a ", kind,
        " cannot be used: expected BertForSequenceClassification or BertForMaskedLM");
  return std::make_unique<MaskedModel>(folder);
}

}  // namespace tarsier::zoo::hub
