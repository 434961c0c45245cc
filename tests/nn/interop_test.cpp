// State dicts to and from PyTorch itself, through Python's safetensors library. Runs if the
// environment variable TARSIER_PYTHON names a Python that has both:
//   TARSIER_PYTHON=/path/to/venv/bin/python tests/run
#include <doctest/doctest.h>

#include <cstdlib>
#include <fstream>
#include <functional>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include "nn/nn.h"
#include "tests/data.h"
#include "tests/nn/temporary.h"

namespace tarsier {
namespace {

struct Case {
  std::string name;
  std::string pytorch;
  std::function<std::unique_ptr<nn::Module>()> make;
};

/// make<M>(args…) makes an M(args…).
template <class M, class... Args>
std::function<std::unique_ptr<nn::Module>()> make(Args... args) {
  return [=] { return std::make_unique<M>(args...); };
}

/// A tree of containers.
struct Tree : nn::Module {
  nn::Sequential body;
  nn::ModuleList<nn::Linear> list{2, 3, 3};
  nn::ModuleDict dict;
  Tree() {
    body.add<nn::Conv2d>(1, 2, 3).add<nn::BatchNorm2d>(2).add<nn::ReLU>();
    body.add_named<nn::Sequential>("head");
    dynamic_cast<nn::Sequential&>(body[3]).add<nn::Flatten>().add<nn::Linear>(8, 3);
    dict.add<nn::Embedding>("words", 5, 3);
    dict.add<nn::LayerNorm>("norm", 3);
    register_module("body", body);
    register_module("list", list);
    register_module("dict", dict);
  }
};
const char* const kTree =
    "nn.ModuleDict({'body': nn.Sequential(__import__('collections').OrderedDict([('0', "
    "nn.Conv2d(1, 2, 3)), ('1', nn.BatchNorm2d(2)), ('2', nn.ReLU()), ('head', "
    "nn.Sequential(nn.Flatten(), nn.Linear(8, 3)))])), 'list': nn.ModuleList([nn.Linear(3, 3), "
    "nn.Linear(3, 3)]), 'dict': nn.ModuleDict({'words': nn.Embedding(5, 3), 'norm': "
    "nn.LayerNorm(3)})})";

/// Every module that has a state, with the options that change its keys.
std::vector<Case> cases() {
  using namespace nn;
  const auto vector = [](int64_t n) { return ones({n}); };
  const TransformerLayerOptions small{.dim_feedforward = 9};
  const TransformerLayerOptions bare{.dim_feedforward = 9, .norm_first = true, .bias = false};
  const std::string sizes = "6, 2, dim_feedforward=9";
  const auto layer = [&](const std::string& kind, const std::string& more = "") {
    return "nn.Transformer" + kind + "Layer(" + sizes + more + ")";
  };
  const std::string without = ", norm_first=True, bias=False";
  return {
      {"linear", "nn.Linear(3, 4)", make<Linear>(3, 4)},
      {"linear_no_bias", "nn.Linear(3, 4, bias=False)", make<Linear>(3, 4, false)},
      {"bilinear", "nn.Bilinear(3, 4, 5)", make<Bilinear>(3, 4, 5)},
      {"bilinear_no_bias", "nn.Bilinear(3, 4, 5, bias=False)", make<Bilinear>(3, 4, 5, false)},
      {"embedding", "nn.Embedding(5, 3)", make<Embedding>(5, 3)},
      {"embedding_padding", "nn.Embedding(5, 3, padding_idx=1)", make<Embedding>(5, 3, 1)},
      {"embedding_bag", "nn.EmbeddingBag(5, 3)", make<EmbeddingBag>(5, 3)},
      {"layer_norm", "nn.LayerNorm(5)", make<LayerNorm>(5)},
      {"layer_norm_two", "nn.LayerNorm((2, 5))", make<LayerNorm>(Shape{2, 5})},
      {"layer_norm_no_bias", "nn.LayerNorm(5, bias=False)", make<LayerNorm>(5, 1e-5, true, false)},
      {"layer_norm_plain", "nn.LayerNorm(5, elementwise_affine=False)",
       make<LayerNorm>(5, 1e-5, false)},
      {"rms_norm", "nn.RMSNorm(5)", make<RMSNorm>(5)},
      {"group_norm", "nn.GroupNorm(2, 6)", make<GroupNorm>(2, 6)},
      {"batch_norm1d", "nn.BatchNorm1d(5)", make<BatchNorm1d>(5)},
      {"batch_norm2d", "nn.BatchNorm2d(5)", make<BatchNorm2d>(5)},
      {"batch_norm2d_plain", "nn.BatchNorm2d(5, affine=False)",
       make<BatchNorm2d>(5, BatchNormOptions{.affine = false})},
      {"batch_norm2d_untracked", "nn.BatchNorm2d(5, track_running_stats=False)",
       make<BatchNorm2d>(5, BatchNormOptions{.track_running_stats = false})},
      {"conv1d", "nn.Conv1d(4, 6, 3, groups=2)", make<Conv1d>(4, 6, 3, Conv1dOptions{.groups = 2})},
      {"conv2d", "nn.Conv2d(3, 4, (2, 5))", make<Conv2d>(3, 4, Pair{2, 5})},
      {"conv2d_no_bias", "nn.Conv2d(3, 4, 3, bias=False)",
       make<Conv2d>(3, 4, Pair{3, 3}, Conv2dOptions{}, false)},
      {"conv_transpose2d", "nn.ConvTranspose2d(4, 6, (2, 3), groups=2)",
       make<ConvTranspose2d>(4, 6, Pair{2, 3}, ConvTranspose2dOptions{.groups = 2})},
      {"conv_transpose1d", "nn.ConvTranspose1d(4, 6, 3, groups=2)",
       make<ConvTranspose1d>(4, 6, 3, ConvTranspose1dOptions{.groups = 2})},
      {"instance_norm1d", "nn.InstanceNorm1d(5, affine=True, track_running_stats=True)",
       make<InstanceNorm1d>(5, InstanceNormOptions{.affine = true, .track_running_stats = true})},
      {"instance_norm2d", "nn.InstanceNorm2d(5, affine=True)",
       make<InstanceNorm2d>(5, InstanceNormOptions{.affine = true})},
      {"embedding_bag_padding", "nn.EmbeddingBag(5, 3, mode='max', padding_idx=1)",
       make<EmbeddingBag>(5, 3, "max", 1)},
      {"lstm", "nn.LSTM(3, 4, 2, bidirectional=True)",
       make<LSTM>(3, 4, RNNOptions{.num_layers = 2, .bidirectional = true})},
      {"gru_no_bias", "nn.GRU(3, 4, 2, bias=False)",
       make<GRU>(3, 4, RNNOptions{.num_layers = 2, .bias = false})},
      {"lstm_cell", "nn.LSTMCell(3, 4)", make<LSTMCell>(3, 4)},
      {"gru_cell", "nn.GRUCell(3, 4, bias=False)", make<GRUCell>(3, 4, false)},
      {"attention", "nn.MultiheadAttention(6, 2)", make<MultiheadAttention>(6, 2)},
      {"attention_no_bias", "nn.MultiheadAttention(6, 2, bias=False)",
       make<MultiheadAttention>(6, 2, MultiheadAttentionOptions{.bias = false})},
      {"attention_kdim", "nn.MultiheadAttention(6, 2, kdim=5, vdim=3)",
       make<MultiheadAttention>(6, 2, MultiheadAttentionOptions{.kdim = 5, .vdim = 3})},
      {"attention_bias_kv", "nn.MultiheadAttention(6, 2, add_bias_kv=True)",
       make<MultiheadAttention>(6, 2, MultiheadAttentionOptions{.add_bias_kv = true})},
      {"encoder_layer", layer("Encoder"), make<TransformerEncoderLayer>(6, 2, small)},
      {"encoder_layer_bare", layer("Encoder", without), make<TransformerEncoderLayer>(6, 2, bare)},
      {"decoder_layer", layer("Decoder"), make<TransformerDecoderLayer>(6, 2, small)},
      {"decoder_layer_bare", layer("Decoder", without), make<TransformerDecoderLayer>(6, 2, bare)},
      {"encoder", "nn.TransformerEncoder(" + layer("Encoder") + ", 2)",
       make<TransformerEncoder>(6, 2, 2, TransformerStackOptions{.layer = small})},
      {"encoder_norm", "nn.TransformerEncoder(" + layer("Encoder") + ", 2, nn.LayerNorm(6))",
       make<TransformerEncoder>(6, 2, 2,
                                TransformerStackOptions{.layer = small, .final_norm = true})},
      {"decoder", "nn.TransformerDecoder(" + layer("Decoder") + ", 3)",
       make<TransformerDecoder>(6, 2, 3, TransformerStackOptions{.layer = small})},
      {"transformer", "nn.Transformer(6, 2, 2, 1, dim_feedforward=9)",
       make<Transformer>(6, 2, 2, 1, small)},
      {"cross_entropy", "nn.CrossEntropyLoss(torch.ones(4))",
       make<CrossEntropyLoss>(CrossEntropyOptions{.weight = vector(4)})},
      {"nll", "nn.NLLLoss(torch.ones(4))", make<NLLLoss>(vector(4))},
      {"bce", "nn.BCELoss(torch.ones(4))", make<BCELoss>(vector(4))},
      {"bce_with_logits", "nn.BCEWithLogitsLoss(torch.ones(4), pos_weight=torch.ones(4))",
       make<BCEWithLogitsLoss>(vector(4), Reduction::mean, vector(4))},
      {"containers", kTree, make<Tree>()},
  };
}

std::vector<std::string> lines_of(const std::string& path) {
  std::ifstream file(path);
  std::vector<std::string> lines;
  for (std::string line; std::getline(file, line);) lines.push_back(line);
  return lines;
}

TEST_CASE("state dicts of every module go to PyTorch and back: same keys, order and bits") {
  const char* python = std::getenv("TARSIER_PYTHON");
  if (python == nullptr) {
    std::cout << "skipped: TARSIER_PYTHON names no Python with torch and safetensors\n";
    return;
  }
  const TemporaryFolder folder;
  const std::vector<Case> all = cases();
  {
    std::ofstream file(folder / "cases");
    for (const Case& one : all) file << one.name << '\t' << one.pytorch << '\n';
  }
  const auto run = [&](const std::string& command) {
    const std::string script = source_file("tests/golden/interop.py").string();
    return std::system(
        concat('"', python, "\" \"", script, "\" ", command, " \"", folder / "", '"').c_str());
  };
  REQUIRE(run("make") == 0);
  for (const Case& one : all) {
    CAPTURE(one.name);
    const std::unique_ptr<nn::Module> module = one.make();
    const TensorDict file = load_safetensors(folder / (one.name + ".torch"));
    CHECK_NOTHROW(module->load_state_dict(file));
    std::vector<std::string> keys;
    for (const auto& [key, tensor] : module->state_dict()) {
      keys.push_back(key);
      CHECK(tensor.to_vector() == file[key].to_vector());
    }
    CHECK(keys == lines_of(folder / (one.name + ".keys")));
    save_safetensors(folder / (one.name + ".tarsier"), module->state_dict());
  }
  CHECK(run("check") == 0);
}

}  // namespace
}  // namespace tarsier
