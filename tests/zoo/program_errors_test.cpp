// The program as a user sees it: every error.
#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>
#include <string>

#include "autograd/io/json.h"
#include "nn/nn.h"
#include "tests/zoo/program.h"
#include "zoo/data/text.h"

namespace tarsier::zoo {
namespace {

TEST_CASE("wrong usage exits with 2 and says how to fix it") {
  const Place place;
  const auto usage = [&](const std::string& arguments) {
    CAPTURE(arguments);
    const Result result = tarsier(place, arguments);
    CHECK(result.code == 2);
    CHECK(result.out.empty());
    return complaint(result);
  };
  CHECK(has(usage("trian gpt"), "did you mean 'train'?"));
  CHECK(has(usage("train"), "which model? The zoo has: gpt"));
  CHECK(has(usage("train gtp"), "did you mean 'gpt'?"));
  CHECK(has(usage("train gpt --step 5"), "did you mean '--steps'?"));
  CHECK(has(usage("train gpt --steps"), "--steps needs a value"));
  CHECK(has(usage("train gpt --steps -1"), "--steps is '-1'"));
  CHECK(has(usage("train gpt --steps abc"), "--steps is 'abc'"));
  CHECK(has(usage("train gpt --steps 0"), "--steps is '0'"));
  CHECK(has(usage("train GPT"), "did you mean 'gpt'?"));
  CHECK(has(usage("train gpt -steps 5"), "did you mean '--steps'?"));
  CHECK(has(usage("--quiet train gpt"), "'--quiet' is not a command: give the command first"));
  CHECK(has(usage("train gpt --set n_layer=1 --set n_layer=2"), "--set n_layer is given twice"));
  CHECK(has(usage("train gpt --steps 3 --set steps=3"), "--steps and --set steps are the same"));
  CHECK(has(usage("train gpt --seed 99999999999999999999"), "from 0 to 9223372036854775807"));
  CHECK(has(usage("train gpt --threads 0"), "from 1 to 1024"));
  CHECK(has(usage("train gpt --seed -3"), "--seed is '-3'"));
  CHECK(has(usage("train gpt --set n_layer"), "KEY=VALUE"));
  CHECK(has(usage("train gpt --set n_layers=3"), "did you mean 'n_layer'? It has: n_layer, "));
  CHECK(has(usage("train gpt --set n_layer=many"), "n_layer is 'many'"));
  CHECK(has(usage("train gpt --set dropout=2"), "dropout is '2'"));
  CHECK(has(usage("train gpt --set preset=giant"), "It has: cpu, "));
  CHECK(has(usage("train --resume run --seed 2"), "--seed does not go with --resume"));
  CHECK(has(usage("train gpt --source de"), "--source is for transformer; gpt has no such option"));
  CHECK(has(usage("train gpt --label en"),
            "--label is for text-classifier, vit, bert, diffusion; gpt has no such option"));
  CHECK(has(usage("train sentiment --label a --set label=b"),
            "--label and --set label are the same"));
  CHECK(has(usage("train sentiment --header maybe"), "must be one of auto, yes, no"));
  CHECK(has(usage("train --resume run --target en"), "a resumed run keeps its settings"));
  CHECK(has(usage("eval"), "usage: tarsier eval DIR"));
  CHECK(has(usage("eval a b"), "unexpected argument 'b'"));
  CHECK(has(usage("predict run --top-p 1.5"), "--top-p is '1.5'"));
  CHECK(has(usage("predict run --beams 0"), "--beams is '0'"));
  for (const char* model :
       {"transformer", "speech", "summarize", "captioning"})  // more beams would never end
    CHECK(has(usage(concat("train ", model, " --set beams=1001")), "from 1 to 1000"));
  CHECK(has(usage("predict run --beams 1000000"), "from 1 to 1000"));
  CHECK(has(usage("predict run --bars 1001"), "from 0 to 1000"));
  for (const char* setting : {"captioning --set caption_length", "summarize --set summary_length",
                              "summarize --set min_length", "transformer --set min_length"})
    CHECK(has(usage(concat("train ", setting, "=10001")), "to 10000"));
  CHECK(has(usage("predict run --temperature nan"), "--temperature is 'nan'"));
  CHECK_FALSE(std::filesystem::exists(place.path("runs")));
}

TEST_CASE("bad data are refused before a folder is made") {
  const Place place;
  place.write("empty.txt", "");
  place.write("short.txt", "too short");
  place.write("binary.bin", "\x89PNG\r\n\x1a\n");
  const auto failure = [&](const std::string& arguments) {
    CAPTURE(arguments);
    const Result result = tarsier(place, "train gpt --steps 2 " + arguments);
    CHECK(result.code == 1);
    CHECK_FALSE(std::filesystem::exists(place.path("runs")));
    return complaint(result);
  };
  CHECK(has(failure("--data nothing.txt"), "there is no file 'nothing.txt'"));
  CHECK(has(failure("--data ."), "'.' is a folder"));
  CHECK(has(failure("--data empty.txt"), "'empty.txt' is empty"));
  CHECK(has(failure("--data short.txt"), "has 9 characters, too few"));
  place.write("one.txt", "a");
  const std::string one = failure("--data one.txt --set block_size=1");
  CHECK(
      has(one, "has 1 character, too few for windows of block_size 1: it needs 11. Give a longer"));
  CHECK_FALSE(has(one, "--set"));  // no block_size would do
  place.write("twenty.txt", "twenty characters ..");
  CHECK(has(failure("--data twenty.txt"),
            "it needs 73. Give a longer text, or train with --set"
            " block_size=17"));
  CHECK(has(failure("--data /dev/zero"), "'/dev/zero' is a device"));
  CHECK(has(failure("--data data.txt --set n_layer=9999 --set n_embd=99999999 --set n_head=1"),
            "GB: use a smaller model"));
  CHECK(
      has(failure("--data data.txt --set batch_size=2147483647"), "take a batch_size of at most "));
  CHECK(has(failure("--data binary.bin"), "is not UTF-8 text: byte 0x89 at offset 0"));
  CHECK(has(failure("--data data.txt --set n_head=3"), "n_head=3 does not divide n_embd=128"));
}

TEST_CASE("folders that are taken, or cannot be written, are refused") {
  const Place place(/*with_run=*/true);
  const std::string train = concat("train gpt --data data.txt --steps 2", kTiny, " --out ");
  const std::string config = place.read("run/config.json");
  const Result taken = tarsier(place, train + "run");
  CHECK(taken.code == 1);
  CHECK(has(complaint(taken), "'run' holds a run already"));
  CHECK(place.read("run/config.json") == config);
  CHECK(has(complaint(tarsier(place, train + "data.txt")), "cannot make the folder 'data.txt'"));
  CHECK(has(complaint(tarsier(place, train + "/proc/tarsier")), "cannot make the folder"));

  // Other files stay.
  std::filesystem::create_directory(place.path("project"));
  place.write("project/config.json", "{\"name\": \"project\"}\n");
  place.write("project/notes.tmp.txt", "notes");
  CHECK(has(complaint(tarsier(place, train + "project")), "a config.json of something else"));
  CHECK(place.read("project/config.json") == "{\"name\": \"project\"}\n");
  std::filesystem::remove(place.path("project/config.json"));
  place.write("project/metrics.jsonl.tmp.1.0", "left by a run that was killed");
  CHECK(tarsier(place, train + "project").code == 0);
  CHECK(place.read("project/notes.tmp.txt") == "notes");
  CHECK_FALSE(std::filesystem::exists(place.path("project/metrics.jsonl.tmp.1.0")));
}

TEST_CASE("folders without a valid run are refused by all commands") {
  const Place place(/*with_run=*/true);
  const auto failures = [&](const std::string& dir) {
    std::string all;
    for (const std::string& command : std::vector<std::string>{
             "eval " + dir, "predict " + dir + " the", "train --resume " + dir}) {
      CAPTURE(command);
      const Result result = tarsier(place, command);
      CHECK(result.code == 1);
      all += complaint(result) + "\n";
    }
    return all;
  };
  CHECK(has(failures("nothing"), "there is no folder 'nothing'"));
  CHECK(has(failures("data.txt"), "'data.txt' is not a folder of a run"));
  CHECK(has(failures("."), "it has no config.json"));

  const std::string config = place.read("run/config.json");
  for (const std::string& damaged :
       std::vector<std::string>{"", "{", "[]", config.substr(0, config.size() / 2)}) {
    place.write("run/config.json", damaged);
    CHECK(has(failures("run"), "config.json"));
  }
  const auto replaced = [&](const std::string& from, const std::string& to) {
    std::string text = config;
    REQUIRE(has(text, from));
    text.replace(text.find(from), from.size(), to);
    place.write("run/config.json", text);
  };
  replaced("\"gpt\"", "\"wombat\"");
  CHECK(has(failures("run"), "a model 'wombat', which this program does not have"));
  replaced("\"n_embd\": 16", "\"n_embd\": -16");
  CHECK(has(failures("run"), "n_embd is '-16'"));
  // Weights whose sizes differ from config.json.
  replaced("\"n_embd\": 16", "\"n_embd\": 32");
  for (const char* command : {"eval run", "predict run the", "train --resume run"}) {
    const Result misfit = tarsier(place, command);
    CHECK(misfit.code == 1);
    CHECK(has(misfit.err, "config.json do not belong together"));
    CHECK(has(misfit.err, "transformer.wte.weight"));
  }
  place.write("run/config.json", config);

  const std::string weights = place.read("run/model.safetensors");
  const std::string state = place.read("run/checkpoint/state.safetensors");
  for (const size_t size : {size_t{0}, size_t{4}, size_t{100}, weights.size() - 1}) {
    CAPTURE(size);
    place.write("run/model.safetensors", weights.substr(0, size));
    place.write("run/checkpoint/state.safetensors",
                state.substr(0, std::min(size, state.size() - 1)));
    CHECK(has(failures("run"), ".safetensors"));
  }
  CHECK(has(tarsier(place, "eval run").err, "from the checkpoint: tarsier train --resume run"));
  // Nothing was lost.
  place.write("run/model.safetensors", weights);
  place.write("run/checkpoint/state.safetensors", state);
  CHECK(tarsier(place, "eval run").code == 0);
  CHECK(tarsier(place, "train --resume run --quiet").code == 0);

  // A damaged line of the log is named; training continues when it is removed.
  const std::string metrics = place.read("run/metrics.jsonl");
  const size_t second = metrics.find('\n') + 1;
  place.write("run/metrics.jsonl", metrics.substr(0, second) + "x" + metrics.substr(second));
  const Result damaged = tarsier(place, "train --resume run --steps 6 --quiet");
  CHECK(damaged.code == 1);
  CHECK(has(complaint(damaged), "run/metrics.jsonl: line 2 is damaged"));
  std::filesystem::remove(place.path("run/metrics.jsonl"));
  CHECK(tarsier(place, "train --resume run --steps 6 --quiet").code == 0);
}

TEST_CASE("prompts and data with characters never seen are refused by name") {
  const Place place(/*with_run=*/true);
  const Result prompt = tarsier(place, "predict run 'the zebra Ü'");
  CHECK(prompt.code == 1);
  CHECK(complaint(prompt) ==
        "[data] the prompt has characters that the model has never seen: 'b', 'z', 'Ü' (U+00DC)");
  place.write("other.txt", small_text() + "QUIZ");
  const Result eval = tarsier(place, "eval run --data other.txt");
  CHECK(eval.code == 1);
  CHECK(has(complaint(eval), "'other.txt' has characters that the model has never seen: 'I'"));
}

TEST_CASE("resuming requires the same model and data") {
  const Place place(/*with_run=*/true);
  const Result model = tarsier(place, "train gpt-baby --resume run");
  CHECK(model.code == 2);
  CHECK(has(complaint(model), "run is a run of gpt, not of gpt-baby"));
  place.write("data.txt", small_text() + "more");
  const Result data = tarsier(place, "train gpt --resume run");
  CHECK(data.code == 1);
  CHECK(has(complaint(data), "is not what this run was trained on"));
  CHECK(has(tarsier(place, "eval run").err, "the data changed since"));
  const Result steps = tarsier(place, "train --resume run --steps 2 --data data.txt");
  CHECK(steps.code == 1);
  std::filesystem::rename(place.path("data.txt"), place.path("moved.txt"));
  for (const char* command : {"eval run", "train --resume run"})
    CHECK(has(complaint(tarsier(place, command)), "Give their path with --data"));
  place.write("moved.txt", small_text());
  CHECK(tarsier(place, "eval run --data moved.txt").code == 0);
  CHECK(has(tarsier(place, "train --resume run --data moved.txt").out, "nothing left to do"));
}

}  // namespace
}  // namespace tarsier::zoo
