#pragma once
// Files of PyTorch's torch.save: pytorch_model.bin, model.pt, a training run's ckpt.pt.
//
//   archive/data.pkl   a pickle (pickle.h): dicts, whose tensors are views of storages
//   archive/data/0     the elements of storage "0", and so on
//   archive/byteorder  little
// A zip archive (zoo/zip), whose folder may have any name. Nothing in the file is executed, and
// nothing that a state dict does not need is read.
// Source: https://docs.pytorch.org/docs/stable/notes/serialization.html

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "../../autograd/tensor/tensor_dict.h"
#include "../zip/zip.h"
#include "pickle.h"
#include "weight_file.h"

namespace tarsier::zoo {

/// The tensors of one state dict. Storages are mapped, and read when a tensor of them is; dtypes
/// become what they become in safetensors_file.h.
///   const TorchFile file("ckpt.pt");
///   model.load_state_dict(nn::unwrapped(load_torch("ckpt.pt")));
class TorchFile : public WeightFile {
 public:
  /// The state dict is what was saved; or, if that is a training run's dict of several things, what
  /// it has under "model", "state_dict", "model_state_dict", "module", "net" or "weights", or else
  /// its only dict of tensors. Values that are not tensors are left out.
  /// Throws Error("torch"), which names the file, for what torch.save did not write, for files of
  /// PyTorch before 1.6, of TorchScript and of big-endian machines, if there is no state dict or
  /// which one is unclear, and for a tensor that goes beyond its storage; Error("zip"),
  /// Error("pickle"), Error("data") and Error("file").
  explicit TorchFile(const std::string& path);

  const std::string& path() const override { return zip_.path(); }
  const std::vector<Stored>& tensors() const override { return tensors_; }
  /// Tensors that shared memory when they were saved share it again while one of them is alive.
  Tensor read(std::string_view name) const override;
  /// Which dict of the file this is: "model"; "" for all of it.
  const std::string& part() const { return part_; }
  std::string note() const override;

 private:
  /// A tensor as a view of a storage.
  struct View {
    const ZipFile::Member* storage;
    int64_t offset;  ///< of its first element
    std::vector<int64_t> strides;
  };
  struct Storages;

  template <class... Parts>
  void require(bool condition, const Parts&... parts) const;
  ZipFile::Bytes open_pickle();
  const PickleValue& find_state();
  const PickleValue& at(const PickleValue& value, size_t i) const;
  const PickleValue& parameter(const PickleValue& value) const;
  bool is_tensor(const PickleValue& value) const;
  bool is_state(const PickleValue& value) const;
  void add_tensor(const std::string& name, const PickleValue& call);
  std::vector<int64_t> wholes(const std::string& name, const PickleValue& tuple) const;
  void check_view(const Stored& stored, const View& view, int64_t width) const;

  ZipFile zip_;
  std::string folder_;  ///< "archive/"
  ZipFile::Bytes bytes_;
  Pickle pickle_;
  std::string part_;
  std::vector<Stored> tensors_;
  std::vector<View> views_;
  std::map<std::string, size_t, std::less<>> index_;
  std::shared_ptr<Storages> storages_;
};

/// All tensors of a TorchFile, by name. Throws what TorchFile throws.
TensorDict load_torch(const std::string& path);

}  // namespace tarsier::zoo
