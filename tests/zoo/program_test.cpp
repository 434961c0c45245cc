// The program as a user sees it: output, exit codes, and every error.
#include <doctest/doctest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <sstream>
#include <thread>

#include "autograd/io/json.h"
#include "nn/nn.h"
#include "tests/zoo/program.h"
#include "zoo/data/text.h"

namespace tarsier::zoo {
namespace {

TEST_CASE("help and list show the commands and models") {
  const Scratch scratch;
  for (const char* ask : {"--help", "-h", "help"}) {
    const Result help = tarsier(scratch, ask);
    CHECK(help.code == 0);
    for (const char* part : {"list", "train MODEL", "eval DIR", "predict DIR", "reproduce [ROW]"})
      CHECK(has(help.out, part));
    CHECK(help.err.empty());
  }
  CHECK(has(tarsier(scratch, "--version").out, "tarsier 0."));
  CHECK(tarsier(scratch, "").code == 2);
  const Result train = tarsier(scratch, "train --help");
  for (const char* part : {"--data PATH", "--resume DIR", "--set KEY=VALUE", "--quiet"})
    CHECK(has(train.out, part));
  CHECK(tarsier(scratch, "help train").out == train.out);
  CHECK(has(tarsier(scratch, "train gpt-baby --help").out, "n_layer=6 "));
  CHECK(has(tarsier(scratch, "predict --help").out, "--temperature X"));
  CHECK(has(tarsier(scratch, "predict --help").out, "transformer: translations"));
  CHECK(has(tarsier(scratch, "list").out, "gpt-baby\n"));
  // No line is longer than 80 columns.
  for (const char* ask :
       {"--help", "list", "list --help", "train gpt --help", "train translation --help",
        "train vit --help", "train sentiment --help", "eval --help", "predict --help",
        "reproduce --help", "reproduce --list"}) {
    std::istringstream lines(tarsier(scratch, ask).out);
    for (std::string text; std::getline(lines, text);)
      CHECK_MESSAGE(decode_utf8(text, "help").size() <= 80, text);
  }
}

TEST_CASE("train, eval and predict work together") {
  const Place place;
  const Result train =
      tarsier(place, concat("train gpt --data data.txt --steps 20 --seed 7", kTiny));
  REQUIRE_MESSAGE(train.code == 0, train.err);
  for (const char* part : {"1 layer, 2 heads", "parameters", "step 20/20", "runs/gpt",
                           "time     about 0:0", "\nval_loss ", "A sample", "predict runs/gpt",
                           "threads  1, with the instruction set ", "memory   about "})
    CHECK_MESSAGE(has(train.out, part), part);
  CHECK_FALSE(has(train.out, "\r"));  // no terminal, no live line

  const Result eval = tarsier(place, "eval runs/gpt");
  CHECK(eval.code == 0);
  CHECK(eval.err.empty());
  const size_t at = train.out.find("\nval_loss ") + 10;
  CHECK(eval.out == "val_loss " + train.out.substr(at, 6) + "\n");

  const Result predict = tarsier(place, "predict runs/gpt 'the cat' sat --tokens 10 --seed 3");
  CHECK(predict.code == 0);
  CHECK(predict.out.starts_with("the cat sat"));
  CHECK(predict.out.size() == std::string("the cat sat").size() + 10 + 1);
  place.write("stdin", "the cat sat\n");
  CHECK(tarsier(place, "predict runs/gpt --tokens 10 --seed 3 < stdin").out == predict.out);
  CHECK(tarsier(place, "predict runs/gpt --tokens 5 </dev/null").out.size() == 6);
  const Result greedy = tarsier(place, "predict runs/gpt the --temperature 0 --seed 1");
  CHECK(greedy.out == tarsier(place, "predict runs/gpt the --top-k 1 --seed 2").out);
  CHECK(greedy.out == tarsier(place, "predict runs/gpt the --top-p 0 --seed 3").out);

  // A second run gets a new folder.
  const Result second =
      tarsier(place, concat("train gpt --data data.txt --steps 2 --quiet", kTiny));
  CHECK(second.code == 0);
  CHECK(second.out.starts_with("val_loss "));
  CHECK(second.out.ends_with("  runs/gpt-2\n"));
}

/// The value that a line of `eval` begins with: "accuracy 77.86 %" for "accuracy".
double printed_value(const std::string& out, const std::string& metric) {
  std::istringstream lines(out);
  for (std::string name, rest; lines >> name && std::getline(lines, rest);)
    if (name == metric) return std::stod(rest);
  return std::nan("");
}

TEST_CASE(
    "a run that goes on beyond its end says that the learning rate jumps, and what else to do") {
  const Place place(true);  // 4 steps, all done
  const Result copied = tarsier(place, "list > /dev/null && cp -r run copy");
  REQUIRE(copied.code == 0);
  const Result longer = tarsier(place, "train --resume run --steps 8");
  CHECK_MESSAGE(longer.code == 0, longer.err);
  CHECK(has(longer.out, "The learning rate jumps, from "));
  CHECK(has(longer.out, "the cosine schedule now ends after 8 steps instead of 4"));
  CHECK(has(longer.out, "train --resume run --steps 8 --set decay_steps=4"));
  CHECK(has(longer.out, "train again from the start with --steps 8"));
  // The suggested option keeps the rate where the curve ended, and is stored.
  const Result kept = tarsier(place, "train --resume copy --steps 8 --set decay_steps=4");
  CHECK_MESSAGE(kept.code == 0, kept.err);
  CHECK_FALSE(has(kept.out, "jumps"));
  CHECK(has(place.read("copy/metrics.jsonl"), "\"step\": 8, "));
  CHECK(has(place.read("copy/metrics.jsonl"), "\"lr\": 1e-04, "));
  CHECK_FALSE(has(tarsier(place, "train --resume copy --steps 9").out, "jumps"));
  // Nothing else can be set, and continuing as planned prints no warning.
  const Result other = tarsier(place, "train --resume run --set n_layer=2");
  CHECK(other.code == 2);
  CHECK(has(other.err, "--set n_layer=2 does not go with --resume"));
  CHECK(has(other.err, "except decay_steps"));
  CHECK_FALSE(has(tarsier(place, "train --resume run").out, "jumps"));
}

TEST_CASE("every model trains on its built-in data, resumes, evaluates and predicts") {
  struct Case {
    std::string model, settings, input, metric;
  };
  const std::string sizes = " --set width=8 --set heads=2 --set layers=1 --set mlp_width=8";
  for (const Case& c : {
           Case{"transformer", sizes, "'Friday, Nov 20th 2026'", "exact"},
           Case{"text-classifier", sizes, "'Tensor x = randn({2, 3});'", "accuracy"},
           Case{"vit", sizes + " --set stem=patches --set patch_size=14", "one.pgm", "accuracy"},
       }) {
    CAPTURE(c.model);
    const Scratch scratch;
    scratch.write("one.pgm", "P2 2 2 9\n0 9 0 9\n");
    const Result train = tarsier(
        scratch, "train " + c.model + " --steps 3 --set batch_size=4 --threads 1" + c.settings);
    REQUIRE_MESSAGE(train.code == 0, train.err);
    for (const std::string& part :
         {"Training " + c.model, "runs/" + c.model, std::string("step 3/3"),
          std::string("A sample"), std::string("predict runs/")})
      CHECK_MESSAGE(has(train.out, part), part);
    const Result eval = tarsier(scratch, "eval runs/" + c.model);
    CHECK_MESSAGE(eval.code == 0, eval.err);
    CHECK_MESSAGE(printed_value(eval.out, c.metric) >= 0, eval.out);
    CHECK(printed_value(eval.out, c.metric) <= 100);

    // An input on the command line, and each line of standard input, gets a line of answer.
    const Result one = tarsier(scratch, "predict runs/" + c.model + " " + c.input);
    CHECK_MESSAGE(one.code == 0, one.err);
    CHECK(std::count(one.out.begin(), one.out.end(), '\n') == 1);
    const std::string line = c.model == "vit" ? "one.pgm" : c.input.substr(1, c.input.size() - 2);
    scratch.write("two", line + "\r\n" + line);
    CHECK(tarsier(scratch, "predict runs/" + c.model + " < two").out == one.out + one.out);
    CHECK(tarsier(scratch, "predict runs/" + c.model + " </dev/null").out.empty());
    scratch.write("three", line + "\n \t\n" + line + "\n\n");
    CHECK(tarsier(scratch, "predict runs/" + c.model + " < three").out ==
          one.out + "\n" + one.out + "\n");
    CHECK(tarsier(scratch, "predict runs/" + c.model + " ''").out == "\n");
    const Result hot = tarsier(scratch, "predict runs/" + c.model + " x --temperature 1");
    CHECK(hot.code == 2);
    CHECK(has(complaint(hot), "--temperature is for gpt; " + c.model + " has no such option"));

    const Result more =
        tarsier(scratch, "train --resume runs/" + c.model + " --steps 4 --quiet --threads 1");
    CHECK_MESSAGE(more.code == 0, more.err);
    CHECK(std::count(more.out.begin(), more.out.end(), '\n') == 1);
    CHECK(more.out.ends_with("  runs/" + c.model + "\n"));
  }
}

TEST_CASE("the facts before training fit the terminal, broken between words") {
  const Place place;
  const std::string name = "a text with a name of many words, so that the line is longer.txt";
  place.write(name, small_text());
  const Result train = tarsier(place, concat("train gpt --data '", name, "' --steps 1", kTiny));
  REQUIRE_MESSAGE(train.code == 0, train.err);
  const std::string facts = train.out.substr(0, train.out.find("\n\n"));
  std::istringstream lines(facts);
  int wrapped_lines = 0;
  std::string joined;
  for (std::string line; std::getline(lines, line);) {
    CHECK_MESSAGE(decode_utf8(line, "facts").size() <= 80, line);
    if (line.starts_with("           ")) ++wrapped_lines, line.erase(0, 10);
    joined += line;
  }
  CHECK(wrapped_lines >= 1);
  CHECK_MESSAGE(has(joined, "'" + name + "': 1,081 characters to train on, 121 to validate"),
                joined);
}

TEST_CASE("training that stops early reports why, and which weights are kept") {
  const Place place;
  // With a rate of 0 nothing improves.
  const Result early = tarsier(
      place, concat("train gpt --data data.txt --steps 40 --set eval_every=2 --set patience=3"
                    " --set learning_rate=0 --set min_learning_rate=0",
                    kTiny));
  REQUIRE_MESSAGE(early.code == 0, early.err);
  CHECK(has(early.out, "after step 2, the best, which is kept.\n"));
  CHECK(has(early.out, "Stopped early, after step 8 of 40: 3 validations without improvement"));
}

TEST_CASE("list shows for every model what it learns, from which data, how well and how fast") {
  const Scratch scratch;
  const std::string list = tarsier(scratch, "list").out;
  std::istringstream lines(list);
  std::map<std::string, int> rows;
  for (std::string line; std::getline(lines, line);) {
    for (const char* row : {"learns", "data", "reaches", "takes"})
      if (line.starts_with(std::string("  ") + row)) {
        ++rows[row];
        CHECK_MESSAGE(line.find_first_not_of(' ', 11) != line.npos, line);
      }
  }
  for (const char* row : {"learns", "data", "reaches", "takes"}) CHECK(rows[row] == rows["learns"]);
  CHECK(rows["learns"] >= 7);
}

TEST_CASE("reproduce lists its rows, and asks for data before it begins") {
  const Scratch scratch;
  const Result list = tarsier(scratch, "reproduce --list");
  CHECK(list.code == 0);
  for (const char* part : {"translation\n", "BLEU ≥ 36.10", "DIR/multi30k", "val_loss ≤ 1.9000"})
    CHECK_MESSAGE(has(list.out, part), part);
  const Result all = tarsier(scratch, "reproduce");
  CHECK(all.code == 2);
  CHECK(has(complaint(all), "give the folder with --data DIR that holds multi30k (translation)"));
  const Result row = tarsier(scratch, "reproduce vti");
  CHECK(row.code == 2);
  CHECK(has(complaint(row), "did you mean 'vit'?"));
  CHECK(has(complaint(tarsier(scratch, "reproduce vit --data .")), "does not hold mnist (vit)"));
  CHECK_FALSE(std::filesystem::exists(scratch.path("runs")));
}

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
  CHECK(has(usage("train vit --label en"), "--label is for text-classifier; vit has no such"));
  CHECK(has(usage("train sentiment --label a --set label=b"),
            "--label and --set label are the same"));
  CHECK(has(usage("train sentiment --header maybe"), "must be one of auto, yes, no"));
  CHECK(has(usage("train --resume run --target en"), "a resumed run keeps its settings"));
  CHECK(has(usage("eval"), "usage: tarsier eval DIR"));
  CHECK(has(usage("eval a b"), "unexpected argument 'b'"));
  CHECK(has(usage("predict run --top-p 1.5"), "--top-p is '1.5'"));
  CHECK(has(usage("predict run --beams 0"), "--beams is '0'"));
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

// ---- signals ----

/// Starts `tarsier train` of a tiny model that would run for hours.
pid_t start_training(const Scratch& scratch, const std::string& out) {
  const pid_t child = fork();
  if (child == 0) {
    const std::string line = "cd '" + scratch.path("") + "' && exec " + tarsier_program() +
                             " train gpt --data data.txt --steps 100000000 --set decay_steps=1000"
                             " --set eval_every=1000000 --out " +
                             out + kTiny + " >stdout 2>stderr";
    execl("/bin/sh", "sh", "-c", line.c_str(), nullptr);
    _exit(127);
  }
  return child;
}

/// Waits until metrics.jsonl has a line, so that training has started.
void wait_for_steps(const Scratch& scratch, const std::string& out) {
  for (int i = 0; i < 3000 && scratch.read(out + "/metrics.jsonl").size() < 2000; ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
}

TEST_CASE("Ctrl-C saves, says where, and exits with 1; then the run continues") {
  const Place place;
  const pid_t child = start_training(place, "run");
  wait_for_steps(place, "run");
  REQUIRE(kill(child, SIGINT) == 0);
  int status = 0;
  REQUIRE(waitpid(child, &status, 0) == child);
  REQUIRE(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 1);
  const std::string err = place.read("stderr");
  CHECK(has(err, "Stopped after step "));
  CHECK(has(err, "train --resume run"));
  const std::string metrics = place.read("run/metrics.jsonl");
  const auto lines = std::count(metrics.begin(), metrics.end(), '\n');
  CHECK(has(err, concat("Stopped after step ", lines, " of")));
  const Result resumed = tarsier(place, concat("train --resume run --quiet --steps ", lines + 1));
  CHECK_MESSAGE(resumed.code == 0, resumed.err);
  CHECK(tarsier(place, "eval run").code == 0);
}

TEST_CASE("a folder takes one training process at a time, and notices when it is moved") {
  const Place place;
  const pid_t child = start_training(place, "run");
  wait_for_steps(place, "run");
  const std::string line =
      concat("cd '", place.path(""), "' && ", tarsier_program(), " train --resume run 2>second");
  const int second = std::system(line.c_str());
  CHECK(WEXITSTATUS(second) == 1);
  CHECK(has(place.read("second"), "another process is training in run"));
  std::filesystem::rename(place.path("run"), place.path("elsewhere"));
  int status = 0;
  REQUIRE(waitpid(child, &status, 0) == child);
  CHECK(WEXITSTATUS(status) == 1);
  CHECK(has(place.read("stderr"), "run was removed or renamed while training"));
  CHECK(tarsier(place, "eval elsewhere").code == 0);
}

TEST_CASE("SIGKILL at any moment leaves a checkpoint that resumes") {
  const Place place;
  // Checkpoints are written every other step, so some of these kills hit one being written.
  for (int i = 0; i < 8; ++i) {
    CAPTURE(i);
    const std::string out = "run" + std::to_string(i);
    const pid_t child = start_training(place, out);
    wait_for_steps(place, out);
    std::this_thread::sleep_for(std::chrono::microseconds(700 * i));
    REQUIRE(kill(child, SIGKILL) == 0);
    REQUIRE(waitpid(child, nullptr, 0) == child);
    Metadata metadata;
    CHECK_NOTHROW(load_safetensors(place.path(out + "/checkpoint/state.safetensors"), &metadata));
    const int64_t step = Json::parse(metadata["tarsier"])["step"].as_int();
    const Result resumed =
        tarsier(place, concat("train --resume ", out, " --quiet --steps ", step + 3));
    CHECK_MESSAGE(resumed.code == 0, resumed.err);
    const std::string metrics = place.read(out + "/metrics.jsonl");
    CHECK(std::count(metrics.begin(), metrics.end(), '\n') == step + 3);
  }
}

TEST_CASE("a full disk is reported, and what was saved stays") {
  // /dev/full is always full; here it is standard output.
  const Place place(/*with_run=*/true);
  if (!std::filesystem::exists("/dev/full")) return;
  const std::string line =
      "cd '" + place.path("") + "' && " + tarsier_program() + " list >/dev/full 2>stderr";
  const int status = std::system(line.c_str());
  CHECK(WEXITSTATUS(status) == 1);
  CHECK(has(place.read("stderr"), "cannot write to standard output"));
  const std::string endless = "cd '" + place.path("") + "' && " + tarsier_program() +
                              " predict run the --tokens 1000000000 >/dev/full 2>stderr";
  CHECK(WEXITSTATUS(std::system(endless.c_str())) == 1);
  // A limit on the size of files makes every write beyond it fail, as a full disk does.
  const std::string limited = "cd '" + place.path("") + "' && trap '' XFSZ && ulimit -f 8 && " +
                              tarsier_program() + " train --resume run --steps 6 >stdout 2>stderr";
  const std::string before = place.read("run/checkpoint/state.safetensors");
  const int limited_status = std::system(limited.c_str());
  CHECK(WEXITSTATUS(limited_status) == 1);
  CHECK(has(place.read("stderr"), "saving failed after step 6"));
  CHECK(has(place.read("stderr"), "--resume run"));
  CHECK(place.read("run/checkpoint/state.safetensors") == before);
  CHECK(tarsier(place, "eval run").code == 0);
}

}  // namespace
}  // namespace tarsier::zoo
