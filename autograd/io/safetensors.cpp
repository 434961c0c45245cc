#include "autograd/io/safetensors.h"

#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstring>
#include <functional>
#include <vector>

#include "autograd/io/json.h"
#include "autograd/io/stored_type.h"
#include "autograd/io/utf8.h"
#include "autograd/ops.h"

namespace tarsier {
namespace {

static_assert(std::endian::native == std::endian::little, "the format is little endian");

constexpr const char* kMetadata = "__metadata__";
constexpr uint64_t kMaxHeader = 100'000'000;  // the limit of the original implementation

/// A shape of any number of dimensions, as Shape is printed.
std::string describe(const std::vector<int64_t>& shape) {
  std::string text = "(";
  for (size_t i = 0; i < shape.size(); ++i)
    text += concat(i > 0 ? ", " : "", shape[i], shape.size() == 1 ? "," : "");
  return text + ")";
}

}  // namespace

// ----------------------------------------------------------------------------------------- loading

// Whatever a file contains, the result is tensors or an Error.

template <class... Parts>
void SafetensorsFile::require(bool condition, const Parts&... parts) const {
  if (!condition) [[unlikely]]
    fail("safetensors", path_, ": ", parts...);
}

SafetensorsFile::SafetensorsFile(const std::string& path)
    : path_(path), file_(std::make_shared<const MappedFile>(path)) {
  read_header();
  check_offsets();
  for (size_t i = 0; i < tensors_.size(); ++i) index_.emplace(tensors_[i].name, i);
}

void SafetensorsFile::read_header() {
  const std::string_view text = file_->text();
  require(text.size() >= 8, "cut off: ", text.size(),
          " bytes, but the length of the header alone takes 8");
  uint64_t length;
  std::memcpy(&length, text.data(), 8);
  require(length <= kMaxHeader, "not a safetensors file: the first 8 bytes say that the header is ",
          length, " bytes long, but the limit is ", kMaxHeader);
  require(length <= text.size() - 8, "cut off: the header should have ", length,
          " bytes, but after its length there are ", text.size() - 8);
  data_ = file_->data() + 8 + length;
  data_size_ = static_cast<int64_t>(text.size() - 8 - length);
  require(length > 0 && text[8] == '{', "not a safetensors file: the header does not begin with {");

  const Json header = Json::parse(text.substr(8, length), path_ + ", header");
  for (const auto& [name, value] : header.as_object()) {
    if (name == kMetadata) {
      read_metadata(value);
    } else {
      tensors_.push_back(read_entry(name, value));
    }
  }
}

void SafetensorsFile::read_metadata(const Json& value) {
  require(value.is_object(), kMetadata, " should be an object");
  for (const auto& [key, text] : value.as_object()) {
    require(text.is_string(), kMetadata, " '", key, "' should be a string");
    metadata_[key] = text.as_string();
  }
}

/// The member `key` of a tensor's description, a list of whole, non-negative numbers.
std::vector<int64_t> SafetensorsFile::read_sizes(const std::string& name, const Json& value,
                                                 const char* key) const {
  const Json* list = value.find(key);
  require(list != nullptr && list->is_array(), "tensor '", name, "' has no list '", key, "'");
  std::vector<int64_t> sizes;
  for (const Json& size : list->as_array()) {
    require(size.is_int() && size.as_int() >= 0, "tensor '", name, "': ", key,
            " should have whole numbers, 0 or more; found ", size.dump());
    sizes.push_back(size.as_int());
  }
  return sizes;
}

SafetensorsFile::Stored SafetensorsFile::read_entry(const std::string& name,
                                                    const Json& value) const {
  require(value.is_object(), "tensor '", name, "' should be described by an object");
  require(value.as_object().size() == 3, "tensor '", name, "' should have three members: dtype, ",
          "shape, data_offsets; found ", value.as_object().size());
  const Json* dtype = value.find("dtype");
  require(dtype != nullptr && dtype->is_string(), "tensor '", name, "' has no dtype");
  const std::vector<int64_t> shape = read_sizes(name, value, "shape");
  const std::vector<int64_t> offsets = read_sizes(name, value, "data_offsets");
  require(offsets.size() == 2, "tensor '", name, "': data_offsets should have 2 numbers, but has ",
          offsets.size());
  const int64_t begin = offsets[0], end = offsets[1];
  require(begin <= end && end <= data_size_, "tensor '", name, "': data_offsets ", begin, ", ", end,
          " are outside the ", data_size_, " bytes of data (is the file cut off?)");

  // Sizes of 0 come last, so that (2⁶², 2⁶², 0) is an error everywhere or nowhere.
  const StoredType* type = find_stored_type(dtype->as_string());
  int64_t bits = type != nullptr ? type->bits : 1;
  bool fits = true, empty = false;
  for (const int64_t size : shape) {
    if (size == 0) empty = true;
    if (size != 0) fits = fits && !__builtin_mul_overflow(bits, size, &bits);
  }
  require(fits, "tensor '", name, "': shape ", describe(shape), " is larger than any memory");
  if (empty) bits = 0;
  if (type != nullptr) {  // the size of other types is unknown
    require(bits % 8 == 0, "tensor '", name, "': ", type->name, " of shape ", describe(shape),
            " ends in the middle of a byte");
    require(end - begin == bits / 8, "tensor '", name, "': ", type->name, " of shape ",
            describe(shape), " takes ", bits / 8, " bytes, but data_offsets give it ", end - begin);
  }
  return {name, dtype->as_string(), shape, begin, end};
}

/// The tensors must cover the data without gaps and overlaps.
void SafetensorsFile::check_offsets() const {
  std::vector<const Stored*> in_order;
  for (const Stored& stored : tensors_) in_order.push_back(&stored);
  std::stable_sort(in_order.begin(), in_order.end(), [](const Stored* a, const Stored* b) {
    return std::pair(a->begin, a->end) < std::pair(b->begin, b->end);
  });
  int64_t covered = 0;
  for (const Stored* stored : in_order) {
    require(stored->begin >= covered, "tensor '", stored->name, "' begins at byte ", stored->begin,
            " of the data, inside another that ends at ", covered);
    require(stored->begin == covered, "bytes ", covered, " to ", stored->begin,
            " of the data, before tensor '", stored->name, "', belong to no tensor");
    covered = stored->end;
  }
  require(covered == data_size_, "the last ", data_size_ - covered,
          " bytes of the data belong to no tensor");
}

const SafetensorsFile::Stored* SafetensorsFile::find(std::string_view name) const {
  const auto found = index_.find(name);
  return found == index_.end() ? nullptr : &tensors_[found->second];
}

std::string_view SafetensorsFile::bytes(const Stored& stored) const {
  return {data_ + stored.begin, static_cast<size_t>(stored.end - stored.begin)};
}

std::optional<DType> SafetensorsFile::dtype_of(const Stored& stored) {
  const StoredType* type = find_stored_type(stored.dtype);
  if (type == nullptr || !type->can_be_read() || stored.shape.size() > kMaxDims)
    return std::nullopt;
  return type->dtype;
}

Tensor SafetensorsFile::read(std::string_view name) const {
  const Stored* stored = find(name);
  require(stored != nullptr, "there is no tensor '", name, "' among the ", tensors_.size());
  const StoredType* type = find_stored_type(stored->dtype);
  require(type != nullptr && type->can_be_read(), "tensor '", name, "' has dtype ", stored->dtype,
          ", which cannot be read; supported are ", readable_types(),
          ". SafetensorsFile reads the other tensors of the file");
  require(stored->shape.size() <= kMaxDims, "tensor '", name, "' has ", stored->shape.size(),
          " dimensions: at most ", kMaxDims, " can be read");
  return tensor_of(*type, data_ + stored->begin, Shape(stored->shape), file_, "safetensors",
                   concat(path_, ": tensor '", name, "'"));
}

TensorDict load_safetensors(const std::string& path, Metadata* metadata) {
  if (metadata != nullptr) metadata->clear();
  const SafetensorsFile file(path);
  if (metadata != nullptr) *metadata = file.metadata();
  TensorDict tensors;
  for (const SafetensorsFile::Stored& stored : file.tensors())
    tensors.add(stored.name, file.read(stored.name));
  return tensors;
}

// ------------------------------------------------------------------------------------------ saving

namespace {

/// A tensor as it is written.
struct Written {
  std::string name;
  std::string_view dtype;
  Json::Array shape;
  int64_t width;  // bytes of an element
  int64_t bytes;
  std::function<void(AtomicFile&)> write;
};

Written written(const std::string& name, const Tensor& tensor) {
  const auto width = static_cast<int64_t>(size_of(tensor.dtype()));
  const auto write = [tensor](AtomicFile& file) {
    const Tensor row = contiguous(tensor.detach());
    dispatch_all(row.dtype(), [&]<class T>() {
      file.write(row.data<T>(), static_cast<size_t>(row.numel()) * sizeof(T));
    });
  };
  return {
      name,  stored_name(tensor.dtype()), Json::Array(tensor.shape().begin(), tensor.shape().end()),
      width, tensor.numel() * width,      write};
}

Written written(const Int8Tensor& tensor) {
  const auto write = [&tensor](AtomicFile& file) {
    file.write(tensor.elements.data(), tensor.elements.size());
  };
  int64_t count = 1;
  for (const int64_t size : tensor.shape) count *= size;
  check(count == std::ssize(tensor.elements), "safetensors", "'", tensor.name, "' of shape ",
        describe(tensor.shape), " has ", tensor.elements.size(), " elements");
  return {tensor.name, "I8",  Json::Array(tensor.shape.begin(), tensor.shape.end()),
          1,           count, write};
}

/// Where each tensor begins. Wide elements first, which aligns every tensor, because the data begin
/// at a multiple of 8.
std::vector<size_t> order_of(const std::vector<Written>& all) {
  std::vector<size_t> order(all.size());
  for (size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return all[a].width > all[b].width; });
  return order;
}

}  // namespace

