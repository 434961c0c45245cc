// Runs of gpt in plain PyTorch and for nanoGPT: the real libraries give the same logits, losses and
// gradients, and go on with the same losses; files of torch.save; what is refused.
#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string>

#include "tests/error_of.h"
#include "tests/zoo/exported.h"
#include "zoo/bert/model.h"
#include "zoo/export/python_value.h"
#include "zoo/gpt/model.h"
#include "zoo/pretrained/pickle.h"
#include "zoo/pretrained/torch_file.h"
#include "zoo/text_classifier/model.h"
#include "zoo/vit/model.h"
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

/// Whether model.py gives the outputs, the loss and its gradients.
bool agrees_in_torch(const UntrainedRun& run, const std::string& folder, const Tensor& input,
                     const Tensor& targets, const Tensor& output, const Tensor& loss) {
  loss.backward();
  TensorDict expected{
      {"input", input}, {"targets", targets}, {"output", output.detach()}, {"loss", loss.detach()}};
  for (const auto& [name, parameter] : run.model<nn::Module>().named_parameters())
    expected.add("grad." + name, parameter.grad());
  return library_agrees(run, "torch_model", folder, expected);
}

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
    CHECK(agrees_in_torch(run, folder, input, targets, gpt(input), gpt.loss(input, targets)));
  }
}

const Changes kTinyEncoder = {{"layers", "2"}, {"heads", "2"}, {"width", "8"}, {"mlp_width", "24"}};

TEST_CASE("bert in plain PyTorch") {
  const Scratch scratch;
  const UntrainedRun run("bert", with(kTinyEncoder, {{"max_length", "9"}}),
                         scratch.write("data.txt", small_text()));
  auto& bert = run.model<bert::BertForMaskedLM>();
  const int64_t vocabulary = bert.bert.config.vocab_size;
  const Tensor input = remainder(reshape(arange(18) * 5 + 1, {2, 9}), vocabulary);
  const Tensor targets = remainder(input * 3 + 2, vocabulary);
  CHECK(agrees_in_torch(run, run.exported("torch"), input, targets, bert(input),
                        bert.loss(input, targets, arange(18))));
}

TEST_CASE("vit in plain PyTorch") {
  for (const Changes& changes :
       {Changes{{"pooling", "mean"}}, Changes{{"stem", "patches"}, {"pooling", "class_token"}}}) {
    const UntrainedRun run("vit", with(kTinyEncoder, changes), "");
    auto& vit = run.model<vit::VisionTransformer>();
    Generator generator(3);
    const Tensor images = randn({2, 1, 28, 28}, f32, generator), labels = tensor({3, 7}, i64);
    const Tensor logits = vit(images);
    CHECK(agrees_in_torch(run, run.exported("torch"), images, labels, logits,
                          cross_entropy(logits, labels)));
  }
  const UntrainedRun staged("vit", with(kTinyEncoder, {{"stem", "stages"}, {"pooling", "mean"}}),
                            "");
  check_error("model.py lacks stem (stages)", [&] { staged.exported("torch"); });
}

TEST_CASE("text classifiers in plain PyTorch") {
  for (const Changes& changes :
       {Changes{{"pairs", "20"}},
        Changes{{"position", "learned"}, {"norm", "post"}, {"pooling", "class_token"}}}) {
    const UntrainedRun run("text-classifier", with(kTinyEncoder, changes), "");
    auto& model = run.model<text_classifier::TextClassifier>();
    const Tensor input = remainder(reshape(arange(18) * 5 + 1, {2, 9}), model.config.vocab_size);
    if (model.pair_embedding) {  // some of the pairs are known
      std::vector<int64_t> keys =
          (slice(input, 1, 0, 8) * model.config.vocab_size + slice(input, 1, 1))
              .to_vector<int64_t>();
      keys.resize(12);
      keys.resize(20, -1);
      std::ranges::sort(keys);
      copy_(model.pair_keys, from_vector(keys, {20}));
      run.folder().save_weights(model.state_dict(), "text-classifier", 0);
    }
    const Tensor labels = tensor({1, 0}, i64);
    const Tensor logits = model(input, zeros({2, 9}, boolean));
    CHECK(agrees_in_torch(run, run.exported("torch"), input, labels, logits,
                          cross_entropy(logits, labels)));
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
  check_error("recommend has no model.py", [&] { other.exported("torch"); });
  check_error("recommend is not a gpt", [&] { other.exported("nanogpt"); });
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
