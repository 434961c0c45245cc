#include "zoo/export/python_value.h"

#include <bit>
#include <filesystem>
#include <map>

#include "autograd/ops.h"
#include "zoo/zip/write.h"

namespace tarsier::zoo {

PythonValue::PythonValue(const TensorDict& tensors) {
  Dict dict;
  for (const auto& [name, tensor] : tensors) dict.emplace_back(name, tensor);
  content = std::move(dict);
}

namespace {

// The opcodes, by pickletools' names.
constexpr char kStop = '.', kMark = '(', kNone = 'N', kNewTrue = '\x88', kNewFalse = '\x89',
               kBinInt = 'J', kLong1 = '\x8a', kBinFloat = 'G', kBinUnicode = 'X', kGlobal = 'c',
               kReduce = 'R', kBinPersId = 'Q', kEmptyTuple = ')', kTuple = 't', kEmptyList = ']',
               kAppends = 'e', kEmptyDict = '}', kSetItems = 'u';
constexpr std::string_view kProtocol2 = "\x80\x02";

/// PyTorch's name for the storage of elements of this type.
const char* storage_of(DType dtype) {
  if (dtype == f32) return "FloatStorage";
  if (dtype == f64) return "DoubleStorage";
  return dtype == i64 ? "LongStorage" : "BoolStorage";
}

std::string_view bytes_of(const Tensor& tensor) {
  return dispatch_all(tensor.dtype(), [&]<class T>() {
    return std::string_view(reinterpret_cast<const char*>(tensor.data<T>()),
                            static_cast<size_t>(tensor.numel()) * sizeof(T));
  });
}

class Pickler {
 public:
  PickledValue take(const PythonValue& value) {
    out_.bytes = kProtocol2;
    add(value);
    out_.bytes += kStop;
    return std::move(out_);
  }

 private:
  void add(const PythonValue& value) {
    std::visit([&](const auto& content) { write(content); }, value.content);
  }
  void op(char code) { out_.bytes += code; }
  void number(uint64_t value, int bytes) {
    for (int i = 0; i < bytes; ++i) op(static_cast<char>((value >> (8 * i)) & 255));
  }
  void global(std::string_view module, std::string_view name) {
    out_.bytes += concat(kGlobal, module, '\n', name, '\n');
  }

  void write(std::monostate) { op(kNone); }
  void write(bool value) { op(value ? kNewTrue : kNewFalse); }
  void write(int64_t value) {
    const bool is_small = value == static_cast<int32_t>(value);
    op(is_small ? kBinInt : kLong1);
    if (!is_small) op(8);
    number(static_cast<uint64_t>(value), is_small ? 4 : 8);
  }
  void write(double value) {
    op(kBinFloat);  // the highest byte first
    const auto bits = std::bit_cast<uint64_t>(value);
    for (int shift = 56; shift >= 0; shift -= 8) op(static_cast<char>((bits >> shift) & 255));
  }
  void write(const std::string& text) {
    op(kBinUnicode);
    number(text.size(), 4);
    out_.bytes += text;
  }
  void write(const PythonValue::List& list) {
    op(kEmptyList);
    op(kMark);
    for (const PythonValue& item : list) add(item);
    op(kAppends);
  }
  void write(const PythonValue::Dict& dict) {
    op(kEmptyDict);
    op(kMark);
    for (const auto& [key, value] : dict) {
      add(key);
      add(value);
    }
    op(kSetItems);
  }
  void tuple(const Shape& sizes) {
    op(kMark);
    for (const int64_t size : sizes) write(size);
    op(kTuple);
  }

  /// The number of the storage with the tensor's elements. Those that are kept have their memory, so
  /// that no later tensor can have the same address.
  int64_t storage_number(const Tensor& tensor) {
    const auto next = static_cast<int64_t>(out_.storages.size());
    if (tensor.is_contiguous() && tensor.numel() > 0) {
      const auto [known, is_new] =
          numbers_.try_emplace({bytes_of(tensor).data(), tensor.numel()}, next);
      if (!is_new) return known->second;
    }
    out_.storages.push_back(contiguous(tensor.detach()));
    return next;
  }

  /// _rebuild_tensor_v2(storage, offset, sizes, strides, requires_grad, hooks).
  void write(const Tensor& tensor) {
    const int64_t id = storage_number(tensor);
    global("torch._utils", "_rebuild_tensor_v2");
    op(kMark);
    op(kMark);
    write(std::string("storage"));
    global("torch", storage_of(tensor.dtype()));
    write(std::to_string(id));
    write(std::string("cpu"));
    write(tensor.numel());
    op(kTuple);
    op(kBinPersId);
    write(int64_t{0});
    tuple(tensor.shape());
    tuple(out_.storages[static_cast<size_t>(id)].strides());
    op(kNewFalse);
    global("collections", "OrderedDict");
    op(kEmptyTuple);
    op(kReduce);
    op(kTuple);
    op(kReduce);
  }

  PickledValue out_;
  std::map<std::pair<const void*, int64_t>, int64_t> numbers_;  // by address and size
};

}  // namespace

PickledValue pickled(const PythonValue& value) { return Pickler().take(value); }

void save_torch(const std::string& path, const PythonValue& value) {
  const NoGrad guard;
  const PickledValue pickle = pickled(value);
  const std::string folder = std::filesystem::path(path).stem().string() + "/";
  ZipWriter zip(path);
  zip.add(folder + "data.pkl", pickle.bytes);
  zip.add(folder + ".format_version", "1");
  zip.add(folder + ".storage_alignment", "64");
  zip.add(folder + "byteorder", "little");
  for (size_t i = 0; i < pickle.storages.size(); ++i)
    zip.add(concat(folder, "data/", i), bytes_of(pickle.storages[i]));
  zip.add(folder + "version", "3\n");
  zip.commit();
}

}  // namespace tarsier::zoo
