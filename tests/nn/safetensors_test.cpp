// Safetensors: written, read, exchanged with the original library, and attacked.
#include "autograd/io/safetensors_file.h"

#include <doctest/doctest.h>

#include <cmath>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <limits>
#include <numbers>
#include <random>

#include "autograd/io/file.h"
#include "tests/data.h"
#include "tests/nn/golden.h"
#include "tests/nn/temporary.h"

namespace tarsier {
namespace {

/// A file's bytes: the header's length, the header, `data` zero bytes.
std::string file_of(const std::string& header, size_t data) {
  const uint64_t length = header.size();
  std::string bytes(8, '\0');
  std::memcpy(bytes.data(), &length, 8);
  return bytes + header + std::string(data, '\0');
}

/// The error of loading these bytes, or "" if they load.
std::string load_error_of(const TemporaryFolder& folder, const std::string& bytes) {
  const std::string path = folder / "hostile";
  {
    // Not atomically, and a new file each time: the fuzz tests write thousands, and file systems
    // wait for the disk when a file is replaced.
    std::filesystem::remove(path);
    FILE* file = std::fopen(path.c_str(), "wb");
    REQUIRE(file != nullptr);
    std::fwrite(bytes.data(), 1, bytes.size(), file);
    std::fclose(file);
  }
  try {
    for (const auto& [name, tensor] : load_safetensors(path))
      CHECK(static_cast<int64_t>(tensor.to_vector().size()) == tensor.numel());  // reads it all
    return "";
  } catch (const Error& error) {
    return error.what();
  }
}

TensorDict sample() {
  return {{"mask", tensor({1, 0, 1}, boolean)},
          {"weight", tensor({{1, 2, 3}, {4, 5, 6}})},
          {"scalar", scalar(std::numbers::pi, f64)},
          {"strided", transpose(tensor({{1, 2, 3}, {4, 5, 6}}, f64), 0, 1)},
          {"part", slice(arange(10), 0, 3, 9, 2)},
          {"none", zeros({0, 4})},
          {"näme \"quoted\"\n", tensor({-1})}};
}

TEST_CASE("tensors of every dtype and layout come back, in order, with metadata") {
  const TemporaryFolder folder;
  const std::string path = folder / "a.safetensors";
  const TensorDict tensors = sample();
  const Metadata metadata{{"format", "pt"}, {"ünï", "\n\x01"}};
  save_safetensors(path, tensors, metadata);
  Metadata loaded_metadata{{"stale", ""}};
  const TensorDict loaded = load_safetensors(path, &loaded_metadata);
  CHECK(loaded_metadata == metadata);
  REQUIRE(loaded.size() == tensors.size());
  auto it = loaded.begin();
  for (const auto& [name, tensor] : tensors) {
    CAPTURE(name);
    CHECK(it->first == name);
    CHECK(it->second.dtype() == tensor.dtype());
    CHECK(it->second.shape() == tensor.shape());
    CHECK(it->second.to_vector() == tensor.to_vector());
    ++it;
  }
  save_safetensors(path, {});
  CHECK(load_safetensors(path).empty());
}

TEST_CASE("a file of the original library is read") {
  Metadata metadata;
  const TensorDict tensors =
      load_safetensors(source_file("tests/golden/python.safetensors").string(), &metadata);
  using Values = std::vector<double>;
  CHECK(tensors.size() == 9);
  CHECK(tensors["bool"].to_vector() == Values{1, 0, 1});
  CHECK(tensors["f32"].shape() == Shape{2, 3});
  CHECK(tensors["f32"].to_vector<float>() == std::vector<float>{1.5f, -2, 3, 4, 5, 1e-3f});
  CHECK(tensors["f64"].to_vector() == Values{std::numbers::pi, -0.0});
  CHECK(tensors["i64"].to_vector<int64_t>() ==
        std::vector<int64_t>{std::numeric_limits<int64_t>::min(), 0,
                             std::numeric_limits<int64_t>::max()});
  const Values half = tensors["f16"].to_vector();
  CHECK(tensors["f16"].dtype() == f32);
  CHECK(half[0] == 1);
  CHECK(half[1] == -0.5);
  CHECK(half[2] == 65504);
  CHECK(half[3] == 0x1p-24);  // the smallest, subnormal
  CHECK(half[4] == INFINITY);
  CHECK(std::isnan(half[5]));
  const Values brain = tensors["bf16"].to_vector();
  CHECK(brain[0] == 1);
  CHECK(brain[1] == -2.5);
  CHECK(brain[2] == doctest::Approx(3e38).epsilon(1.0 / 128));
  CHECK(tensors["scalar"].item() == 7);
  CHECK(tensors["empty"].shape() == Shape{0, 3});
  CHECK(tensors["ünï.\"name\""].item() == 1);
  CHECK(metadata == Metadata{{"format", "pt"}, {"note", "line\nbreak"}});
}

TEST_CASE("every dtype of the format is read, or named if it is requested") {
  const SafetensorsFile file(source_file("tests/golden/dtypes.safetensors").string());
  using Whole = std::vector<int64_t>;
  const auto whole = [&](const char* name) {
    const Tensor tensor = file.read(name);
    CHECK(tensor.dtype() == i64);
    return tensor.to_vector<int64_t>();
  };
  const int64_t least = std::numeric_limits<int64_t>::min(),
                most = std::numeric_limits<int64_t>::max();
  CHECK(whole("I64") == Whole{least, most});
  CHECK(whole("U64") == Whole{0, most});
  CHECK(whole("I32") == Whole{-2147483648, 2147483647});
  CHECK(whole("U32") == Whole{1, 4294967295});
  CHECK(whole("I16") == Whole{-32768, 32767});
  CHECK(whole("U16") == Whole{1, 65535});
  CHECK(whole("I8") == Whole{-128, 127});
  CHECK(whole("U8") == Whole{0, 1, 255});
  // All 256 bytes of each, compared with PyTorch: the same number with the same sign, or NaN.
  for (const std::string name : {"F8_E4M3", "F8_E5M2", "F8_E4M3FNUZ", "F8_E5M2FNUZ", "F8_E8M0"}) {
    CAPTURE(name);
    const Tensor tensor = file.read(name);
    CHECK(tensor.dtype() == f32);
    const std::vector<double> actual = tensor.to_vector(),
                              expected = file.read(name + ".f32").to_vector();
    for (size_t i = 0; i < 256; ++i) {
      CAPTURE(i);
      CHECK(std::isnan(actual[i]) == std::isnan(expected[i]));
      if (std::isnan(expected[i])) continue;
      CHECK(actual[i] == expected[i]);
      CHECK(std::signbit(actual[i]) == std::signbit(expected[i]));
    }
  }
  // Unsupported tensors are still described.
  REQUIRE(file.find("F4") != nullptr);
  CHECK(file.find("F4")->dtype == "F4");
  CHECK(file.find("F4")->shape == Whole{2, 3});
  CHECK(file.bytes(*file.find("F4")).size() == 3);
  CHECK(file.find("f4") == nullptr);
  CHECK(file.dtype_of(*file.find("I8")) == i64);
  CHECK(file.dtype_of(*file.find("F8_E5M2")) == f32);
  CHECK(!file.dtype_of(*file.find("F4")));
  CHECK(!file.dtype_of(*file.find("nine")));
  const auto refused = [&](const char* name, const char* text) {
    CHECK_THROWS_WITH_AS(file.read(name), doctest::Contains(text), Error);
    CHECK_THROWS_WITH_AS(file.read(name), doctest::Contains("dtypes.safetensors"), Error);
  };
  refused("F4", "tensor 'F4' has dtype F4, which cannot be read; supported are F32, F64, I64, ");
  refused("C64", "tensor 'C64' has dtype C64, which cannot be read");
  refused("F6_E2M3", "has dtype F6_E2M3");
  refused("U64.large", "tensor 'U64.large': element 0 of U64 is 2⁶³ or more");
  refused("nine", "tensor 'nine' has 9 dimensions: at most 8 can be read");
  refused("none", "there is no tensor 'none' among the 24");
  // Loading a whole file fails for an unsupported tensor.
  CHECK_THROWS_WITH_AS(load_safetensors(file.path()),
                       doctest::Contains("SafetensorsFile reads the other tensors"), Error);
}

TEST_CASE("loaded tensors are mapped, and survive the file; changing them changes no file") {
  const TemporaryFolder folder;
  const std::string path = folder / "a.safetensors";
  save_safetensors(path, {{"a", tensor({1, 2, 3})}, {"b", tensor({4}, f64)}});
  TensorDict loaded = load_safetensors(path);
  const TensorDict again = load_safetensors(path);
  add_(loaded["a"], 1);
  CHECK(load_safetensors(path)["a"].to_vector() == std::vector<double>{1, 2, 3});
  save_safetensors(path, {{"a", tensor({7, 7, 7})}});
  CHECK(loaded["a"].to_vector() == std::vector<double>{2, 3, 4});
  CHECK(again["a"].to_vector() == std::vector<double>{1, 2, 3});
  std::filesystem::remove(path);
  loaded = TensorDict{{"a", loaded["a"]}};
  CHECK(sum(loaded["a"]).item() == 9);
}

TEST_CASE("unaligned tensors are copied") {
  const TemporaryFolder folder;
  const std::string header = R"({"m":{"dtype":"BOOL","shape":[1],"data_offsets":[0,1]},)"
                             R"("x":{"dtype":"F64","shape":[2],"data_offsets":[1,17]}})";
  CHECK(load_error_of(folder, file_of(header, 17)) == "");
}

TEST_CASE("a file cut off at any byte is refused") {
  const TemporaryFolder folder;
  save_safetensors(folder / "a", sample());
  const std::string bytes = read_file(folder / "a");
  CHECK(load_error_of(folder, bytes) == "");
  for (size_t length = 0; length < bytes.size(); ++length) {
    CAPTURE(length);
    CHECK(load_error_of(folder, bytes.substr(0, length)).find("hostile") != std::string::npos);
  }
  CHECK(load_error_of(folder, bytes + "x").find("the last 1 bytes") != std::string::npos);
}

TEST_CASE("errors in a header are named") {
  const TemporaryFolder folder;
  const auto one = [](const std::string& description) { return "{\"w\":" + description + "}"; };
  struct Case {
    std::string header;
    size_t data;
    const char* message;
  };
  const std::string a = R"("a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]})";
  const Case cases[] = {
      {"", 0, "does not begin with {"},
      {"[]", 0, "does not begin with {"},
      {"{\"w\":", 0, "header line 1, byte 5: expected a value"},
      {"{" + a + "," + a + "}", 4, "has the key 'a' twice"},
      {one("1"), 0, "tensor 'w' should be described by an object"},
      {one("{}"), 0, "should have three members"},
      {one(R"({"dtype":"F32","shape":[1],"data_offsets":[0,4],"x":1})"), 4, "three members"},
      {one(R"({"dtype":"F8","shape":[1],"data_offsets":[0,1]})"), 1, "tensor 'w' has dtype F8"},
      {one(R"({"dtype":"F4","shape":[3],"data_offsets":[0,2]})"), 2, "in the middle of a byte"},
      {one(R"({"dtype":"F4","shape":[4],"data_offsets":[0,4]})"), 4, "(4,) takes 2 bytes, but"},
      {one(R"({"dtype":4,"shape":[1],"data_offsets":[0,4]})"), 4, "has no dtype"},
      {one(R"({"dtype":"F32","shape":4,"data_offsets":[0,4]})"), 4, "has no list 'shape'"},
      {one(R"({"dtype":"F32","shape":[-1],"data_offsets":[0,4]})"), 4, "0 or more; found -1"},
      {one(R"({"dtype":"F32","shape":[1.5],"data_offsets":[0,4]})"), 4, "found 1.5"},
      {one(R"({"dtype":"F32","shape":["1"],"data_offsets":[0,4]})"), 4, "found \"1\""},
      {one(R"({"dtype":"F32","shape":[1],"data_offsets":[0]})"), 4, "should have 2 numbers"},
      {one(R"({"dtype":"F32","shape":[1],"data_offsets":[4,0]})"), 4, "are outside"},
      {one(R"({"dtype":"F32","shape":[2],"data_offsets":[0,8]})"), 4, "outside the 4 bytes"},
      {one(R"({"dtype":"F32","shape":[2],"data_offsets":[0,4]})"), 4,
       "F32 of shape (2,) takes 8 bytes, but data_offsets give it 4"},
      {one(R"({"dtype":"F32","shape":[4611686018427387904],"data_offsets":[0,0]})"), 0,
       "larger than any memory"},
      {one(R"({"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,0]})"), 0,
       "larger than any memory"},
      {one(R"({"dtype":"F32","shape":[4294967296,4294967296,0],"data_offsets":[0,0]})"), 0,
       "larger than any memory"},
      {one(R"({"dtype":"F32","shape":[9223372036854775808],"data_offsets":[0,0]})"), 0,
       "found 9223372036854775808"},
      {one(R"({"dtype":"F32","shape":[1,1,1,1,1,1,1,1,1],"data_offsets":[0,4]})"), 4,
       "has 9 dimensions"},
      {"{" + a + R"(,"b":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})", 4,
       "begins at byte 0 of the data, inside another that ends at 4"},
      {"{" + a + R"(,"b":{"dtype":"F32","shape":[1],"data_offsets":[2,6]}})", 6, "inside another"},
      {"{" + a + R"(,"b":{"dtype":"F32","shape":[1],"data_offsets":[8,12]}})", 12,
       "bytes 4 to 8 of the data, before tensor 'b', belong to no tensor"},
      {"{" + a + "}", 8, "the last 4 bytes of the data belong to no tensor"},
      {R"({"__metadata__":[]})", 0, "__metadata__ should be an object"},
      {R"({"__metadata__":{"a":1}})", 0, "__metadata__ 'a' should be a string"},
      {"{\"\xff\":1}", 0, "invalid UTF-8"},
  };
  for (const Case& c : cases) {
    CAPTURE(c.header);
    const std::string message = load_error_of(folder, file_of(c.header, c.data));
    CAPTURE(message);
    CHECK(message.find(c.message) != std::string::npos);
    CHECK(message.find("hostile") != std::string::npos);
  }
  std::string bools = file_of(R"({"m":{"dtype":"BOOL","shape":[2],"data_offsets":[0,2]}})", 2);
  bools.back() = 2;
  CHECK(load_error_of(folder, bools).find("element 1 of BOOL is 2") != std::string::npos);
  for (const uint64_t length : {uint64_t{100'000'001}, ~uint64_t{0}, ~uint64_t{0} - 7}) {
    std::string bytes = file_of("{}", 0);
    std::memcpy(bytes.data(), &length, 8);
    CHECK(load_error_of(folder, bytes).find("but the limit is") != std::string::npos);
  }
}

