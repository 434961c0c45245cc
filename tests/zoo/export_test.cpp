// The command `tarsier export`, the rules of all its kinds, and event files of TensorBoard.
#include <doctest/doctest.h>

#include <filesystem>
#include <set>
#include <string>

#include "tests/error_of.h"
#include "tests/zoo/exported.h"
#include "tests/zoo/program.h"
#include "zoo/export/new_folder.h"
#include "zoo/export/protobuf.h"
#include "zoo/export/tensorboard.h"
#include "zoo/zip/checksum.h"

namespace tarsier::zoo {
namespace {

namespace fs = std::filesystem;

/// The names in a folder, sorted, with spaces between.
std::string names_in(const std::string& folder) {
  std::set<std::string> names;
  for (const auto& entry : fs::directory_iterator(folder))
    names.insert(entry.path().filename().string());
  std::string out;
  for (const std::string& name : names) out += (out.empty() ? "" : " ") + name;
  return out;
}

TEST_CASE("export writes a new folder, and says what is wrong otherwise") {
  const Place place(true);
  const Result good = tarsier(place, "export run --as huggingface");
  CHECK_MESSAGE(good.code == 0, good.err);
  CHECK(has(good.out, "Wrote run/huggingface, a folder that transformers'"));
  CHECK(names_in(place.path("run/huggingface")) ==
        "config.json model.safetensors tokenizer.json tokenizer_config.json");
  CHECK(tarsier(place, "export run --as tensorboard --out events").code == 0);
  CHECK(names_in(place.path("events")).starts_with("events.out.tfevents."));

  const Result again = tarsier(place, "export run --as huggingface");
  CHECK(again.code == 1);
  CHECK(
      complaint(again) ==
      "[export] 'run/huggingface' exists already: remove it, or choose another folder with --out");
  const Result missing = tarsier(place, "export run");
  CHECK(missing.code == 2);
  CHECK(has(complaint(missing), "[export] --as KIND is missing"));
  const Result unknown = tarsier(place, "export run --as hugginface");
  CHECK(unknown.code == 2);
  CHECK(has(complaint(unknown), "--as has no 'hugginface': did you mean 'huggingface'?"));
  CHECK(tarsier(place, "export nowhere --as huggingface").code == 1);
  CHECK(tarsier(place, "export --help").code == 0);
}

TEST_CASE("an export that fails leaves nothing") {
  const UntrainedRun run("gpt", {{"n_layer", "1"}, {"n_embd", "8"}, {"position", "alibi"}}, "");
  const std::string before = names_in(run.path(""));
  check_error("transformers' GPT2 lacks transformer.wpe (position=alibi)",
              [&] { run.exported("huggingface"); });
  CHECK(names_in(run.path("")) == before);
  check_error("[export] cannot make the folder '/proc/none.tmp.", [] { NewFolder("/proc/none"); });
}

TEST_CASE("a new folder appears complete, and replaces nothing") {
  const Scratch scratch;
  {
    NewFolder folder(scratch.path("a/b/"));
    write_file_atomically(folder.file("text"), "1");
    CHECK_FALSE(fs::exists(scratch.path("a/b")));
    folder.commit();
    CHECK(scratch.read("a/b/text") == "1");
    CHECK(names_in(scratch.path("a")) == "b");
  }
  check_error("exists already", [&] { NewFolder(scratch.path("a/b")); });
  NewFolder late(scratch.path("c"));
  fs::create_directories(scratch.path("c/full"));
  check_error("cannot rename", [&] { late.commit(); });
}

TEST_CASE("fields of protobuf messages") {
  // The examples of the specification: 150 in field 1, "testing" in field 2.
  CHECK(ProtobufMessage().integer(1, 150).bytes() == "\x08\x96\x01");
  CHECK(ProtobufMessage().text(2, "testing").bytes() == "\x12\x07testing");
  CHECK(ProtobufMessage().message(3, ProtobufMessage().integer(1, 150)).bytes() ==
        "\x1a\x03\x08\x96\x01");
  CHECK(ProtobufMessage().integer(16, -1).bytes() ==
        "\x80\x01\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01");
  CHECK(ProtobufMessage().number(2, 1.0F).bytes() == std::string("\x15\0\0\x80\x3f", 5));
  CHECK(ProtobufMessage().number(1, 1.0).bytes() == std::string("\x09\0\0\0\0\0\0\xf0\x3f", 9));
}

TEST_CASE("checksums of event files") {
  // RFC 3720, B.4.
  CHECK(crc32c(std::string(32, '\0')) == 0x8A9136AA);
  CHECK(crc32c(std::string(32, '\xff')) == 0x62A8AB43);
  CHECK(crc32c("123456789") == 0xE3069283);
}

TEST_CASE("an event has the bytes that TensorBoard 2.21 writes") {
  // EventFileWriter's records of Event(wall_time=1.5, file_version="brain.Event:2") and of step 3
  // with Summary.Value(tag="train_loss", simple_value=2.5).
  const auto hex = [](const std::string& bytes) {
    std::string out;
    for (const char c : bytes) {
      constexpr const char* digits = "0123456789abcdef";
      out += digits[static_cast<uint8_t>(c) >> 4];
      out += digits[static_cast<uint8_t>(c) & 15];
    }
    return out;
  };
  CHECK(hex(event_file_start(1.5)) ==
        "1800000000000000a37f4b2209000000000000f83f1a0d627261696e2e4576656e743a322a28646c");
  const Json line = Json::Object{{"step", 3}, {"train_loss", 2.5}};
  CHECK(hex(event_of(line, 1.5)) ==
        "200000000000000029eda95009000000000000f83f10032a130a110a0a747261696e5f6c6f7373150000204019"
        "95381b");
}

TEST_CASE("the log of a run in TensorBoard; damaged ones") {
  const UntrainedRun run("gpt", {{"n_layer", "1"}, {"n_embd", "8"}}, "");
  const std::string line = R"({"step": 1, "train_loss": 4.5, "grad_norm": "NaN", "seconds": 0.5, )"
                           R"("weight_norms": {"a": 1.0}})"
                           "\n"
                           R"({"step": 2, "train_loss": 4.25, "grad_norm": 0.5, "seconds": 1.5})"
                           "\n";
  const std::string log = run.write("run/metrics.jsonl", line + "{\"step\": 3, \"tra");
  check_error("bad.jsonl, line 2 is damaged", [&] {
    run.write("run/bad.jsonl", line.substr(0, line.find('\n') + 1) + "{\n");
    export_tensorboard(run.path("run/bad.jsonl"), run.path(""));
  });
  check_error("has no line yet",
              [&] { export_tensorboard(run.write("run/empty.jsonl", ""), run.path("")); });
  check_error("is not the log of a run", [&] {
    export_tensorboard(run.write("run/other.jsonl", "{\"a\": 1}\n"), run.path(""));
  });
  const std::string folder = run.exported("tensorboard");
  run.write("log", R"({"step": 1, "train_loss": 4.5, "grad_norm": NaN})"
                   "\n"
                   R"({"step": 2, "train_loss": 4.25, "grad_norm": 0.5})"
                   "\n");
  CHECK(library_agrees(run, "tensorboard", folder, {{"none", zeros({1})}},
                       Json::Object{{"log", run.path("log")}}));
}

}  // namespace
}  // namespace tarsier::zoo
