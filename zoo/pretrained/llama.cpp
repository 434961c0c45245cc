#include "zoo/pretrained/llama.h"

#include <map>
#include <utility>

#include "autograd/io/json.h"
#include "zoo/pretrained/encoder.h"

namespace tarsier::zoo {

namespace {

using llama::Rope;

constexpr const char* kName = "pretrained";
constexpr std::string_view kPrefix = "model.";
constexpr const char* kHead = "lm_head.weight";
constexpr const char* kEmbedding = "embed_tokens.weight";

const std::map<std::string, Rope::Kind> kKinds = {{"default", Rope::Kind::plain},
                                                  {"linear", Rope::Kind::linear},
                                                  {"dynamic", Rope::Kind::dynamic},
                                                  {"yarn", Rope::Kind::yarn},
                                                  {"llama3", Rope::Kind::llama3}};

/// The object under `key` as a config of its own, for its errors; empty if there is none.
Pretrained part_of(const Pretrained& file, std::string_view key) {
  Pretrained part;
  part.config_path = concat(file.config_path, ", '", key, "'");
  part.config = file.has(key) ? file.config[key] : Json(Json::Object{});
  check(part.config.is_object(), kName, part.config_path, ": expected an object {…}");
  return part;
}

/// A number above `least`.
double above(double least, const Pretrained& file, std::string_view key,
             std::optional<double> otherwise = {}) {
  const double value = file.number(key, otherwise);
  check(value > least, kName, file.config_path, ": '", key, "' is ", value, ", where more than ",
        least, " was expected");
  return value;
}

Rope rope_of(const Pretrained& file) {
  const Pretrained part =
      part_of(file, file.has("rope_parameters") ? "rope_parameters" : "rope_scaling");
  const std::string type = part.text("rope_type", part.text("type", "default"));
  const auto kind = kKinds.find(type);
  check(kind != kKinds.end(), kName, part.config_path, ": the type '", type,
        "' is not supported: expected default, dynamic, linear, llama3 or yarn");
  require_option(part.number("partial_rotary_factor", 1) == 1, part, "partial_rotary_factor");

  Rope rope;
  rope.kind = kind->second;
  rope.theta =
      part.has("rope_theta") ? above(1, part, "rope_theta") : above(1, file, "rope_theta", 10000);
  rope.longest = static_cast<double>(file.size("max_position_embeddings", 2048));
  rope.original = above(0, part, "original_max_position_embeddings", rope.longest);
  if (rope.kind == Rope::Kind::plain) return rope;
  const bool by_length = rope.kind == Rope::Kind::yarn;  // whose factor may be missing
  rope.factor = above(0, part, "factor",
                      by_length ? std::optional(rope.longest / rope.original) : std::nullopt);
  if (rope.kind == Rope::Kind::dynamic) require_option(rope.factor >= 1, part, "factor");
  if (rope.kind == Rope::Kind::llama3) {
    rope.low_freq_factor = above(0, part, "low_freq_factor");
    rope.high_freq_factor = above(rope.low_freq_factor, part, "high_freq_factor");
  }
  rope.beta_fast = above(0, part, "beta_fast", rope.beta_fast);
  rope.beta_slow = above(0, part, "beta_slow", rope.beta_slow);
  rope.truncate = part.flag("truncate", true);
  if (part.has("attention_factor")) rope.attention_factor = above(0, part, "attention_factor");
  rope.mscale = part.number("mscale", 0);
  rope.mscale_all_dim = part.number("mscale_all_dim", 0);
  return rope;
}

/// The window of each layer.
std::vector<std::optional<int64_t>> windows_of(const Pretrained& file, const std::string& type,
                                               int64_t layers) {
  std::optional<int64_t> window;
  const bool is_mistral = type == "mistral";
  const bool is_null = file.config.find("sliding_window") != nullptr && !file.has("sliding_window");
  if (is_mistral ? !is_null : type != "llama" && file.flag("use_sliding_window", false))
    window = file.size("sliding_window", 4096);
  std::vector<std::optional<int64_t>> windows(static_cast<size_t>(layers));
  if (!window) return windows;
  const int64_t first = is_mistral ? 0 : file.size("max_window_layers", 28);
  const Json* kinds =
      is_mistral || !file.has("layer_types") ? nullptr : file.config.find("layer_types");
  check(kinds == nullptr ||
            (kinds->is_array() && static_cast<int64_t>(kinds->as_array().size()) == layers),
        kName, file.config_path, ": 'layer_types' should be a list of ", layers, " types");
  const auto kind_of = [&](int64_t i) -> std::string {
    if (kinds == nullptr) return i >= first ? "sliding_attention" : "full_attention";
    const Json& kind = kinds->as_array()[static_cast<size_t>(i)];
    return kind.is_string() ? kind.as_string() : "";
  };
  for (int64_t i = 0; i < layers; ++i) {
    const std::string kind = kind_of(i);
    check(kind == "sliding_attention" || kind == "full_attention", kName, file.config_path,
          ": 'layer_types' has '", kind,
          "', where full_attention or sliding_attention was expected");
    if (kind == "sliding_attention") windows[static_cast<size_t>(i)] = window;
  }
  return windows;
}

/// Checks the sizes against the weights, before making a model that they cannot fill and memory may
/// not hold.
void check_sizes(const Pretrained& file, const llama::Config& c, const char* embedding) {
  file.require(embedding, {c.vocab_size, c.hidden_size});
  const std::string last = concat("layers.", c.num_hidden_layers - 1, ".");
  file.require(last + "mlp.gate_proj.weight", {c.intermediate_size, c.hidden_size});
  for (const auto& [name, heads] :
       {std::pair{"q_proj", c.num_attention_heads}, std::pair{"k_proj", c.num_key_value_heads}}) {
    const int64_t rows = rows_of(file, concat(last, "self_attn.", name, ".weight"));
    check(rows % heads == 0 && rows / heads == c.head_dim, kName, file.weights_path, ": '", last,
          "self_attn.", name, ".weight' has ", rows, " rows, where ", file.config_path,
          " asks for ", heads, " heads of ", c.head_dim);
  }
}

llama::Config config_of(const Pretrained& file) {
  const std::string type = file.text("model_type");
  const bool is_qwen2 = type == "qwen2", is_qwen3 = type == "qwen3";
  llama::Config c;
  c.vocab_size = file.size("vocab_size");
  c.hidden_size = file.size("hidden_size");
  c.intermediate_size = file.size("intermediate_size");
  c.num_hidden_layers = file.size("num_hidden_layers");
  c.num_attention_heads = file.size("num_attention_heads");
  c.num_key_value_heads = file.size("num_key_value_heads", c.num_attention_heads);
  c.head_dim = file.size("head_dim", is_qwen3 ? 128 : c.hidden_size / c.num_attention_heads);
  c.rms_norm_eps = file.number("rms_norm_eps", 1e-6);
  c.hidden_act = activation_of(file, "hidden_act", "silu");
  const bool biases = (type == "llama" || is_qwen3) && file.flag("attention_bias", false);
  c.qkv_bias = biases || is_qwen2;
  c.o_bias = biases;
  c.mlp_bias = type == "llama" && file.flag("mlp_bias", false);
  c.qk_norm = is_qwen3;
  c.tie_word_embeddings =
      file.flag("tie_word_embeddings", false) && file.is_tied(kHead, kEmbedding);
  c.rope = rope_of(file);
  return c;
}

}  // namespace

std::unique_ptr<llama::Llama> load_llama(const std::string& path,
                                         std::vector<std::string>* unused) {
  const Pretrained file = open_pretrained(
      path, std::vector<std::string_view>{"llama", "mistral", "qwen2", "qwen3"}, kPrefix);
  llama::Config config = config_of(file);
  // The file may hold a tied matrix under either name.
  const bool under_head =
      config.tie_word_embeddings && !file.contains(kEmbedding) && file.contains(kHead);
  check_sizes(file, config, under_head ? kHead : kEmbedding);
  config.windows = windows_of(file, file.text("model_type"), config.num_hidden_layers);

  auto model = make_empty<llama::Llama>(file, config);
  const auto source_of = [&](const std::string& name) -> Source {
    if (name == kHead) return config.tie_word_embeddings ? Source{} : Source{{kHead}};
    const std::string there = name.substr(kPrefix.size());
    return {{there == kEmbedding && under_head ? kHead : there}};
  };
  const auto is_constant = [](std::string_view name) {  // a duplicate tied head; old files' angles
    return name == kHead || name.ends_with("rotary_emb.inv_freq");
  };
  const std::vector<std::string> heads = load_weights(
      *model, file, source_of, {{"score.", "classifier.", "qa_outputs."}, is_constant});
  if (unused != nullptr) *unused = heads;
  model->eval();
  return model;
}

}  // namespace tarsier::zoo
