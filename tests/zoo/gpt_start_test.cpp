// gpt starts from a GPT-2 of transformers, and trains all of it, or adapters.
#include "zoo/gpt/start.h"

#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <sstream>

#include "autograd/io/json.h"
#include "tests/error_of.h"
#include "tests/nn/golden.h"
#include "tests/zoo/pretrained.h"
#include "tests/zoo/program.h"
#include "zoo/gpt/adapter.h"
#include "zoo/pretrained/gpt2.h"

namespace tarsier::zoo {
namespace {

namespace fs = std::filesystem;

/// A folder with data.txt and the model of tests/golden/hub/gpt2 with its tokenizer in "gpt2".
struct Start : Place {
  Start() {
    fs::copy(saved_model("hub/gpt2"), path("gpt2"));
    const std::string file = saved_model("tokenizers/gpt2.json");
    write("gpt2/tokenizer.json", Json::parse(read_file(file), file)["tokenizer"].dump());
  }
  /// What `tarsier train gpt --from gpt2 …` prints; the run is in "run".
  Result train(const std::string& options) const {
    return tarsier(*this,
                   "train gpt --from gpt2 --data data.txt --out run --quiet --threads 1 "
                   "--steps 6 --set checkpoint_every=3 " +
                       options);
  }
};

TEST_CASE("gpt --from: the run begins as the model of the folder") {
  const Start place;
  const std::unique_ptr<Task> task = find_model("gpt").make();
  task->start_from(place.path("gpt2"));
  Settings settings = task->settings();
  settings.set("block_size", "16");  // the first positions
  task->load_data(place.path("data.txt"));
  task->build(1);
  task->model().eval();
  const auto gpt = load_gpt2(place.path("gpt2"));
  const Tensor index = reshape(arange(16, i64) * 7, {1, 16});
  auto& model = dynamic_cast<gpt::Gpt&>(task->model());
  CHECK(model(index).to_vector() == (*gpt)(index).to_vector());
  CHECK(model.config.block_size == 16);

  // What is saved gives the same tokens without the folder.
  const Json data = task->describe_data();
  const std::unique_ptr<Task> again = find_model("gpt").make();
  again->restore_data(data);
  CHECK(Json(again->describe_data())["vocabulary"] == data["vocabulary"]);
  CHECK(gpt::TextTokens::from_json(data["vocabulary"]).encode("The birds sing é", "text") ==
        gpt::Start(place.path("gpt2")).tokens().encode("The birds sing é", "text"));
}

TEST_CASE("gpt --from: trains, resumes and predicts as any run") {
  const Start place;
  const Result trained = place.train("");
  REQUIRE_MESSAGE(trained.code == 0, trained.err);
  fs::remove_all(place.path("gpt2"));  // no longer needed
  CHECK(tarsier(place, "eval run").out.starts_with("val_loss "));
  const Result text = tarsier(place, "predict run 'the cat' --tokens 5");
  CHECK(text.code == 0);
  CHECK(text.out.starts_with("the cat"));
  CHECK(tarsier(place, "train --resume run --steps 8 --quiet").code == 0);
  const Json config = Json::parse(place.read("run/config.json"));
  CHECK(config["settings"]["mlp"].as_string() == "gelu_tanh");
  CHECK(config["from"].as_string().ends_with("/gpt2"));
}

TEST_CASE("gpt --from: what contradicts the folder is refused") {
  const Start place;
  const auto complains = [&](const std::string& options, const std::string& text) {
    const Result result = place.train(options);
    CHECK(result.code == 2);
    CHECK_MESSAGE(has(result.err, text), result.err);
    CHECK(!fs::exists(place.path("run")));
  };
  complains("--set n_layer=3", "--set n_layer=3 contradicts --from gpt2, where n_layer is 2");
  complains("--set block_size=25", "whose positions end at 24: take a smaller one");
  complains("--set tokens=words", "contradicts --from gpt2, where tokens is bpe");
  const Result other = tarsier(place, "train gpt --from . --data data.txt --quiet");
  CHECK(other.code == 2);
  CHECK(has(other.err, "a gpt starts from a folder with a GPT-2 of Hugging Face's"));
  const Result alone = tarsier(place, "train gpt --data data.txt --set lora_rank=2 --quiet");
  CHECK(alone.code == 2);
  CHECK(has(alone.err, "--set lora_rank=2 needs --from FOLDER"));
  const Result targets = place.train("--set lora_rank=2 --set lora_targets=c_attn,q");
  CHECK(targets.code == 1);
  CHECK(has(targets.err, "'q' is not one of c_attn, c_proj and c_fc"));
}

/// The gpt of hub/gpt2 with PEFT's adapters.
struct PeftGpt {
  gpt::Config config;
  std::unique_ptr<gpt::Gpt> gpt;
  TensorDict adapters = load_safetensors(saved_model("lora/adapter_model.safetensors"));

