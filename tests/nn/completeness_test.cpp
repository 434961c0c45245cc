// Is every layer tested? Reads the headers of nn/layers: every layer that they declare must be in
// the list below, from which its gradients, its state in a file, and its print are tested.
#include <doctest/doctest.h>

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <memory>
#include <regex>
#include <set>
#include <sstream>

#include "autograd/check/gradcheck.h"
#include "nn/layers/lora.h"
#include "nn/layers/relative_position_bias.h"
#include "nn/layers/residual.h"
#include "nn/nn.h"
#include "tests/data.h"
#include "tests/nn/temporary.h"

namespace tarsier {
namespace {

using Tensors = std::vector<Tensor>;

/// One layer: how to make it, and its inputs, f64 and if necessary i64 or bool.
struct LayerCase {
  std::function<std::unique_ptr<nn::Module>()> make;
  std::function<Tensor(nn::Module&, const Tensors&)> call;
  Tensors inputs;
};

/// The layer M(args…) called with its inputs.
template <class M, class... Args>
LayerCase layer(Tensors inputs, const Args&... args) {
  return {[=] { return std::make_unique<M>(args...); },
          [](nn::Module& module, const Tensors& x) {
            M& m = dynamic_cast<M&>(module);
            if constexpr (requires { m.forward(x[0], x[1], x[2], x[3]); }) {
              if (x.size() == 4) return m(x[0], x[1], x[2], x[3]);
            }
            if constexpr (requires { m.forward(x[0], x[1], x[2]); }) {
              if (x.size() == 3) return m(x[0], x[1], x[2]);
            }
            if constexpr (requires { m.forward(x[0], x[1]); }) {
              if (x.size() == 2) return m(x[0], x[1]);
            }
            if constexpr (requires { m.forward(x[0]); }) {
              if (x.size() == 1) return m(x[0]);
            }
            fail("test", module.type_name(), " cannot be called with so many inputs");
          },
          std::move(inputs)};
}

/// Numbers without ties and away from 0, where functions have kinks.
Tensor numbers(const Shape& shape) {
  static Generator generator(17);
  const Tensor order = to(randperm(shape.numel(), generator), f64);
  return reshape(order * 0.17 - 0.085 * static_cast<double>(shape.numel()) + 0.04, shape) * 0.5;
}
Tensor probabilities(const Shape& shape) { return softmax(numbers(shape), -1); }
Tensor whole(const std::vector<int64_t>& values) {
  return from_vector(values, {static_cast<int64_t>(values.size())});
}

std::vector<LayerCase> activations() {
  const Tensors x{numbers({3, 4})};
  return {layer<nn::GELU>(x),      layer<nn::ReLU>(x),          layer<nn::SiLU>(x),
          layer<nn::Tanh>(x),      layer<nn::Sigmoid>(x),       layer<nn::LeakyReLU>(x),
          layer<nn::ELU>(x),       layer<nn::Softplus>(x),      layer<nn::Softmax>(x, -1),
          layer<nn::GLU>(x),       layer<nn::LogSoftmax>(x, 0), layer<nn::SwiGLU>(x),
          layer<nn::GEGLU>(x),     layer<nn::CELU>(x),          layer<nn::Hardsigmoid>(x),
          layer<nn::Hardswish>(x), layer<nn::Hardtanh>(x),      layer<nn::LogSigmoid>(x),
          layer<nn::Mish>(x),      layer<nn::PReLU>(x),         layer<nn::ReLU6>(x),
          layer<nn::SELU>(x),      layer<nn::Softsign>(x)};
}

std::vector<LayerCase> losses() {
  const Tensors two{numbers({3, 4}), numbers({3, 4})},
      shares{probabilities({3, 4}), probabilities({3, 4})};
  const Tensor classes = whole({2, 0, 3});
  return {layer<nn::MSELoss>(two),
          layer<nn::L1Loss>(two),
          layer<nn::SmoothL1Loss>(two),
          layer<nn::HuberLoss>(two),
          layer<nn::CrossEntropyLoss>({numbers({3, 4}), classes}),
          layer<nn::NLLLoss>({numbers({3, 4}), classes}),
          layer<nn::BCELoss>(shares),
          layer<nn::BCEWithLogitsLoss>({numbers({3, 4}), probabilities({3, 4})}),
          layer<nn::KLDivLoss>({numbers({3, 4}), probabilities({3, 4})}),
          layer<nn::CosineEmbeddingLoss>({numbers({3, 4}), numbers({3, 4}), whole({1, -1, 1})}),
          layer<nn::TripletMarginLoss>({numbers({3, 4}), numbers({3, 4}), numbers({3, 4})}),
          layer<nn::CTCLoss>({log_softmax(numbers({4, 2, 3}), -1),
                              reshape(whole({1, 2, 2, 1}), {2, 2}), whole({4, 4}), whole({2, 2})})};
}

std::vector<LayerCase> maps_and_norms() {
  const Tensors image{numbers({2, 4, 4, 4})};
  const Conv2dOptions conv{.padding = 1};
  return {layer<nn::Linear>({numbers({3, 4})}, 4, 2),
          layer<nn::LoraLinear>({numbers({3, 4})}, 4, 2, true,
                                nn::LoraOptions{.r = 2, .lora_alpha = 3}),
          layer<nn::Bilinear>({numbers({3, 4}), numbers({3, 2})}, 4, 2, 3),
          layer<nn::Embedding>({whole({1, 0, 3, 1})}, 5, 3),
          layer<nn::EmbeddingBag>({whole({1, 0, 3, 1}), whole({0, 3})}, 5, 3),
          layer<nn::Conv2d>(image, 4, 3, Pair(3), conv),
          layer<nn::Conv1d>({numbers({2, 4, 5})}, 4, 3, 3),
          layer<nn::BasicBlock>(image, 4, 3, 2),
          layer<nn::ConvTranspose2d>(image, 4, 2, Pair(2)),
          layer<nn::ConvTranspose1d>({numbers({2, 4, 5})}, 4, 3, 3),
          layer<nn::Dropout>(image, 0.3),
          layer<nn::Dropout1d>({numbers({2, 4, 5})}, 0.3),
          layer<nn::Dropout2d>(image, 0.3),
          layer<nn::LayerNorm>(image, int64_t{4}),
          layer<nn::RMSNorm>(image, int64_t{4}),
          layer<nn::GroupNorm>(image, 2, 4),
          layer<nn::BatchNorm1d>({numbers({5, 4})}, 4),
          layer<nn::BatchNorm2d>(image, 4),
          layer<nn::InstanceNorm1d>({numbers({2, 4, 5})}, 4),
          layer<nn::InstanceNorm2d>(
              image, 4, nn::InstanceNormOptions{.affine = true, .track_running_stats = true}),
          layer<nn::MaxPool1d>({numbers({2, 4, 5})}, 2),
          layer<nn::AvgPool1d>({numbers({2, 4, 5})}, 2),
          layer<nn::AdaptiveAvgPool1d>({numbers({2, 4, 5})}, 3),
          layer<nn::MaxPool2d>(image, Pair(2)),
          layer<nn::AvgPool2d>(image, Pair(2)),
          layer<nn::AdaptiveAvgPool2d>(image, Pair(3)),
          layer<nn::Upsample>(image, InterpolateOptions{.scale_factor = 2}),
          layer<nn::Identity>(image),
          layer<nn::Lambda>(image, "squared", [](const Tensor& x) { return square(x); }),
          layer<nn::Flatten>(image),
          layer<nn::Unflatten>({numbers({3, 6})}, 1, Shape{2, 3}),
          layer<nn::SinusoidalPositions>({numbers({2, 3, 4})}, 4),
          layer<nn::LearnedPositions>({numbers({2, 3, 4})}, 5, 4),
          layer<nn::RotaryEmbedding>({numbers({2, 3, 4})}, 4)};
}

std::vector<LayerCase> attentions() {
  const nn::TransformerLayerOptions options{
      .dim_feedforward = 6, .dropout = 0, .activation = "gelu", .batch_first = true};
  const nn::TransformerStackOptions stack{.layer = options, .final_norm = true};
  const Tensors one{numbers({2, 3, 4})}, two{numbers({2, 3, 4}), numbers({2, 2, 4})};
  return {layer<nn::MultiheadAttention>(one, 4, 2),
          layer<nn::AttentionGate>({numbers({1, 2, 4, 4}), numbers({1, 3, 2, 2})}, 2, 3, 2),
          {[] { return std::make_unique<nn::RelativePositionBias>(2, 1, 3); },
           [](nn::Module& module, const Tensors& x) {  // only the size of x matters
             const Tensor mask = dynamic_cast<nn::RelativePositionBias&>(module)(x[0]);
             return cat({flatten(mask), flatten(x[0])});
           },
           one},
          layer<nn::GroupedQueryAttention>(one, 4, 2, 1),
          layer<nn::LocalAttention>(one, 4, 2, 2),
          layer<nn::RelativeAttention>(one, 4, 2, nn::RelativeAttentionOptions{.max_distance = 2}),
          layer<nn::TransformerEncoderLayer>(one, 4, 2, options),
          layer<nn::TransformerEncoder>(one, 4, 2, 1, stack),
          layer<nn::TransformerDecoderLayer>(two, 4, 2, options),
          layer<nn::TransformerDecoder>(two, 4, 2, 1, stack),
          layer<nn::Transformer>(two, 4, 2, 1, 1, options)};
}

/// The layer M(args…), whose results are checked as one vector.
template <class M, class... Args>
LayerCase recurrent(const Tensor& x, const Args&... args) {
  return {[=] { return std::make_unique<M>(args...); },
          [](nn::Module& module, const Tensors& inputs) {
            M& m = dynamic_cast<M&>(module);
            if constexpr (requires { m(inputs[0]).c_n; }) {
              const auto [output, h_n, c_n] = m(inputs[0]);
              return cat({flatten(output), flatten(h_n), flatten(c_n)});
            } else if constexpr (requires { m(inputs[0]).h_n; }) {
              const auto [output, h_n] = m(inputs[0]);
              return cat({flatten(output), flatten(h_n)});
            } else if constexpr (requires { m(inputs[0]).c; }) {
              const auto [h, c] = m(inputs[0]);
              return cat({h, c});
            } else {
              return m(inputs[0]);
            }
          },
          {x}};
}

std::vector<LayerCase> recurrents() {
  const nn::RNNOptions options{.num_layers = 2, .bidirectional = true};
  return {recurrent<nn::LSTMCell>(numbers({3, 2}), 2, 2),
          recurrent<nn::GRUCell>(numbers({3, 2}), 2, 2),
          recurrent<nn::LSTM>(numbers({3, 2, 2}), 2, 2, options),
          recurrent<nn::GRU>(numbers({3, 2, 2}), 2, 2, options)};
}

std::vector<LayerCase> repeated() {
  return {{[] { return std::make_unique<nn::AdaptiveComputation>(3, 3); },
           [](nn::Module& module, const Tensors& inputs) {
             const auto step = [](const Tensor& x, int64_t n) {
               return tanh(x + 0.1 * static_cast<double>(n));
             };
             const auto [output, ponder, steps] =
                 dynamic_cast<nn::AdaptiveComputation&>(module)(inputs[0], step);
             return cat({flatten(output), flatten(ponder)});
           },
           {numbers({2, 2, 3})}}};
}

const std::vector<LayerCase>& all_layers() {
  static const std::vector<LayerCase> all = [] {
    std::vector<LayerCase> cases;
    for (const auto& part :
         {activations(), losses(), maps_and_norms(), attentions(), recurrents(), repeated()})
      cases.insert(cases.end(), part.begin(), part.end());
    return cases;
  }();
  return all;
}

// ------------------------------------------------------------------------------- completeness

/// Parts of other layers, which are not made on their own.
const std::set<std::string> kBases = {"GatedUnit",      "BatchNorm", "ChannelNorm", "InstanceNorm",
                                      "InputPositions", "RNNBase",   "RNNCellBase"};

/// The layers declared in the text of a header: types derived from Layer, or from one of `known`.
std::set<std::string> declared_in(const std::string& header, const std::set<std::string>& known) {
  static const std::regex declaration(R"(\n(?:struct|class) (\w+)(?: final)? : (?:public )?(\w+))");
  std::set<std::string> names;
  for (std::sregex_iterator it(header.begin(), header.end(), declaration), end; it != end; ++it)
    if ((*it)[2] == "Layer" || known.count((*it)[2])) names.insert((*it)[1]);
  return names;
}

TEST_CASE("layers are recognised in a header") {
  const std::string header =
      "\nstruct A : Layer<A> {\n};\nclass B : public Layer<B> {\nstruct C : B {\n"
      "struct D final : A {\n\n// struct E : Layer<E>\nstruct F : Other {\n";
  CHECK(declared_in(header, {}) == std::set<std::string>{"A", "B"});
  CHECK(declared_in(header, {"A", "B"}) == std::set<std::string>{"A", "B", "C", "D"});
}

TEST_CASE("every layer of nn/layers is in the list of this test") {
  std::set<std::string> declared;
  for (size_t before = 1; before != declared.size();) {  // until no more derive from one another
    before = declared.size();
    for (const auto& entry : std::filesystem::directory_iterator(source_file("nn/layers"))) {
      if (entry.path().extension() != ".h") continue;
      std::ifstream in(entry.path());
      std::stringstream text;
      text << in.rdbuf();
      declared.merge(declared_in(text.str(), declared));
    }
  }
  CHECK(declared.size() > 50);
  std::set<std::string> listed = kBases;
  for (const LayerCase& each : all_layers()) {
    const std::string name = each.make()->type_name();
    CHECK_MESSAGE(listed.insert(name).second, name, " is listed twice");
  }
  for (const std::string& name : declared)
    CHECK_MESSAGE(listed.count(name), name, " is in nn/layers, but not in the list of this test");
  for (const std::string& name : listed)
    CHECK_MESSAGE(declared.count(name), name, " is listed, but not in nn/layers");
}

// ------------------------------------------------------------------------------------- checks

TEST_CASE("every layer: gradients of inputs and parameters are those of differences") {
  for (const LayerCase& each : all_layers()) {
    const auto module = each.make();
    CAPTURE(module->type_name());
    module->to(f64);
    if (module->type_name().starts_with("Dropout"))
      module->eval();  // it draws new numbers in each call
    Tensors inputs;
    for (const Tensor& x : each.inputs)
      inputs.push_back(is_floating(x.dtype()) ? clone(x).requires_grad_() : x);
    Tensors leaves = inputs;
    for (const Tensor& parameter : module->parameters()) leaves.push_back(parameter);
    // Values that some layers make from inputs of any layout are checked with the inputs as given.
    CHECK_NOTHROW(gradcheck(
        [&](const Tensors& x) {
          return each.call(*module,
                           Tensors(x.begin(), x.begin() + static_cast<int64_t>(inputs.size())));
        },
        leaves));
  }
}

TEST_CASE("every layer: another one with its saved state computes the same") {
  const TemporaryFolder folder;
  for (const LayerCase& each : all_layers()) {
    const auto module = each.make(), other = each.make();
    CAPTURE(module->type_name());
    module->to(f64);
    other->to(f64);
    if (!module->type_name().starts_with("Dropout"))
      each.call(*module, each.inputs);  // buffers change
    module->eval();
    other->eval();
    save_safetensors(folder / "state.safetensors", module->state_dict());
    other->load_state_dict(load_safetensors(folder / "state.safetensors"));
    const TensorDict state = module->state_dict(), loaded = other->state_dict();
    CHECK(loaded.size() == state.size());
    for (const auto& [name, tensor] : state) CHECK(loaded[name].to_vector() == tensor.to_vector());
    CHECK(each.call(*other, each.inputs).to_vector() ==
          each.call(*module, each.inputs).to_vector());
    if (module->parameters().empty()) continue;
    TensorDict short_of_one;
    for (const auto& [name, tensor] : module->state_dict())
      if (name != module->named_parameters().begin()->first) short_of_one.add(name, tensor);
    CHECK_THROWS_AS(other->load_state_dict(short_of_one), Error);
  }
}

TEST_CASE("every layer prints its name, and the number of its parameters") {
  for (const LayerCase& each : all_layers()) {
    const auto module = each.make();
    CAPTURE(module->type_name());
    std::ostringstream out;
    out << *module;
    CHECK(out.str().starts_with(module->type_name() + "("));
    const int64_t parameters = module->num_parameters();
    CHECK(out.str().ends_with("\n" + std::to_string(parameters) + " parameters"));
  }
}

}  // namespace
}  // namespace tarsier
