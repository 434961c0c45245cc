// The smallest example, as a student runs it.
#include <doctest/doctest.h>

#include <cstdlib>
#include <sstream>

#include "nn/nn.h"
#include "tests/data.h"
#include "tests/zoo/scratch.h"

namespace tarsier::zoo {
namespace {

TEST_CASE("self-attention learns its sequences, and saves its weights") {
  const Scratch scratch;
  const std::string program =
      std::string("cd '") + scratch.path("") + "' && " + self_attention_program() + " ";
  REQUIRE(std::system((program + "> stdout").c_str()) == 0);
  std::istringstream lines(scratch.read("stdout"));
  std::vector<double> losses;
  std::string word, line;
  for (int epoch = 0; lines >> word && word == "epoch" && lines >> epoch >> word;) {
    losses.emplace_back();
    lines >> losses.back();
    CHECK(epoch == static_cast<int>(losses.size()));
  }
  REQUIRE(losses.size() > 10);
  CHECK(losses.front() > 0.5);
  CHECK(losses.back() < 0.01 * losses.front());
  std::getline(lines, line);
  CHECK(word + line == "Saved in self-attention.safetensors. Loaded, it says the same.");
  const TensorDict state = load_safetensors(scratch.path("self-attention.safetensors"));
  CHECK(state["query.weight"].shape() == Shape{16, 16});
  CHECK(state["position"].shape() == Shape{6, 16});

  // The path can be given; a missing folder is an error, not a crash.
  CHECK(std::system((program + "other > stdout").c_str()) == 0);
  CHECK(load_safetensors(scratch.path("other")).size() == state.size());
  CHECK(std::system((program + "no/such/folder > stdout 2> stderr").c_str()) != 0);
  CHECK(scratch.read("stderr").starts_with("["));
}

}  // namespace
}  // namespace tarsier::zoo
