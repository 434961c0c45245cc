// `tarsier study` with input that is wrong, too large, or not a number; and two that are compared.
#include <doctest/doctest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cmath>
#include <filesystem>
#include <thread>

#include "autograd/io/json.h"
#include "tests/zoo/program.h"
#include "zoo/study/step.h"

namespace tarsier::study {
namespace {

using zoo::complaint;
using zoo::has;
using zoo::Place;
using zoo::Result;
using zoo::Scratch;

/// The data of a page.
Json data_of(const Scratch& scratch, const std::string& file) {
  const std::string page = scratch.read(file), mark = "id=\"study-data\">";
  const size_t begin = page.find(mark);
  REQUIRE(begin != page.npos);
  const size_t end = page.find("</script>", begin);
  return Json::parse(page.substr(begin + mark.size(), end - begin - mark.size()));
}

const std::string kModel =
    "gpt --data data.txt --set n_layer=1 --set n_head=2 --set n_embd=16 "
    "--set block_size=8 ";

TEST_CASE("study: wrong input is named, and nothing that exists is lost") {
  const Place place(/*with_run=*/true);
  place.write("old.html", "old");
  const auto error = [&](const std::string& arguments, int code) {
    CAPTURE(arguments);
    const Result result = zoo::tarsier(place, "study " + arguments);
    CHECK(result.code == code);
    CHECK(place.read("old.html") == "old");
    return complaint(result);
  };
  CHECK(has(error("gtp", 2), "gpt"));
  CHECK(has(error("./nowhere", 1), "nowhere"));
  CHECK(has(error("run --set n_layer=2", 2), "keeps its settings"));
  CHECK(has(error("gpt --against-set norm=rms", 2), "--against"));
  CHECK(has(error("gpt --print --against gpt", 2), "--print shows one step"));
  CHECK(has(error("gpt --tokens 0", 2), "--tokens is '0'"));
  CHECK(has(error("gpt --tokens 1", 2), "2"));
  const std::string module = error("run --module transformer.h.O --out old.html --proof 0", 1);
  CHECK(has(module, "there is no module 'transformer.h.O' in the pass"));
  CHECK(has(module, "did you mean 'transformer.h.0'?"));
  CHECK(has(error("run --out no/folder/page.html --proof 0", 1),
            "no/folder/page.html: cannot be created: there is no folder 'no/folder'"));
  CHECK(has(error("run --out . --proof 0", 1), ".: is not a regular file"));
  std::filesystem::create_directory(place.path("other"));
  place.write("other/config.json", "{\"a\": 1}");
  CHECK(has(error("./other", 1), "other/config.json is of another program"));
  CHECK(has(error("run --out /dev/full --proof 0", 1), "/dev/full: is not a regular file"));
}

TEST_CASE("study: more tokens than the context has are cut to it, and the output says so") {
  const Place place;
  const Result result =
      zoo::tarsier(place, "study " + kModel + "--proof 0 --tokens 100 --out a.html");
  REQUIRE_MESSAGE(result.code == 0, result.err);
  CHECK(has(result.out, ": 8 characters, "));
}

TEST_CASE("study: a NaN is shown, not fatal: the first node that has it is marked") {
  const Place place(/*with_run=*/true);
  const zoo::RunFolder folder = zoo::RunFolder::open(place.path("run"));
  zoo::Checkpoint checkpoint = folder.load_checkpoint();
  const std::string name = "transformer.h.0.mlp.c_fc.weight";
  checkpoint.model[name].data<float>()[5] = NAN;
  folder.save_checkpoint(checkpoint);
  TensorDict weights = folder.load_weights();
  weights[name].data<float>()[5] = NAN;
  folder.save_weights(weights, "gpt", 4);
  std::filesystem::remove(place.path("run/samples.jsonl"));

  const Result result = zoo::tarsier(place, "study run --out nan.html");
  REQUIRE_MESSAGE(result.code == 0, result.err);
  CHECK(has(result.out, "loss nan"));
  const Json data = data_of(place, "nan.html");
  std::vector<std::string> bad;
  for (const Json& node : data["nodes"].as_array())
    if (node.find("bad") != nullptr) bad.push_back(node["name"].as_string());
  CHECK(bad == std::vector<std::string>{name});
  CHECK(data["proof_missing"].as_string() == "the loss is not finite");
  const auto& samples = data["learning"]["samples"].as_array();
  CHECK(has(samples.back()["text"].as_string(), "instead of a probability"));
}

TEST_CASE("study: a full disk and Ctrl-C leave the page that was there") {
  const Place place;
  place.write("old.html", "old");
  const std::string start = "cd '" + place.path("") + "' && ";
  const std::string command = tarsier_program() + std::string(" study ") + kModel;
  // A limit on the size of files makes every write beyond it fail, as a full disk does.
  const std::string limited = start + "trap '' XFSZ && ulimit -f 16 && " + command +
                              "--proof 0 --out old.html >stdout 2>stderr";
  const int status = std::system(limited.c_str());
  CHECK(WEXITSTATUS(status) == 1);
  CHECK(has(place.read("stderr"), "old.html"));
  CHECK(place.read("old.html") == "old");

  const pid_t child = fork();
  if (child == 0) {
    const std::string line = start + "exec " + tarsier_program() +
                             " study gpt --data data.txt --proof 600 --out old.html >stdout";
    execl("/bin/sh", "sh", "-c", line.c_str(), nullptr);
    _exit(127);
  }
  std::this_thread::sleep_for(std::chrono::milliseconds(100));
  REQUIRE(kill(child, SIGINT) == 0);
  int interrupted = 0;
  REQUIRE(waitpid(child, &interrupted, 0) == child);
  CHECK_FALSE((WIFEXITED(interrupted) && WEXITSTATUS(interrupted) == 0));
  CHECK(place.read("old.html") == "old");
  for (const auto& file : std::filesystem::directory_iterator(place.path("")))
    CHECK_FALSE(has(file.path().filename().string(), ".tmp."));
}

TEST_CASE("study: the second of two gets the input of the first, also with another seed") {
  const Place place(/*with_run=*/true);  // of seed 1
  const std::string first =
      "study " + kModel + "--proof 0 --seed 5 --tokens 6 --out two.html --against ";
  Result result = zoo::tarsier(place, first + "run");
  REQUIRE_MESSAGE(result.code == 0, result.err);
  CHECK(result.err == "");
  Json data = data_of(place, "two.html");
  CHECK(data["against"]["labels"] == data["labels"]);
  CHECK(data["against"].find("input_differs") == nullptr);
  result = zoo::tarsier(place, "study run --proof 0 --tokens 6 --out alone.html");
  CHECK(data_of(place, "alone.html")["labels"] != data["labels"]);

  place.write("digits.txt", std::string(40, '7') + "0123456789 0123456789 98765 43210 31415 92653");
  result = zoo::tarsier(
      place, concat("train gpt --data digits.txt --out digits --steps 2 --quiet", zoo::kTiny));
  REQUIRE_MESSAGE(result.code == 0, result.err);
  result = zoo::tarsier(place, "study run --proof 0 --tokens 6 --out two.html --against digits");
  REQUIRE_MESSAGE(result.code == 0, result.err);
  CHECK(has(result.err,
            "each of the two sees its own first example, because they were made for "
            "different data (vocabulary)"));
  data = data_of(place, "two.html");
  CHECK(has(data["against"]["input_differs"].as_string(), "different data (vocabulary)"));
  CHECK(data["against"]["labels"] != data["labels"]);
}

TEST_CASE("study: an input that is too long for the second one stays that of the first") {
  const Scratch scratch;
  const std::string data = scratch.write("data.txt", zoo::small_text());
  const auto task = [&](const char* block) {
    return zoo::prepared_task(
        "gpt", data, {{"n_layer", "1"}, {"n_head", "2"}, {"n_embd", "16"}, {"block_size", block}});
  };
  const std::unique_ptr<zoo::Task> large = task("16"), small = task("8");
  const std::string why = why_unreadable(*small, *large, large->study_input(16, 1));
  CHECK(why.starts_with("gpt cannot read it: "));
  CHECK(has(why, "16"));
  CHECK(why_unreadable(*small, *large, large->study_input(8, 1)) == "");
  CHECK(why_unreadable(*large, *small, small->study_input(16, 2)) == "");
}

}  // namespace
}  // namespace tarsier::study
