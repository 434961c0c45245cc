// A text classifier that starts from a run of bert.
#include "zoo/text_classifier/start.h"

#include <doctest/doctest.h>

#include <filesystem>

#include "tests/error_of.h"
#include "tests/threads.h"
#include "tests/zoo/program.h"
#include "zoo/base/usage_error.h"
#include "zoo/bert/model.h"

namespace tarsier::zoo {
namespace {

const Changes kBert = {{"width", "8"},     {"mlp_width", "12"},  {"layers", "2"},
                       {"heads", "2"},     {"batch_size", "4"},  {"steps", "4"},
                       {"dropout", "0.1"}, {"max_length", "10"}, {"warmup_steps", "2"},
                       {"min_count", "1"}};

/// Reviews, and a run of bert on them.
struct Pretrained : Scratch {
  std::string data, run;

  Pretrained() {
    std::string reviews;
    for (int i = 0; i < 60; ++i)
      reviews +=
          concat(i % 2 == 0 ? "good\ta fine film" : "bad\ta dull film", " number ", i % 7, "\n");
    data = write("reviews.tsv", reviews);
    run = path("bert");
    train_task(*prepared_task("bert", data, kBert), data, run);
  }

  /// text-classifier from that run, with these settings.
  std::unique_ptr<Task> classifier(const Changes& changes = {}) const {
    std::unique_ptr<Task> task = find_model("text-classifier").make();
    task->start_from(run);
    Settings settings = task->settings();
    for (const auto& [key, value] : changes) settings.set(key, value);
    task->load_data(data);
    task->build(5);
    return task;
  }
};

TEST_CASE("a classifier from bert has its tokens, its sizes and its weights, bit for bit") {
  const Pretrained place;
  for (const char* pairs : {"0", "10"}) {
    const auto task = place.classifier({{"pairs", pairs}, {"pooling", "class_token"}});
    const auto bert = loaded_task(place.run);
    CHECK(task->describe_data()["tokenizer"] == bert->describe_data()["tokenizer"]);
    const TensorDict ours = task->model().state_dict(), theirs = bert->model().state_dict();
    int same = 0;
    for (const auto& [name, tensor] : theirs)
      if (name.starts_with("bert.encoder.") || name.starts_with("bert.embedding_norm.")) {
        CAPTURE(name);
        CHECK(ours[name.substr(5)].to_vector() == tensor.to_vector());
        ++same;
      }
    CHECK(same == 2 * 12 + 2);
    CHECK(ours["positions.weight"].to_vector() ==
          theirs["bert.position_embeddings.weight"].to_vector());
    const Tensor words = theirs["bert.word_embeddings.weight"];
    CHECK((ours["embedding.weight"] * 8).to_vector() ==  // embedding_scale
          slice(words, 0, 0, words.size(0) - 1).to_vector());
    if (pairs[0] != '0') continue;

    // And it computes what bert does: the head sees the hidden state of the first token.
    task->model().eval();
    const NoGrad no_grad;
    auto& classifier = dynamic_cast<text_classifier::TextClassifier&>(task->model());
    auto& masked = dynamic_cast<bert::BertForMaskedLM&>(bert->model());
    const Tensor index = from_vector<int64_t>({2, 5, 6, 7, 2, 8, 4, 0}, {2, 4});
    const Tensor hidden = masked.bert(index, {.padding_mask = index == 0});
    CHECK(classifier(index, index == 0).to_vector() ==
          classifier.head(select(hidden, 1, 0)).to_vector());
  }
}

TEST_CASE("a classifier from bert trains, and goes on to the same bits without bert's folder") {
  const Pretrained place;
  const Changes changes = {{"epochs", "3"}, {"batch_size", "8"}};
  CHECK(train_task(*place.classifier(changes), place.data, place.path("whole")).step == 21);
  CHECK(train_task(*place.classifier(changes), place.data, place.path("parts"), 7).interrupted);
  std::filesystem::remove_all(place.run);
  const RunFolder parts = RunFolder::open(place.path("parts"));
  const auto resumed = make_task(parts.read_config());
  resumed->load_data(place.data);
  resumed->build(1);
  CHECK(train_task(*resumed, place.data, place.path("parts"), 0, true).step == 21);
  CHECK(same_bits(parts.load_weights(), RunFolder::open(place.path("whole")).load_weights()));
  CHECK(predicted_lines(*loaded_task(place.path("parts")), {"a fine film"}).size() == 1);
}

TEST_CASE("a classifier from bert: any number of threads gives the same bits") {
  const Pretrained place;
  const auto trained = [&](int threads) {
    const Threads guard(threads);
    const std::string out = place.path(std::to_string(threads));
    train_task(*place.classifier({{"epochs", "2"}, {"batch_size", "30"}}), place.data, out);
    return RunFolder::open(out).load_weights();
  };
  CHECK(same_bits(trained(1), trained(2)));
}

TEST_CASE("settings that contradict the run are refused, also if they are the defaults") {
  const Pretrained place;
  const auto error = [&](const char* name, const char* value) {
    return error_of([&] { place.classifier({{name, value}}); });
  };
  CHECK(error("width", "128") == "[train] --set width=128 contradicts --from " + place.run +
                                     ", where width is 8: leave it out, or pretrain another bert");
  for (const auto& [name, value] : {std::pair{"layers", "1"},
                                    {"heads", "4"},
                                    {"mlp_width", "16"},
                                    {"max_length", "256"},
                                    {"tokens", "bpe"},
                                    {"lower", "false"},
                                    {"min_count", "2"},
                                    {"vocab_size", "300"},
                                    {"position", "none"},
                                    {"norm", "pre"}})
    CHECK(error(name, value).find(concat(name, "=", value, " contradicts")) != std::string::npos);
  CHECK(error("width", "8") == "no error");
  CHECK(error("dropout", "0.5") == "no error");
  CHECK_THROWS_AS(place.classifier({{"width", "16"}}), UsageError);
}

TEST_CASE("a folder that is no run of bert, or a damaged one, is an error that says so") {
  const Pretrained place;
  const auto error = [&](const std::string& folder) {
    return error_of([&] { text_classifier::Start start(folder); });
  };
  const std::string gpt = place.path("gpt"), text = place.write("a.txt", small_text());
  new_run(*tiny_task(text, 2), text, gpt);
  CHECK(error(gpt) ==
        "[run] " + gpt + " is a run of gpt: a text classifier starts from a run of bert");
  CHECK(error(place.path("none")).find("there is no folder") != std::string::npos);
  CHECK(error(place.data).find("is not a folder of a run") != std::string::npos);
  CHECK_THROWS_AS(find_model("gpt").make()->start_from(place.run), UsageError);

  const std::string config = place.read("bert/config.json"),
                    weights = place.read("bert/model.safetensors");
  place.write("bert/model.safetensors", weights.substr(0, weights.size() / 2));
  CHECK(error(place.run).find("[run] cannot start from " + place.run) == 0);
  std::filesystem::remove(place.path("bert/model.safetensors"));
  CHECK(error(place.run).find("[run] cannot start from " + place.run) == 0);
  place.write("bert/model.safetensors", weights);
  place.write("bert/config.json", config.substr(0, config.size() / 2));
  CHECK(error(place.run).find("is damaged") != std::string::npos);
  std::string narrow = config;
  const std::string width = "\"width\": 8";
  narrow.replace(narrow.find(width), width.size(), "\"width\": 6");
  place.write("bert/config.json", narrow);
  CHECK(error_of([&] { place.classifier(); }).find("do not belong together") != std::string::npos);
}

TEST_CASE("--from of the program is noted in config.json, and refused where it has no meaning") {
  const Pretrained place;
  const auto says_where = [&](const Result& result) {
    return has(result.out, "from the run in ") && has(result.out, place.path("bert")) &&
           has(place.read("run/report.html"), place.path("bert"));
  };
  const Result result =
      tarsier(place, "train text-classifier --data reviews.tsv --from bert --out run --steps 3");
  REQUIRE_MESSAGE(result.code == 0, result.err);
  CHECK_MESSAGE(says_where(result), result.out);
  CHECK(RunFolder::open(place.path("run")).read_config().from == place.path("bert"));
  std::filesystem::remove_all(place.run);
  CHECK(tarsier(place, "eval run").code == 0);
  const Result resumed = tarsier(place, "train --resume run --steps 4");
  CHECK(resumed.code == 0);
  CHECK_MESSAGE(says_where(resumed), resumed.out);
  CHECK(RunFolder::open(place.path("run")).read_config().from == place.path("bert"));
  const Result refused = tarsier(place, "train --resume run --from bert");
  CHECK(refused.code == 2);
  CHECK(has(refused.err, "--from does not go with --resume"));
  const Result other = tarsier(place, "train vit --from run");
  CHECK(other.code == 2);
  CHECK(has(other.err, "vit has no such option"));
  CHECK(tarsier(place, "train sentiment --data reviews.tsv --from bert").code == 1);
}

}  // namespace
}  // namespace tarsier::zoo