TEST_CASE("no file crashes the reader: every bit flipped, and random edits") {
  const TemporaryFolder folder;
  save_safetensors(folder / "a", sample(), {{"k", "v"}});
  const std::string valid = read_file(folder / "a");
  for (size_t i = 0; i < valid.size(); ++i) {
    for (const int bit : {0, 2, 5, 7}) {
      std::string bytes = valid;
      bytes[i] = static_cast<char>(bytes[i] ^ 1 << bit);
      load_error_of(folder, bytes);
    }
  }
  const char* pieces[] = {"[",
                          "]",
                          "{",
                          "}",
                          ",",
                          ":",
                          "\"",
                          "0",
                          "9",
                          "-",
                          "e9",
                          "18446744073709551616",
                          "9223372036854775807",
                          "\"shape\"",
                          "\"F64\"",
                          "\"BF16\"",
                          "null",
                          "\\u"};
  std::mt19937 random(11);
  uint64_t length;
  std::memcpy(&length, valid.data(), 8);
  for (int i = 0; i < 4000; ++i) {
    std::string header = valid.substr(8, length);
    for (int edit = random() % 4; edit >= 0; --edit) {
      const size_t at = random() % header.size();
      const size_t gone = random() % 3;
      header.replace(at, gone, random() % 4 == 0 ? "" : pieces[random() % std::size(pieces)]);
      if (header.empty()) header = "{}";
    }
    load_error_of(folder,
                  file_of(header, random() % 2 == 0 ? valid.size() - 8 - length : random() % 200));
  }
}

TEST_CASE("tensors that cannot be saved are refused, and the old file stays") {
  const TemporaryFolder folder;
  const std::string path = folder / "a";
  save_safetensors(path, {{"a", tensor({1})}});
  CHECK_THROWS_AS(save_safetensors(path, {{"__metadata__", tensor({1})}}), Error);
  CHECK_THROWS_AS(save_safetensors(path, {{"\xff", tensor({1})}}), Error);
  CHECK_THROWS_AS(save_safetensors(path, {{"b", tensor({1})}}, {{"k", "\xff"}}), Error);
  CHECK_THROWS_AS(save_safetensors(folder / "no/a", {}), Error);
  CHECK_THROWS_AS(load_safetensors(folder / "b"), Error);
  CHECK(load_safetensors(path).contains("a"));
  CHECK(folder.files() == 1);
}

}  // namespace
}  // namespace tarsier
