#pragma once
// A file of tensors (autograd/io/safetensors.h) whose tensors are read one by one.
//
// How the dtypes of a file are read:
//
//   F32, F64, I64, BOOL           the same, mapped: nothing is read before it is used
//   U64                           i64, mapped; a value of 2⁶³ or more is an error
//   F16, BF16, F8_E4M3, F8_E5M2,  f32, exactly
//     F8_E4M3FNUZ, F8_E5M2FNUZ,
//     F8_E8M0
//   I32, I16, I8, U32, U16, U8    i64
//   C64, F4, F6_E2M3, F6_E3M2     cannot be read, like all dtypes that are not in this list

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "../tensor/tensor_dict.h"
#include "file.h"

namespace tarsier {

class Json;

/// Texts stored with the tensors.
using Metadata = std::map<std::string, std::string>;

/// A file whose header is read and checked, and whose tensors are read one by one. Unused tensors
/// cost nothing, and may have a dtype that cannot be read.
///   const SafetensorsFile file("model.safetensors");
///   for (const auto& stored : file.tensors()) std::cout << stored.name << ": " << stored.dtype;
///   const Tensor weight = file.read("wte.weight");
class SafetensorsFile {
 public:
  /// The header's description of a tensor.
  struct Stored {
    std::string name;
    std::string dtype;           ///< in the format's spelling: "F32", "BF16"
    std::vector<int64_t> shape;  ///< of any number of dimensions
    int64_t begin, end;          ///< its bytes, counted from the end of the header
  };

  /// Throws Error("safetensors") for a file that is not exactly in this format, and Error("file").
  explicit SafetensorsFile(const std::string& path);

  const std::string& path() const { return path_; }
  const Metadata& metadata() const { return metadata_; }
  /// The tensors in the order of the header.
  const std::vector<Stored>& tensors() const { return tensors_; }
  /// The tensor of that name, or null.
  const Stored* find(std::string_view name) const;

  /// Throws Error("safetensors") if there is none of that name, or it cannot be read: its dtype,
  /// more dimensions than a Tensor has (8), a BOOL that is neither 0 nor 1, a U64 above i64.
  Tensor read(std::string_view name) const;
  /// The dtype of the tensor that read() returns; empty if the stored dtype cannot be read.
  static std::optional<DType> dtype_of(const Stored& stored);
  /// The bytes in the file.
  std::string_view bytes(const Stored& stored) const;

 private:
  template <class... Parts>
  void require(bool condition, const Parts&... parts) const;
  void read_header();
  void read_metadata(const Json& value);
  std::vector<int64_t> read_sizes(const std::string& name, const Json& value,
                                  const char* key) const;
  Stored read_entry(const std::string& name, const Json& value) const;
  void check_offsets() const;

  std::string path_;
  std::shared_ptr<const MappedFile> file_;
  char* data_ = nullptr;
  int64_t data_size_ = 0;
  Metadata metadata_;
  std::vector<Stored> tensors_;
  std::map<std::string, size_t, std::less<>> index_;
};

}  // namespace tarsier
