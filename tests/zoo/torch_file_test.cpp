// Files of torch.save (tests/golden/make_torch_files.py) give the numbers that PyTorch saved;
// hostile ones give errors that name file and byte, or file and tensor.
#include "zoo/pretrained/torch_file.h"

#include <doctest/doctest.h>

#include <filesystem>

#include "nn/unwrap.h"
#include "tests/error_of.h"
#include "tests/nn/golden.h"
#include "tests/zoo/archive.h"
#include "tests/zoo/pretrained.h"
#include "zoo/pretrained/gpt2.h"
#include "zoo/pretrained/hugging_face.h"

namespace tarsier::zoo {
namespace {

std::string saved(const std::string& name) {
  return source_file("tests/golden/torch/" + name).string();
}

/// Whether a file has exactly the tensors that were saved under this name, bit by bit.
void check_file(const std::string& file, const std::string& name) {
  CAPTURE(file);
  const TensorDict numbers = part(golden_file("torch/expected.safetensors"), name + "/");
  const TensorDict tensors = load_torch(saved(file));
  CHECK(numbers.size() > 0);
  CHECK(tensors.size() == numbers.size());
  for (const auto& [key, expected] : numbers) {
    CAPTURE(key);
    REQUIRE(tensors.contains(key));
    CHECK(tensors[key].dtype() == expected.dtype());
    CHECK(tensors[key].shape() == expected.shape());
    CHECK(tensors[key].to_vector() == expected.to_vector());
  }
}

void check_refused(const std::string& error, const std::string& part) {
  CAPTURE(error);
  CAPTURE(part);
  CHECK(error.find(part) != error.npos);
}

/// The error of load_torch for a file of these bytes.
std::string error_with(const std::string& bytes) {
  const Scratch folder;
  const std::string path = folder.write("x.pt", bytes);
  return error_of([&] { load_torch(path); });
}
/// The same for a pickle.
std::string error_of_pickle(const std::string& pickle) { return error_with(torch_archive(pickle)); }
/// The same for a state dict with this tensor.
std::string error_of_tensor(const PickledTensor& tensor) {
  return error_of_pickle(pickled_dict({{"w", tensor.text()}}));
}

// ---- what PyTorch saves ----

TEST_CASE("state dicts, views and dtypes of PyTorch are read bit by bit") {
  check_file("state.pt", "state");
  check_file("deflated.pt", "state");
  check_file("views.pt", "views");
  check_file("dtypes.pt", "dtypes");
  CHECK(TorchFile(saved("state.pt")).part().empty());
}

TEST_CASE("tied tensors share memory, as they did") {
  TensorDict tensors = load_torch(saved("state.pt"));
  const Tensor &wte = tensors["wte.weight"], &head = tensors["head.weight"];
  CHECK(wte.impl()->storage == head.impl()->storage);
  CHECK(wte.impl()->storage != tensors["head.bias"].impl()->storage);
  const TensorDict views = load_torch(saved("views.pt"));
  CHECK(views["row"].impl()->storage == views["transposed"].impl()->storage);
  // A stored file is mapped, and what is written stays in memory.
  copy_(head, zeros({5, 3}));
  CHECK(wte.to_vector() == std::vector<double>(15, 0));
  check_file("state.pt", "state");
}

TEST_CASE("a tensor that cannot be read does not matter until it is") {
  const TorchFile file(saved("complex.pt"));
  CHECK(file.read("real").to_vector() == std::vector<double>{1, 1});
  CHECK_FALSE(file.tensors()[1].becomes.has_value());
  check_refused(error_of([&] { file.read("complex"); }), "tensor 'complex' has dtype C64");
  check_refused(error_of([&] { file.read("other"); }), "there is no tensor 'other' among the 2");
}

TEST_CASE("of a training run the model's state dict is taken, and said") {
  check_file("nanogpt.pt", "nanogpt");
  check_file("lightning.pt", "lightning");
  check_file("inner.pt", "inner");
  check_file("deep.pt", "deep");
  CHECK(TorchFile(saved("nanogpt.pt")).note() == "the state dict is 'model' of the file");
  CHECK(TorchFile(saved("lightning.pt")).part() == "state_dict");
  CHECK(TorchFile(saved("inner.pt")).part() == "policy");
  CHECK(TorchFile(saved("deep.pt")).part() == "model/module");
  check_refused(error_of([] { load_torch(saved("unclear.pt")); }),
                "which dict is the model's is unclear\n  there are: actor, critic\n");
}

TEST_CASE("other files of PyTorch are refused with the way out") {
  const auto refused = [](const std::string& name, const std::string& text) {
    const std::string error = error_of([&] { load_torch(saved(name)); });
    check_refused(error, text);
    check_refused(error, name);
  };
  refused("old.pt", "a file of PyTorch before 1.6: load it in PyTorch, and torch.save it again");
  refused("script.pt", "a TorchScript program: save the state_dict() of the module");
  refused("tensor.pt", "no state dict, but something else: torch.save(model.state_dict(), path)");
  refused("module.pt", "the pickle asks for '");
  refused("protocol4.pt", "byte 0: a pickle of protocol 4, where 2 was expected");
  refused("expected.safetensors", "not a file of torch.save, which is a zip archive");
}

TEST_CASE("folders with pytorch_model.bin, whole and split, give transformers' logits") {
  const TensorDict numbers = golden_file("torch/gpt2/expected.safetensors");
  for (const char* path : {"gpt2", "gpt2/pytorch_model.bin", "gpt2-split",
                           "gpt2-split/pytorch_model.bin.index.json"}) {
    CAPTURE(path);
    const auto gpt = load_gpt2(saved(path));
    CHECK(gpt->config.tied);
    CHECK(relative_error((*gpt)(numbers["input_ids"]), numbers["logits"]) < 1e-5);
  }
  CHECK(open_pretrained(saved("gpt2"), "gpt2", "transformer.").notes.empty());
}

TEST_CASE("a training run in a folder with config.json loads, and an error says what was taken") {
  const Scratch folder;
  folder.write("config.json", read_file(saved("gpt2/config.json")));
  folder.write("run.pt", read_file(saved("lightning.pt")));
  const std::string path = folder.path("run.pt");
  check_refused(error_of([&] { load_gpt2(path); }), "run.pt has no weight 'wte.weight'");
  const Pretrained file = open_pretrained(path, "gpt2", "transformer.");
  REQUIRE(file.notes.size() == 2);
  CHECK(file.notes[0] == "the state dict is 'state_dict' of the file");
  check_refused(file.notes[1], "'model.weight' is 'weight'");
  CHECK(file.read("weight").shape() == Shape{3, 2});
}

// ---- bad input ----

TEST_CASE("a file that is cut off, or has a wrong byte, gives an error or numbers") {
  const std::string whole = read_file(saved("nanogpt.pt"));
  for (size_t size = 0; size < whole.size(); size += 41)
    CHECK(error_with(whole.substr(0, size)) != "no error");
  std::string bytes = whole;
  for (size_t at = 0; at < bytes.size(); at += 23) {
    const char before = bytes[at];
    bytes[at] = static_cast<char>(before + 1);
    const std::string error = error_with(bytes);
    CHECK_MESSAGE((error == "no error" || error.starts_with("[")), error);
    bytes[at] = before;
  }
}

TEST_CASE("an archive without a pickle, or with two, is refused") {
  const std::string pickle = pickled_dict({{"w", PickledTensor{{4}, {1}}.text()}});
  CHECK(error_of_pickle(pickle) == "no error");
  check_refused(error_with(archive_of({{"a/x", ""}})), "the archive has no data.pkl");
  check_refused(error_with(archive_of({{"a/data.pkl", pickle}, {"b/data.pkl", pickle}})),
                "two pickles: 'a/data.pkl' and 'b/data.pkl'");
  check_refused(error_with(archive_of({{"a/data.pkl", pickle}, {"a/byteorder", "big"}})),
                "the byte order is not little");
  check_refused(error_with(archive_of({{"a/data.pkl", pickle}})),
                "tensor 'w': its storage 'a/data/0' is missing");
}

TEST_CASE("a tensor that is not in its storage is refused by name") {
  constexpr int64_t kLarge = int64_t{1} << 62;
  const std::string beyond = "tensor 'w' goes beyond its storage of 4 elements";
  CHECK(error_of_tensor({{2, 2}, {1, 2}}) == "no error");
  CHECK(error_of_tensor({{0, kLarge, kLarge}, {1, 1, 1}}).starts_with("["));
  CHECK(error_of_tensor({{2, 0}, {9, 9}}) == "no error");
  check_refused(error_of_tensor({{5}, {1}}), beyond);
  check_refused(error_of_tensor({{2}, {1}, 3}), beyond);
  check_refused(error_of_tensor({{2}, {kLarge}}), beyond);
  check_refused(error_of_tensor({{kLarge, kLarge}, {kLarge, kLarge}}), beyond);
  check_refused(error_of_tensor({{}, {}, kLarge}), beyond);
  // A view may repeat its elements, but not to more than there is.
  CHECK(error_of_tensor({{20, 4}, {0, 1}}) == "no error");
  check_refused(error_of_tensor({{1 << 20, 1 << 20}, {0, 0}}), beyond);
  check_refused(error_of_tensor({{2}, {1}, -1}), "tensor 'w': 1 sizes, 1 strides, offset -1");
  check_refused(error_of_tensor({{2}, {1, 1}}), "1 sizes, 2 strides");
  check_refused(error_of_tensor({{-2}, {1}}), "should be whole numbers, 0 or more");
  check_refused(error_of_tensor({{2}, {-1}}), "should be whole numbers, 0 or more");
}

TEST_CASE("a storage that is not what the pickle says is refused by name") {
  const auto with = [](const std::string& kind, const std::string& storage, int64_t elements) {
    PickledTensor tensor{{1}, {1}};
    tensor.kind = kind;
    tensor.storage = storage;
    tensor.elements = elements;
    return error_of_tensor(tensor);
  };
  CHECK(with("HalfStorage", "0", 8) == "no error");
  check_refused(with("FloatStorage", "0", 5), "should have 5 elements of F32, and 'a/data/0' has");
  check_refused(with("FloatStorage", "0", -4), "its storage is not described as PyTorch does");
  check_refused(with("FloatStorage", "0", int64_t{1} << 62), "its storage should have");
  check_refused(with("FloatStorage", "../x", 4), "its storage 'a/data/../x' is missing");
  check_refused(with("Size", "0", 4), "tensor 'w' has no dtype that is known");
  check_refused(with("QInt8Storage", "0", 16), "the pickle asks for 'torch.QInt8Storage'");
  check_refused(error_of_pickle(pickled_dict({{"w", PickledTensor{{4}, {1}}.text()},
                                              {"w", PickledTensor{{2}, {1}}.text()}})),
                "tensor 'w' is there twice");
  PickledTensor many{std::vector<int64_t>(9, 1), std::vector<int64_t>(9, 1)};
  check_refused(error_of_tensor(many), "has dtype F32 and 9 dimensions: readable are at most 8");
}

TEST_CASE("a call that is not described as PyTorch does is refused") {
  const std::string rebuild = pickled_global("torch._utils", "_rebuild_tensor_v2");
  const std::string parameter = pickled_global("torch._utils", "_rebuild_parameter");
  const std::string says = "is not described as PyTorch does";
  check_refused(error_of_pickle(pickled_dict({{"w", rebuild + ")R"}})), says);
  check_refused(error_of_pickle(pickled_dict({{"w", rebuild + "(NNNNNNtR"}})), says);
  check_refused(error_of_pickle(pickled_dict({{"w", rebuild + "(NQK\1))NNtR"}})), says);
  check_refused(error_of_pickle(pickled_dict({{"w", parameter + ")R"}})), "no state dict");
  check_refused(error_of_pickle(pickled_dict({{"w", "N"}})), "there is no state dict in it");
  check_refused(error_of_pickle("\x80\x02}."), "there is no state dict in it");
  // A dict that contains itself.
  check_refused(error_of_pickle("\x80\x02}q" + std::string(1, '\0') + "(" + pickled_text("model") +
                                "h" + std::string(1, '\0') + "u."),
                "there is no state dict in it, nor under 'model/model/model/model'");
}

}  // namespace
}  // namespace tarsier::zoo
