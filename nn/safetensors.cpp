#include "nn/safetensors.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <memory>
#include <vector>

#include "autograd/ops.h"
#include "nn/file.h"
#include "nn/json.h"
#include "nn/utf8.h"

namespace tarsier::nn {
namespace {

static_assert(std::endian::native == std::endian::little, "the format is little endian");

constexpr const char* kMetadata = "__metadata__";
constexpr uint64_t kMaxHeader = 100'000'000;  // the limit of the original implementation

/// An element type as it is stored.
struct StoredType {
  const char* name;
  int64_t bytes;
  DType dtype;  // that it becomes
};
constexpr StoredType kTypes[] = {{"F32", 4, f32},      {"F64", 8, f64}, {"I64", 8, i64},
                                 {"BOOL", 1, boolean}, {"F16", 2, f32}, {"BF16", 2, f32}};

const char* stored_name(DType dtype) {
  for (const StoredType& type : kTypes)
    if (type.dtype == dtype) return type.name;
  return "";
}

// ----------------------------------------------------------------------------------------- loading

/// What the header says of one tensor, checked.
struct Entry {
  std::string name;
  StoredType type;
  Shape shape;
  int64_t begin, end;  // bytes after the header
};

/// Reads one file. Whatever it contains, the result is tensors or an Error.
class Reader {
 public:
  explicit Reader(const std::string& path)
      : path_(path), file_(std::make_shared<const MappedFile>(path)) {}

  TensorDict read(Metadata* metadata) {
    const std::vector<Entry> entries = read_header(metadata);
    check_offsets(entries);
    TensorDict tensors;
    for (const Entry& entry : entries) tensors.add(entry.name, read_tensor(entry));
    return tensors;
  }

 private:
  template <class... Parts>
  void require(bool condition, const Parts&... parts) const {
    if (!condition) [[unlikely]]
      fail("safetensors", path_, ": ", parts...);
  }

  std::vector<Entry> read_header(Metadata* metadata) {
    const std::string_view text = file_->text();
    require(text.size() >= 8, "cut off: ", text.size(),
            " bytes, where the length of the header alone takes 8");
    uint64_t length;
    std::memcpy(&length, text.data(), 8);
    require(length <= kMaxHeader,
            "not a safetensors file: the first 8 bytes say that the header is ", length,
            " bytes long, and ", kMaxHeader, " is the limit");
    require(length <= text.size() - 8, "cut off: the header should have ", length,
            " bytes, and after its length there are ", text.size() - 8);
    data_ = file_->data() + 8 + length;
    data_size_ = static_cast<int64_t>(text.size() - 8 - length);
    require(length > 0 && text[8] == '{',
            "not a safetensors file: the header does not begin with {");

    const Json header = Json::parse(text.substr(8, length), path_ + ", header");
    std::vector<Entry> entries;
    for (const auto& [name, value] : header.as_object()) {
      if (name == kMetadata) {
        read_metadata(value, metadata);
      } else {
        entries.push_back(read_entry(name, value));
      }
    }
    return entries;
  }

  void read_metadata(const Json& value, Metadata* metadata) const {
    require(value.is_object(), kMetadata, " should be an object");
    for (const auto& [key, text] : value.as_object()) {
      require(text.is_string(), kMetadata, " '", key, "' should be a string");
      if (metadata != nullptr) (*metadata)[key] = text.as_string();
    }
  }

  /// The member `key` of a tensor's description, which must have the given number of whole,
  /// non-negative numbers (−1: any number of them).
  std::vector<int64_t> read_sizes(const std::string& name, const Json& value, const char* key,
                                  int64_t count) const {
    const Json* list = value.find(key);
    require(list != nullptr && list->is_array(), "tensor '", name, "' has no list '", key, "'");
    std::vector<int64_t> sizes;
    for (const Json& size : list->as_array()) {
      require(size.is_int() && size.as_int() >= 0, "tensor '", name, "': ", key,
              " should have whole numbers, 0 or more; found ", size.dump());
      sizes.push_back(size.as_int());
    }
    require(count < 0 || static_cast<int64_t>(sizes.size()) == count, "tensor '", name, "': ", key,
            " should have ", count, " numbers, and has ", sizes.size());
    return sizes;
  }

