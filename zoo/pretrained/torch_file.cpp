#include "zoo/pretrained/torch_file.h"

#include <algorithm>
#include <iterator>
#include <mutex>
#include <utility>

#include "autograd/base/error.h"
#include "autograd/io/stored_type.h"
#include "nn/names.h"

namespace tarsier::zoo {

namespace {

using Kind = PickleValue::Kind;

constexpr const char* kName = "torch";
constexpr size_t kLargestPickle = 64 << 20;  // a tensor takes about 100 bytes of it
constexpr int kDeepest = 4;                  // dicts in dicts that lead to the state dict

/// A dtype: its storage's class, itself, in safetensors, and the bytes of an element.
struct TorchType {
  std::string_view storage, dtype, name;
  int64_t width;
};
constexpr TorchType kTypes[] = {
    {"torch FloatStorage", "torch float32", "F32", 4},
    {"torch DoubleStorage", "torch float64", "F64", 8},
    {"torch HalfStorage", "torch float16", "F16", 2},
    {"torch BFloat16Storage", "torch bfloat16", "BF16", 2},
    {"torch LongStorage", "torch int64", "I64", 8},
    {"torch IntStorage", "torch int32", "I32", 4},
    {"torch ShortStorage", "torch int16", "I16", 2},
    {"torch CharStorage", "torch int8", "I8", 1},
    {"torch ByteStorage", "torch uint8", "U8", 1},
    {"torch BoolStorage", "torch bool", "BOOL", 1},
    {"torch ComplexFloatStorage", "torch complex64", "C64", 8},
    {"torch ComplexDoubleStorage", "torch complex128", "C128", 16},
    {"", "torch uint16", "U16", 2},
    {"", "torch uint32", "U32", 4},
    {"", "torch uint64", "U64", 8},
    {"", "torch float8_e4m3fn", "F8_E4M3", 1},
    {"", "torch float8_e5m2", "F8_E5M2", 1},
    {"", "torch float8_e4m3fnuz", "F8_E4M3FNUZ", 1},
    {"", "torch float8_e5m2fnuz", "F8_E5M2FNUZ", 1},
    {"", "torch float8_e8m0fnu", "F8_E8M0", 1},
};

constexpr std::string_view kUntyped = "torch.storage UntypedStorage";
constexpr std::string_view kTensor2 = "torch._utils _rebuild_tensor_v2",
                           kTensor3 = "torch._utils _rebuild_tensor_v3",
                           kParameter = "torch._utils _rebuild_parameter";

bool is_allowed(std::string_view global) {
  for (const std::string_view known :
       {kUntyped, kTensor2, kTensor3, kParameter, std::string_view("collections OrderedDict"),
        std::string_view("torch Size"), std::string_view("torch device")})
    if (global == known) return true;
  return std::ranges::any_of(kTypes, [&](const TorchType& type) {
    return global == type.dtype || global == type.storage;
  });
}

/// Where training runs keep the state dict of the model; the first that is there.
constexpr std::string_view kParts[] = {"model",  "state_dict", "model_state_dict",
                                       "module", "net",        "weights"};

}  // namespace

/// The storages of tensors that are alive, by where they are and their dtype.
struct TorchFile::Storages {
  std::mutex mutex;
  std::map<std::pair<const ZipFile::Member*, std::string>, std::weak_ptr<Storage>> alive;
};

template <class... Parts>
void TorchFile::require(bool condition, const Parts&... parts) const {
  if (!condition) [[unlikely]]
    fail(kName, zip_.path(), ": ", parts...);
}

namespace {

/// The path, if the file begins like an archive.
const std::string& checked_path(const std::string& path) {
  const MappedFile file(path);
  check(!file.text().starts_with("\x80\x02\x8a\x0al\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19"), kName,
        path, ": a file of PyTorch before 1.6: load it in PyTorch, and torch.save it again");
  check(file.text().starts_with("PK"), kName, path,
        ": not a file of torch.save, which is a zip archive");
  return path;
}

}  // namespace

TorchFile::TorchFile(const std::string& path)
    : zip_(checked_path(path)),
      bytes_(open_pickle()),
      pickle_(bytes_.text(), concat(path, ", ", folder_, "data.pkl"), is_allowed),
      storages_(std::make_shared<Storages>()) {
  const PickleValue& state = find_state();
  for (size_t i = 0; i < state.items.size(); i += 2) {
    const PickleValue& key = at(state, i);
    const PickleValue& value = parameter(at(state, i + 1));
    if (!is_tensor(value)) continue;
    require(key.kind == Kind::text, "a tensor whose name is not a text");
    add_tensor(std::string(key.text), value);
  }
}

/// The pickle, and the folder in which it is.
ZipFile::Bytes TorchFile::open_pickle() {
  constexpr std::string_view kPickle = "/data.pkl";
  const ZipFile::Member* found = nullptr;
  for (const ZipFile::Member& member : zip_.members()) {
    if (!member.name.ends_with(kPickle)) continue;
    require(found == nullptr, "two pickles: '", found == nullptr ? "" : found->name, "' and '",
            member.name, "'");
    found = &member;
  }
  require(found != nullptr, "not a file of torch.save: the archive has no data.pkl");
  folder_ = found->name.substr(0, found->name.size() - kPickle.size() + 1);
  require(zip_.find(folder_ + "constants.pkl") == nullptr,
          "a TorchScript program: save the state_dict() of the module with torch.save");
  if (const ZipFile::Member* order = zip_.find(folder_ + "byteorder"))
    require(zip_.read(*order, true).text() == "little", "the byte order is not little");
  require(found->size <= kLargestPickle, "the pickle of ", found->size, " bytes is larger than ",
          kLargestPickle);
  return zip_.read(*found, true);
}

// --------------------------------------------------------------------------------- the state dict

const PickleValue& TorchFile::at(const PickleValue& value, size_t i) const {
  return pickle_[value.items[i]];
}

/// The tensor of a parameter; other values are themselves.
const PickleValue& TorchFile::parameter(const PickleValue& value) const {
  if (!pickle_.is_call(value, kParameter)) return value;
  const PickleValue& arguments = at(value, 1);
  return arguments.items.empty() ? value : at(arguments, 0);
}

bool TorchFile::is_tensor(const PickleValue& value) const {
  return pickle_.is_call(value, kTensor2) || pickle_.is_call(value, kTensor3);
}

/// Whether it is a dict that has nothing but tensors.
bool TorchFile::is_state(const PickleValue& value) const {
  if (value.kind != Kind::dict || value.items.empty()) return false;
  for (size_t i = 1; i < value.items.size(); i += 2)
    if (!is_tensor(parameter(at(value, i)))) return false;
  return true;
}

/// Descends from the root: see the constructor's page.
const PickleValue& TorchFile::find_state() {
  const PickleValue* here = &pickle_.root();
  for (int depth = 0; !is_state(*here) && depth < kDeepest; ++depth) {
    require(here->kind == Kind::dict, "no state dict, but something else",
            part_.empty() ? "" : concat(" under '", part_, "'"),
            ": torch.save(model.state_dict(), path) writes one");
    const PickleValue* named = nullptr;  // of the first of kParts
    size_t rank = std::size(kParts);
    std::string name;
    std::vector<std::string> states;
    for (size_t i = 0; i < here->items.size(); i += 2) {
      const PickleValue &key = at(*here, i), &value = at(*here, i + 1);
      if (key.kind != Kind::text || value.kind != Kind::dict) continue;
      const auto known =
          static_cast<size_t>(std::ranges::find(kParts, key.text) - std::begin(kParts));
      if (is_state(value)) states.emplace_back(key.text);
      if (known < rank || (rank == std::size(kParts) && is_state(value))) {
        rank = known;
        named = &value;
        name = key.text;
      }
    }
    if (named == nullptr) break;
    require(rank < std::size(kParts) || states.size() == 1, "which dict is the model's is unclear",
            nn::list_line("there are", states), "\n  save one of them alone");
    part_ += (part_.empty() ? "" : "/") + name;
    here = named;
  }
  const auto has_tensor = [&](const PickleValue& dict) {
    for (size_t i = 1; i < dict.items.size(); i += 2)
      if (is_tensor(parameter(at(dict, i)))) return true;
    return false;
  };
  require(here->kind == Kind::dict && has_tensor(*here), "there is no state dict in it",
          part_.empty() ? "" : concat(", nor under '", part_, "'"));
  return *here;
}

std::string TorchFile::note() const {
  return part_.empty() ? "" : concat("the state dict is '", part_, "' of the file");
}

// ---------------------------------------------------------------------------------------- tensors

/// The numbers of a tuple.
std::vector<int64_t> TorchFile::wholes(const std::string& name, const PickleValue& tuple) const {
  std::vector<int64_t> numbers;
  for (size_t i = 0; i < tuple.items.size(); ++i) {
    const PickleValue& value = at(tuple, i);
    require(value.kind == Kind::whole && value.number >= 0, "tensor '", name,
            "': sizes and strides should be whole numbers, 0 or more");
    numbers.push_back(value.number);
  }
  return numbers;
}

/// Adds the tensor of a call _rebuild_tensor_v2(storage, offset, sizes, strides, …), or v3, whose
/// last argument but the metadata is the dtype.
void TorchFile::add_tensor(const std::string& name, const PickleValue& call) {
  const bool is_v3 = pickle_.is_call(call, kTensor3);
  const PickleValue& arguments = at(call, 1);
  require(arguments.items.size() >= (is_v3 ? 7 : 6) && arguments.items.size() <= (is_v3 ? 8 : 7) &&
              at(arguments, 0).kind == Kind::external && at(arguments, 1).kind == Kind::whole &&
              at(arguments, 2).kind == Kind::tuple && at(arguments, 3).kind == Kind::tuple,
          "tensor '", name, "' is not described as PyTorch does");
  const PickleValue& id = at(at(arguments, 0), 0);
  require(id.kind == Kind::tuple && id.items.size() == 5 && at(id, 0).text == "storage" &&
              at(id, 1).kind == Kind::global && at(id, 2).kind == Kind::text &&
              at(id, 4).kind == Kind::whole && at(id, 4).number >= 0,
          "tensor '", name, "': its storage is not described as PyTorch does");
  const PickleValue& dtype = is_v3 ? at(arguments, 6) : at(id, 1);
  const std::string global = dtype.kind == Kind::global ? Pickle::global_name(dtype) : "";
  const auto* type = std::ranges::find_if(kTypes, [&](const TorchType& known) {
    return global == (is_v3 ? known.dtype : known.storage);
  });
  require(type != std::end(kTypes) && !global.empty(), "tensor '", name,
          "' has no dtype that is known");

  const std::string member = concat(folder_, "data/", at(id, 2).text);
  const ZipFile::Member* storage = zip_.find(member);
  require(storage != nullptr, "tensor '", name, "': its storage '", member, "' is missing");
  int64_t bytes = 0;
  require(!__builtin_mul_overflow(at(id, 4).number, is_v3 ? 1 : type->width, &bytes) &&
              static_cast<uint64_t>(bytes) == storage->size,
          "tensor '", name, "': its storage should have ", at(id, 4).number,
          is_v3 ? " bytes" : concat(" elements of ", type->name), ", and '", member, "' has ",
          storage->size, " bytes");

  const StoredType* stored_type = find_stored_type(type->name);
  Stored stored{name, std::string(type->name), wholes(name, at(arguments, 2)), {}};
  if (stored_type != nullptr && stored_type->can_be_read() && stored.shape.size() <= kMaxDims)
    stored.becomes = stored_type->dtype;
  const View view{storage, at(arguments, 1).number, wholes(name, at(arguments, 3))};
  check_view(stored, view, type->width);
  require(index_.emplace(name, tensors_.size()).second, "tensor '", name, "' is there twice");
  tensors_.push_back(std::move(stored));
  views_.push_back(view);
}

/// A view must lie in its storage. Elements that several indices share are allowed, up to what the
/// file itself takes.
void TorchFile::check_view(const Stored& stored, const View& view, int64_t width) const {
  require(stored.shape.size() == view.strides.size() && view.offset >= 0, "tensor '", stored.name,
          "': ", stored.shape.size(), " sizes, ", view.strides.size(), " strides, offset ",
          view.offset);
  int64_t last = view.offset, total = width;
  bool fits = true, empty = false;
  for (size_t i = 0; i < stored.shape.size(); ++i) {
    int64_t step = 0;
    if (stored.shape[i] == 0) {
      empty = true;
      continue;
    }
    fits = fits && !__builtin_mul_overflow(stored.shape[i] - 1, view.strides[i], &step) &&
           !__builtin_add_overflow(last, step, &last) &&
           !__builtin_mul_overflow(total, stored.shape[i], &total);
  }
  const int64_t room = static_cast<int64_t>(view.storage->size) / width;
  const auto most = static_cast<int64_t>(std::max(view.storage->size, zip_.size()));
  require(fits && (empty || (last < room && total <= most)), "tensor '", stored.name,
          "' goes beyond its storage of ", room, " elements");
}

Tensor TorchFile::read(std::string_view name) const {
  const auto found = index_.find(name);
  require(found != index_.end(), "there is no tensor '", name, "' among the ", tensors_.size());
  const Stored& stored = tensors_[found->second];
  const View& view = views_[found->second];
  require(stored.becomes.has_value(), "tensor '", name, "' has dtype ", stored.dtype, " and ",
          stored.shape.size(), " dimensions: readable are at most ", kMaxDims, " dimensions of ",
          readable_types());
  const Shape shape(stored.shape);
  if (std::ranges::find(shape, 0) != shape.end()) return Tensor::empty(shape, *stored.becomes);

  const StoredType& type = *find_stored_type(stored.dtype);
  const Shape all{static_cast<int64_t>(view.storage->size) * 8 / type.bits};
  const std::lock_guard lock(storages_->mutex);
  std::weak_ptr<Storage>& known = storages_->alive[{view.storage, stored.dtype}];
  auto impl = std::make_shared<TensorImpl>();
  impl->storage = known.lock();
  impl->shape = all;
  impl->strides = contiguous_strides(all);
  impl->dtype = type.dtype;
  if (impl->storage == nullptr) {
    const ZipFile::Bytes bytes = zip_.read(*view.storage, false);
    impl->storage = tensor_of(type, bytes.data, all, bytes.owner, kName,
                              concat(path(), ": the storage of tensor '", name, "'"))
                        .impl()
                        ->storage;
    known = impl->storage;
  }
  return Tensor(std::move(impl)).view_as(shape, Strides(view.strides), view.offset);
}

TensorDict load_torch(const std::string& path) {
  const TorchFile file(path);
  TensorDict tensors;
  for (const WeightFile::Stored& stored : file.tensors())
    tensors.add(stored.name, file.read(stored.name));
  return tensors;
}

}  // namespace tarsier::zoo
