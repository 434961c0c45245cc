#include "nn/quantize.h"

#include <algorithm>
#include <map>
#include <set>
#include <span>
#include <utility>

#include "autograd/io/safetensors.h"
#include "nn/layers/quantizable.h"

namespace tarsier::nn {
namespace {

constexpr const char* kScale = "_scale";

/// The matrices of a model by their full names.
std::vector<std::pair<std::string, QuantizableMatrix>> matrices_of(Module& model) {
  std::vector<std::pair<std::string, QuantizableMatrix>> all;
  for (const auto& [path, module] : model.named_modules())
    if (auto* layer = dynamic_cast<Quantizable*>(module))
      for (const QuantizableMatrix& matrix : layer->matrices())
        all.emplace_back(concat(path, path.empty() ? "" : ".", matrix.name), matrix);
  return all;
}

/// A matrix of the model, and what takes its place.
struct Replacement {
  QuantizableMatrix matrix;
  QuantizedMatrix by;
};

void replace(Module& model, const std::vector<Replacement>& replacements) {
  for (const auto& [matrix, by] : replacements) {
    *matrix.quantized = by;
    *matrix.weight = Tensor();
  }
  model.eval();
  model.requires_grad_(false);
}

/// The int8 tensor of a file with its scales. Everything in the file may be wrong.
QuantizedMatrix read_matrix(const SafetensorsFile& file, const SafetensorsFile::Stored& stored) {
  const std::string scale_name = stored.name + kScale;
  const auto require = [&](bool condition, const auto&... text) {
    if (!condition) fail("quantize", file.path(), ": int8 tensor '", stored.name, "' ", text...);
  };
  require(stored.shape.size() == 2, "has ", stored.shape.size(),
          " dimensions: a matrix (out, in) is needed");
  const SafetensorsFile::Stored* scale = file.find(scale_name);
  require(scale != nullptr, "has no scales: '", scale_name, "' is missing");
  require(scale->dtype == "F32" && scale->shape == std::vector<int64_t>{stored.shape[0]},
          "needs scales '", scale_name, "' of F32, one for each of its ", stored.shape[0], " rows");
  const std::string_view bytes = file.bytes(stored);
  const std::span values(reinterpret_cast<const int8_t*>(bytes.data()), bytes.size());
  try {
    return QuantizedMatrix(values, stored.shape[1], file.read(scale_name).to_vector<float>());
  } catch (const Error& error) {
    fail("quantize", file.path(), ": int8 tensor '", stored.name, "': ", error.what());
  }
}

bool is_int8(const SafetensorsFile::Stored& stored) { return stored.dtype == "I8"; }

}  // namespace

std::vector<std::string> quantize_(Module& model) {
  std::vector<std::string> names;
  std::vector<Replacement> replacements;
  std::map<const TensorImpl*, QuantizedMatrix> made;  // tied matrices once
  for (const auto& [name, matrix] : matrices_of(model)) {
    if (!matrix.weight->defined()) continue;
    check(matrix.weight->dtype() == f32, "quantize", "'", name, "' is ", matrix.weight->dtype(),
          ": convert the model with to(f32) first");
    QuantizedMatrix& quantized = made[matrix.weight->impl()];
    try {
      if (!quantized.defined()) quantized = QuantizedMatrix(*matrix.weight);
    } catch (const Error& error) {
      fail("quantize", "'", name, "': ", error.what());
    }
    names.push_back(name);
    replacements.push_back({matrix, quantized});
  }
  replace(model, replacements);
  return names;
}

void save_quantized(const std::string& path, Module& model, const Metadata& metadata) {
  TensorDict state = model.state_dict();
  std::vector<Int8Tensor> integers;
  for (const auto& [name, matrix] : matrices_of(model)) {
    const QuantizedMatrix& quantized = *matrix.quantized;
    if (!quantized.defined()) continue;
    const std::span<const float> scales = quantized.scales();
    integers.push_back({name, {quantized.rows(), quantized.cols()}, quantized.values()});
    state.add(name + kScale,
              from_vector(std::vector<float>(scales.begin(), scales.end()), {quantized.rows()}));
  }
  save_safetensors(path, state, metadata, integers);
}

void load_quantized(Module& model, const std::string& path) {
  const SafetensorsFile file(path);
  std::map<std::string, QuantizableMatrix> places;
  for (const auto& [name, matrix] : matrices_of(model)) places.emplace(name, matrix);
  std::map<const TensorImpl*, std::pair<std::string_view, QuantizedMatrix>> read;  // by weight
  std::vector<Replacement> replacements;
  std::set<std::string> scales;
  for (const SafetensorsFile::Stored& stored : file.tensors()) {
    if (!is_int8(stored)) continue;
    const auto place = places.find(stored.name);
    check(place != places.end() && place->second.weight->defined(), "quantize", path,
          ": int8 tensor '", stored.name, "' is no matrix of this ", model.type_name());
    const Tensor& weight = *place->second.weight;
    QuantizedMatrix matrix = read_matrix(file, stored);
    check(Shape{matrix.rows(), matrix.cols()} == weight.shape(), "quantize", path,
          ": int8 tensor '", stored.name, "' is ", Shape{matrix.rows(), matrix.cols()}, " where ",
          weight.shape(), " belongs");
    const std::string_view bytes = file.bytes(stored);
    const auto& [tied, one] =
        read.emplace(weight.impl(), std::pair(bytes, std::move(matrix))).first->second;
    check(tied == bytes, "quantize", path, ": int8 tensor '", stored.name,
          "' differs from another that is the same matrix in this ", model.type_name());
    replacements.push_back({place->second, one});
    scales.insert(stored.name + kScale);
  }
  check(!replacements.empty(), "quantize", path, " holds no int8 weights: use load_state_dict()");
  replace(model, replacements);
  TensorDict rest;
  for (const SafetensorsFile::Stored& stored : file.tensors())
    if (!is_int8(stored) && !scales.contains(stored.name))
      rest.add(stored.name, file.read(stored.name));
  model.load_state_dict(rest);
}

bool holds_int8(const std::string& path) {
  const SafetensorsFile file(path);
  return std::any_of(file.tensors().begin(), file.tensors().end(), is_int8);
}

}  // namespace tarsier::nn
