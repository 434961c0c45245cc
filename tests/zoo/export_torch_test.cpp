// Runs of gpt in plain PyTorch and for nanoGPT: the real libraries give the same logits, losses and
// gradients, and go on with the same losses; files of torch.save; what is refused.
#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "tests/error_of.h"
#include "tests/zoo/exported.h"
#include "zoo/export/python_value.h"
#include "zoo/gpt/model.h"
#include "zoo/pretrained/pickle.h"
#include "zoo/pretrained/torch_file.h"
#include "zoo/zip/write.h"

namespace tarsier::zoo {
namespace {

namespace fs = std::filesystem;
using Dict = PythonValue::Dict;

const Changes kTinyGpt = {{"n_layer", "2"}, {"n_head", "2"}, {"n_embd", "16"}, {"block_size", "8"}};

/// A trained GPT that was stopped after step 6, and what its next steps were.
struct StoppedRun : Scratch {
  static constexpr int64_t kStopped = 6, kSteps = 10;
  std::string data = write("data.txt", small_text());
  TensorDict batches;  ///< inputs.0, targets.0, …
  Json::Array losses, rates;

  explicit StoppedRun(const Changes& more) {
    const Changes changes = with(with(kTinyGpt, {{"steps", std::to_string(kSteps)},
                                                 {"batch_size", "4"},
                                                 {"warmup_steps", "2"},
                                                 {"checkpoint_every", "3"}}),
                                 more);
    const auto task = [&] { return prepared_task("gpt", data, changes); };
    train_task(*task(), data, path("run"), kStopped);
    fs::copy(path("run"), path("whole"), fs::copy_options::recursive);
    train_task(*task(), data, path("whole"), 0, true);
    const auto again = task();
    std::ifstream lines(path("whole/metrics.jsonl"));
    for (std::string line; std::getline(lines, line);) {
      const Json json = Json::parse(line);
      const int64_t step = json["step"].as_int();
      if (step <= kStopped) continue;
      losses.push_back(json["train_loss"]);
      rates.push_back(json["lr"]);
      const Batch batch = again->batch(step, 1);
      batches.add(concat("inputs.", step - kStopped - 1), batch["inputs"]);
      batches.add(concat("targets.", step - kStopped - 1), batch["targets"]);
    }
  }
  std::string exported(const std::string& kind) const {
    export_run(RunFolder::open(path("run")), find_export_kind(kind), path(kind));
    return path(kind);
  }
};

TEST_CASE("a gpt in plain PyTorch: the same logits, loss and gradients, whatever its parts") {
  for (const Changes& changes :
       {Changes{}, Changes{{"bias", "true"}, {"tied", "false"}, {"mlp", "relu2"}},
        Changes{{"position", "rotary"}, {"norm", "rms"}, {"mlp", "swiglu"}},
        Changes{{"position", "alibi"}, {"qk_norm", "true"}, {"n_head", "4"}},
        Changes{{"position", "sinusoidal"}}}) {
    const UntrainedRun run("gpt", with(kTinyGpt, changes), "");
    auto& gpt = run.model<gpt::Gpt>();
    const std::string folder = run.exported("torch");
    const TensorDict back = load_torch(folder + "/model.pt");
    for (const auto& [name, tensor] : gpt.state_dict())
      CHECK_MESSAGE(back[name].to_vector() == tensor.to_vector(), name);
    const int64_t T = gpt.config.is_relative() ? 13 : 8;
    const Tensor input = remainder(reshape(arange(2 * T) * 5 + 1, {2, T}), gpt.config.vocab_size);
    const Tensor targets = remainder(input * 3 + 2, gpt.config.vocab_size);
    TensorDict expected{{"input", input}, {"targets", targets}};
    const Tensor loss = gpt.loss(input, targets);
    loss.backward();
    expected.add("loss", loss.detach());
    expected.add("output", gpt(input).detach());
    for (const auto& [name, parameter] : gpt.named_parameters())
      expected.add("grad." + name, parameter.grad());
    CHECK(library_agrees(run, "torch_model", folder, expected));
  }
}

TEST_CASE("train.py and nanoGPT go on with our losses") {
  const StoppedRun run({{"bias", "true"}, {"accumulate", "1"}});
  REQUIRE(run.losses.size() == 4);
  const std::string folder = run.exported("torch");
  for (const char* name : {"model.py", "train.py", "config.json", "train.bin", "val.bin"})
    CHECK(fs::exists(folder + "/" + name));
  const TensorDict weights = load_torch(folder + "/checkpoint.pt");
  for (const auto& [name, tensor] : RunFolder::open(run.path("run")).load_checkpoint().model)
    CHECK_MESSAGE(weights[name].to_vector() == tensor.to_vector(), name);
  CHECK(library_agrees(run, "torch_train", folder, {{"none", zeros({1})}},
                       Json::Object{{"losses", run.losses}}));

  const std::string nano = run.exported("nanogpt");
  const TensorDict same = load_torch(nano + "/ckpt.pt");
  for (const auto& [name, tensor] : weights)
    CHECK_MESSAGE(same[name].to_vector() == tensor.to_vector(), name);
  if (std::getenv("TARSIER_NANOGPT") == nullptr) {
    std::cout << "skipped: nanogpt, because TARSIER_NANOGPT is not set\n";
    return;
  }
  CHECK(library_agrees(
      run, "nanogpt", nano, run.batches,
      Json::Object{{"losses", run.losses}, {"rates", run.rates}, {"text", small_text()}}));
}

TEST_CASE("accumulated batches, and weights without biases, go on as well") {
  const StoppedRun run({{"accumulate", "2"}, {"tied", "false"}, {"schedule", "linear"}});
  CHECK(library_agrees(run, "torch_train", run.exported("torch"), {{"none", zeros({1})}},
                       Json::Object{{"losses", run.losses}}));
}

TEST_CASE("what nanoGPT and train.py lack") {
  const auto refusal = [](const Changes& changes) {
    const UntrainedRun run("gpt", with(kTinyGpt, changes), "");
    return error_of([&] { run.exported("nanogpt"); });
  };
  CHECK(
      refusal({{"position", "rotary"}, {"mlp", "relu2"}}) ==
      "[export] nanoGPT lacks transformer.wpe (position=rotary), transformer.h.0.mlp (mlp=relu2)");
  CHECK(refusal({{"tied", "false"}}) == "[export] nanoGPT lacks lm_head (not tied)");
  CHECK(refusal({}).find("has no checkpoint") != std::string::npos);

  const StoppedRun muon(Changes{{"optimizer", "muon"}});
  check_error("transformer.h.0.attn.c_attn.weight is not trained by AdamW",
              [&] { muon.exported("nanogpt"); });
  CHECK_FALSE(fs::exists(muon.exported("torch") + "/train.py"));
  const UntrainedRun other("recommend", {}, "");
  check_error("recommend is not a gpt", [&] { other.exported("torch"); });
}

TEST_CASE("without its data a run goes out without tokens") {
  const StoppedRun run(Changes{});
  fs::remove(run.data);
  CHECK_FALSE(fs::exists(run.exported("torch") + "/train.bin"));
  run.write("data.txt", small_text() + "x");
  CHECK_FALSE(fs::exists(run.exported("nanogpt") + "/train.bin"));
}

TEST_CASE("values of Python as pickles") {
  CHECK(pickled(Dict{{"a", 1}, {2, -1.5}}).bytes ==
        std::string("\x80\x02}(X\1\0\0\0aJ\1\0\0\0J\2\0\0\0G\xbf\xf8\0\0\0\0\0\0u.", 31));
  CHECK(pickled(PythonValue::List{PythonValue(), true, int64_t{1} << 40}).bytes ==
        std::string("\x80\x02](N\x88\x8a\x08\0\0\0\0\0\1\0\0e.", 18));
  const Tensor matrix = reshape(arange(6, f32), {2, 3});
  const Scratch scratch;
  const std::string path = scratch.path("a.b.pt");
  save_torch(path, Dict{{"x", matrix},
                        {"tied", matrix},
                        {"turned", transpose(matrix, 0, 1)},
                        {"row", select(matrix, 0, 0)},
                        {"none", zeros({0})},
                        {"count", tensor({3}, i64)}});
  const TensorDict back = load_torch(path);
  CHECK(back["x"].to_vector() == matrix.to_vector());
  CHECK(back["tied"].data<float>() == back["x"].data<float>());
  CHECK(back["turned"].to_vector() == std::vector<double>{0, 3, 1, 4, 2, 5});
  CHECK(back["row"].to_vector() == std::vector<double>{0, 1, 2});
  CHECK(back["none"].numel() == 0);
  CHECK(back["count"].dtype() == i64);
  const ZipFile zip(path);
  for (const ZipFile::Member& member : zip.members()) {
    CHECK(member.begin % 64 == 0);
    CHECK(member.name.starts_with("a.b/"));
  }
}

}  // namespace
}  // namespace tarsier::zoo