  Entry read_entry(const std::string& name, const Json& value) const {
    require(value.is_object(), "tensor '", name, "' should be described by an object");
    require(value.as_object().size() == 3, "tensor '", name, "' should have three members: dtype, ",
            "shape, data_offsets; found ", value.as_object().size());
    const Json* dtype = value.find("dtype");
    require(dtype != nullptr && dtype->is_string(), "tensor '", name, "' has no dtype");
    const auto* type = std::find_if(std::begin(kTypes), std::end(kTypes), [&](const StoredType& t) {
      return t.name == dtype->as_string();
    });
    require(type != std::end(kTypes), "tensor '", name, "' has dtype ", dtype->as_string(),
            ": F32, F64, F16, BF16, I64 and BOOL can be read");

    const std::vector<int64_t> sizes = read_sizes(name, value, "shape", -1);
    require(sizes.size() <= kMaxDims, "tensor '", name, "' has ", sizes.size(),
            " dimensions: at most ", kMaxDims, " can be read");
    // Sizes of 0 come last, so that (2⁶², 2⁶², 0) is an error everywhere or nowhere.
    int64_t bytes = type->bytes;
    bool fits = true;
    for (const int64_t size : sizes)
      if (size != 0) fits = fits && !__builtin_mul_overflow(bytes, size, &bytes);
    const Shape shape(sizes);
    require(fits, "tensor '", name, "': shape ", shape, " is larger than any memory");
    if (std::find(sizes.begin(), sizes.end(), 0) != sizes.end()) bytes = 0;

    const std::vector<int64_t> offsets = read_sizes(name, value, "data_offsets", 2);
    const int64_t begin = offsets[0], end = offsets[1];
    require(begin <= end && end <= data_size_, "tensor '", name, "': data_offsets ", begin, ", ",
            end, " lie outside of the ", data_size_, " bytes of data (is the file cut off?)");
    require(end - begin == bytes, "tensor '", name, "': ", type->name, " of shape ", shape,
            " takes ", bytes, " bytes, and data_offsets give it ", end - begin);
    return {name, *type, shape, begin, end};
  }

  /// The tensors must cover the data without gaps and overlaps.
  void check_offsets(std::vector<Entry> entries) const {
    std::stable_sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) {
      return std::pair(a.begin, a.end) < std::pair(b.begin, b.end);
    });
    int64_t covered = 0;
    for (const Entry& entry : entries) {
      require(entry.begin >= covered, "tensor '", entry.name, "' begins at byte ", entry.begin,
              " of the data, inside of another that ends at ", covered);
      require(entry.begin == covered, "bytes ", covered, " to ", entry.begin,
              " of the data, before tensor '", entry.name, "', belong to no tensor");
      covered = entry.end;
    }
    require(covered == data_size_, "the last ", data_size_ - covered,
            " bytes of the data belong to no tensor");
  }

  Tensor read_tensor(const Entry& entry) const {
    char* data = data_ + entry.begin;
    const size_t bytes = static_cast<size_t>(entry.end - entry.begin);
    if (entry.type.bytes == 2) return read_halves(entry, data);
    if (entry.type.dtype == boolean)
      for (size_t i = 0; i < bytes; ++i)
        require(data[i] == 0 || data[i] == 1, "tensor '", entry.name, "': element ", i,
                " of BOOL is ", int{data[i]}, ", neither 0 nor 1");
    const bool aligned =
        reinterpret_cast<uintptr_t>(data) % static_cast<uintptr_t>(entry.type.bytes) == 0;
    if (!aligned || bytes == 0) {
      const Tensor copy = Tensor::empty(entry.shape, entry.type.dtype);
      if (bytes > 0) std::memcpy(copy.impl()->storage->data(), data, bytes);
      return copy;
    }
    auto impl = std::make_shared<TensorImpl>();
    impl->storage = std::make_shared<Storage>(data, bytes, file_);
    impl->shape = entry.shape;
    impl->strides = contiguous_strides(entry.shape);
    impl->dtype = entry.type.dtype;
    return Tensor(std::move(impl));
  }

