// Tensors: every one in a file is described, and read or refused separately.
#include "autograd/io/safetensors.h"

#include "autograd/ops.h"
#include "tests/fuzz/fuzz.h"

void tarsier::fuzz::read_input(std::string_view bytes) {
  const SafetensorsFile file(folder().write("input", bytes));
  for (const auto& stored : file.tensors()) {
    promise(file.find(stored.name) == &stored, "a name is found");
    promise(file.bytes(stored).size() <= bytes.size(), "the bytes lie inside the file");
    try {
      const Tensor tensor = file.read(stored.name);
      promise(static_cast<int64_t>(tensor.to_vector().size()) == tensor.numel(), "all are read");
    } catch (const Error&) {  // the others may be valid
    }
  }
  const TensorDict all = load_safetensors(file.path());
  save_safetensors(folder().path("again"), all, file.metadata());
  Metadata metadata;
  promise(load_safetensors(folder().path("again"), &metadata).size() == all.size() &&
              metadata == file.metadata(),
          "what is read can be written");
}