void save_safetensors(const std::string& path, const TensorDict& tensors, const Metadata& metadata,
                      const std::vector<Int8Tensor>& integers) {
  std::vector<Written> all;
  for (const auto& [name, tensor] : tensors) all.push_back(written(name, tensor));
  for (const Int8Tensor& tensor : integers) {
    check(!tensors.contains(tensor.name), "safetensors", path, ": two tensors '", tensor.name, "'");
    all.push_back(written(tensor));
  }
  const std::vector<size_t> order = order_of(all);
  std::vector<int64_t> begins(all.size());
  int64_t end = 0;
  for (const size_t i : order) {
    begins[i] = end;
    end += all[i].bytes;
  }

  Json::Object header;
  if (!metadata.empty()) {
    Json::Object texts;
    for (const auto& [key, text] : metadata) texts.emplace_back(key, text);
    header.emplace_back(kMetadata, std::move(texts));
  }
  for (size_t i = 0; i < all.size(); ++i) {
    Written& one = all[i];
    check(one.name != kMetadata && is_utf8(one.name), "safetensors", path, ": '", one.name,
          "' cannot be the name of a tensor");
    header.emplace_back(
        one.name, Json::Object{{"dtype", one.dtype},
                               {"shape", std::move(one.shape)},
                               {"data_offsets", Json::Array{begins[i], begins[i] + one.bytes}}});
  }
  std::string text = Json(std::move(header)).dump();
  text.resize((text.size() + 7) / 8 * 8, ' ');

  AtomicFile file(path);
  const uint64_t length = text.size();
  file.write(&length, 8);
  file.write(text);
  for (const size_t i : order) all[i].write(file);
  file.commit();
}

}  // namespace tarsier