  PeftGpt() {
    const auto base = load_gpt2(saved_model("hub/gpt2"));
    config = base->config;
    config.lora = {.r = 3, .lora_alpha = 5};
    config.lora_targets = "c_attn,c_proj,c_fc";
    gpt = std::make_unique<gpt::Gpt>(config);
    TensorDict weights = base->state_dict();
    for (const auto& [name, tensor] : adapters)
      weights.add(name.substr(std::string("base_model.model.").size()), tensor);
    gpt->load_state_dict(weights);
    gpt->eval();
  }
};

TEST_CASE("adapters give PEFT's logits, and merge to its weights") {
  const PeftGpt peft;
  const TensorDict expected = expected_of("lora");
  check_close("logits", (*peft.gpt)(expected["index"]), expected["logits"]);
  const TensorDict merged = nn::merged_state_dict(*peft.gpt);
  check_close("merged", merged["transformer.h.0.attn.c_attn.weight"], expected["merged"]);

  const Scratch scratch;
  save_gpt2(*peft.gpt, scratch.path("merged"));
  check_close("saved", (*load_gpt2(scratch.path("merged")))(expected["index"]), expected["logits"]);
}

TEST_CASE("adapters are saved in PEFT's layout") {
  const PeftGpt peft;
  const Scratch scratch;
  gpt::save_adapters(peft.config, peft.gpt->state_dict(), "gpt2", scratch.path("adapter"));
  CHECK(same_bits(load_safetensors(scratch.path("adapter/adapter_model.safetensors")),
                  peft.adapters));
  const Json ours = Json::parse(scratch.read("adapter/adapter_config.json")),
             theirs = Json::parse(read_file(saved_model("lora/adapter_config.json")));
  for (const char* key : {"peft_type", "task_type", "base_model_name_or_path", "r", "bias",
                          "fan_in_fan_out", "inference_mode"})
    CHECK(ours[key] == theirs[key]);
  CHECK(ours["lora_alpha"].as_double() == theirs["lora_alpha"].as_double());
  CHECK(ours["target_modules"].as_array().size() == 3);
}

TEST_CASE("gpt --from with lora_rank: trains adapters only, and PEFT reads them") {
  const Start place;
  const Result trained =
      place.train("--set lora_rank=2 --set lora_targets=c_attn,c_fc --set learning_rate=0.01");
  REQUIRE_MESSAGE(trained.code == 0, trained.err);
  CHECK(trained.err.empty());
  const TensorDict weights = load_safetensors(place.path("run/model.safetensors")),
                   adapters = load_safetensors(place.path("run/adapter/adapter_model.safetensors"));
  for (const auto& [name, tensor] : load_gpt2(place.path("gpt2"))->state_dict())
    CHECK(weights[name].to_vector() == tensor.to_vector());
  CHECK(adapters.size() == 8);  // two layers, two maps, A and B
  for (const auto& [name, tensor] : adapters) CHECK(amax(abs(flatten(tensor)), -1).item() > 0);
  CHECK(tarsier(place, "predict run 'the cat' --tokens 3").code == 0);
  CHECK(tarsier(place, "train --resume run --steps 8 --quiet").code == 0);

  // Exported, the adapters are merged, and the tokenizer is that of the folder.
  const Result exported = tarsier(place, "export run --as huggingface --out merged");
  CHECK_MESSAGE(exported.code == 0, exported.err);
  const std::string ask = " 'the cat' --tokens 5 --temperature 0 2>/dev/null";
  CHECK(tarsier(place, "predict merged" + ask).out == tarsier(place, "predict run" + ask).out);

  CHECK(has(tarsier(place, "export run --as nanogpt").err,
            "the run has adapters: export it --as huggingface"));

  const char* python = std::getenv("TARSIER_PYTHON");
  if (python == nullptr ||
      std::system(concat(python, " -c 'import peft' 2>/dev/null").c_str()) != 0) {
    std::cout << "skipped: adapters in PEFT (TARSIER_PYTHON)\n";
    return;
  }
  const std::string line =
      concat(python, " '", source_file("tests/golden/make_lora.py").string(), "' check ",
             place.path("gpt2"), " ", place.path("run/adapter"), " ", place.path("merged"),
             " '[1, 20, 300, 7, 7]' 2>/dev/null >", place.path("gap"));
  REQUIRE(std::system(line.c_str()) == 0);
  std::istringstream numbers(place.read("gap"));
  double gap = 1, moved = 0;
  numbers >> gap >> moved;
  CHECK(gap < 1e-5);
  CHECK(moved > 1e-3);
}

}  // namespace
}  // namespace tarsier::zoo