  static Tensor read_halves(const Entry& entry, const char* data) {
    const Tensor out = Tensor::empty(entry.shape, f32);
    const bool brain = entry.type.name[0] == 'B';
    float* p = out.data<float>();
    for (int64_t i = 0; i < out.numel(); ++i) {
      uint16_t half;
      std::memcpy(&half, data + 2 * i, 2);
      p[i] = brain ? std::bit_cast<float>(uint32_t{half} << 16) : float_of_half(half);
    }
    return out;
  }

  /// IEEE 754 binary16: 1 bit of sign, 5 of exponent, 10 of fraction.
  static float float_of_half(uint16_t half) {
    const uint32_t sign = uint32_t{half} >> 15 << 31, exponent = half >> 10 & 31;
    const uint32_t fraction = half & 1023;
    if (exponent == 0) {  // zero, or fraction · 2⁻²⁴
      const float value = static_cast<float>(fraction) * 0x1p-24f;
      return sign != 0 ? -value : value;
    }
    const uint32_t wide = exponent == 31 ? 255 : exponent + 112;  // the bias: 15 becomes 127
    return std::bit_cast<float>(sign | wide << 23 | fraction << 13);
  }

  std::string path_;
  std::shared_ptr<const MappedFile> file_;
  char* data_ = nullptr;
  int64_t data_size_ = 0;
};

}  // namespace

TensorDict load_safetensors(const std::string& path, Metadata* metadata) {
  if (metadata != nullptr) metadata->clear();
  return Reader(path).read(metadata);
}

// ------------------------------------------------------------------------------------------ saving

void save_safetensors(const std::string& path, const TensorDict& tensors,
                      const Metadata& metadata) {
  // Wide elements first: every tensor is then aligned, for the data begins at a multiple of 8.
  std::vector<size_t> order(tensors.size());
  for (size_t i = 0; i < order.size(); ++i) order[i] = i;
  const auto entry = [&](size_t i) -> const TensorDict::Entry& {
    return *(tensors.begin() + static_cast<int64_t>(i));
  };
  const auto width = [&](size_t i) { return size_of(entry(i).second.dtype()); };
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return width(a) > width(b); });
  std::vector<int64_t> begins(tensors.size());
  int64_t end = 0;
  for (const size_t i : order) {
    begins[i] = end;
    end += entry(i).second.numel() * static_cast<int64_t>(width(i));
  }

  Json::Object header;
  if (!metadata.empty()) {
    Json::Object texts;
    for (const auto& [key, text] : metadata) texts.emplace_back(key, text);
    header.emplace_back(kMetadata, std::move(texts));
  }
  for (size_t i = 0; i < tensors.size(); ++i) {
    const auto& [name, tensor] = entry(i);
    check(name != kMetadata && is_utf8(name), "safetensors", path, ": '", name,
          "' cannot be the name of a tensor");
    const int64_t bytes = tensor.numel() * static_cast<int64_t>(width(i));
    Json::Array shape(tensor.shape().begin(), tensor.shape().end());
    header.emplace_back(name,
                        Json::Object{{"dtype", stored_name(tensor.dtype())},
                                     {"shape", std::move(shape)},
                                     {"data_offsets", Json::Array{begins[i], begins[i] + bytes}}});
  }
  std::string text = Json(std::move(header)).dump();
  text.resize((text.size() + 7) / 8 * 8, ' ');

  AtomicFile file(path);
  const uint64_t length = text.size();
  file.write(&length, 8);
  file.write(text);
  for (const size_t i : order) {
    const Tensor row = contiguous(entry(i).second.detach());
    dispatch_all(row.dtype(), [&]<class T>() {
      file.write(row.data<T>(), static_cast<size_t>(row.numel()) * sizeof(T));
    });
  }
  file.commit();
}

}  // namespace tarsier::nn
