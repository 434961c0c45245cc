// Files of torch.save: whole archives, or a pickle that is put into one, since the checksum would
// otherwise refuse nearly all that are not seeds.
#include "autograd/ops.h"
#include "tests/fuzz/fuzz.h"
#include "tests/zoo/archive.h"
#include "zoo/pretrained/torch_file.h"

void tarsier::fuzz::read_input(std::string_view bytes) {
  const bool is_pickle = take_byte(bytes) % 2 == 1;
  const std::string file = is_pickle ? zoo::torch_archive(std::string(bytes)) : std::string(bytes);
  const zoo::TorchFile torch(folder().write("input.pt", file));
  for (const auto& stored : torch.tensors()) {
    try {
      const Tensor tensor = torch.read(stored.name);
      promise(stored.becomes == tensor.dtype(), "the dtype is what was said");
      promise(static_cast<int64_t>(tensor.to_vector().size()) == tensor.numel(), "all are read");
    } catch (const Error&) {  // the others may be valid
    }
  }
}
