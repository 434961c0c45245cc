#pragma once
// Tensors in a file: the safetensors format, which the PyTorch ecosystem uses.
//
//   8 bytes   n, the length of the header, little endian
//   n bytes   JSON: {"name": {"dtype": "F32", "shape": [2, 3], "data_offsets": [begin, end]}, …,
//             "__metadata__": {"key": "text", …}}; offsets count from the end of the header
//   the rest  the tensors, row-major, little endian, without gaps
// Source: https://github.com/huggingface/safetensors

#include <string>
#include <vector>

#include "safetensors_file.h"

namespace tarsier {

/// A matrix of bytes to be written: no Tensor has elements of 8 bits.
struct Int8Tensor {
  std::string name;
  std::vector<int64_t> shape;
  std::vector<int8_t> elements;  ///< row-major
};

/// Writes `tensors` under their names (f32, f64, i64 and bool, of any strides), then `integers` as
/// I8, and `metadata`. The file appears complete or not at all (AtomicFile).
/// Throws Error("safetensors") for a name that is "__metadata__", not UTF-8, or taken, for a shape
/// that has not as many elements, and Error("file").
void save_safetensors(const std::string& path, const TensorDict& tensors,
                      const Metadata& metadata = {}, const std::vector<Int8Tensor>& integers = {});

/// The tensors of a file in the order of its header, and its metadata if `metadata` is not null.
/// Aligned F32, F64, I64 and BOOL tensors are not read but mapped: they cost no time before they
/// are used, and stay valid when another file is renamed over this one (MappedFile). Other dtypes
/// are converted (safetensors_file.h).
/// Throws Error("safetensors") that names the file, the tensor, what was expected and what was
/// found, for every file that is not exactly in this format, and Error("file").
TensorDict load_safetensors(const std::string& path, Metadata* metadata = nullptr);

}  // namespace tarsier
