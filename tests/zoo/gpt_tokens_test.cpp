// A language model's text as characters, words and byte pairs.
#include "autograd/io/json.h"
#include "zoo/gpt/tokens.h"

#include <doctest/doctest.h>

#include <sstream>

#include "tests/data.h"
#include "tests/error_of.h"
#include "tests/zoo/scratch.h"
#include "zoo/data/bpe.h"
#include "zoo/gpt/model.h"
#include "zoo/task/models.h"

namespace tarsier::zoo {
namespace {

const std::string kText =
    "the cat sat on the mat.\n\n  the dog's (old) bone, the cat's mat!\nZoë sat on it";

gpt::TextTokens learned(const std::string& kind, const std::string& text = kText) {
  return gpt::TextTokens(text, {.kind = kind, .lower = false, .min_count = 1, .size = 280});
}

/// The text of a model that generates `ids` after `before`.
std::string written(const gpt::TextTokens& tokens, const std::vector<int32_t>& ids,
                    int32_t before) {
  std::string out;
  for (const int32_t id : ids) {
    out += tokens.written(id, before);
    before = id;
  }
  return out;
}

TEST_CASE("text of every kind of tokens is written token by token as it was read") {
  for (const std::string kind : {"characters", "words", "bpe"}) {
    CAPTURE(kind);
    gpt::TextTokens tokens = learned(kind);
    // Words keep lines, but only single spaces.
    const std::string expected =
        kind != "words" ? kText
                        : "the cat sat on the mat.\n\nthe dog's (old) bone, the cat's mat!\nZoë "
                          "sat on it";
    const std::vector<int32_t> ids = tokens.encode(kText, "the text");
    CHECK(written(tokens, ids, tokens.blank()) == expected);
    CHECK(tokens.are_characters() == (kind == "characters"));
    for (const int32_t id : ids) CHECK(id < tokens.size());
    CHECK(tokens.written(tokens.blank(), ids[0]) == "\n");

    // From the middle on, as after a prompt.
    const size_t half = ids.size() / 2;
    const std::vector<int32_t> rest(ids.begin() + static_cast<int64_t>(half), ids.end());
    const std::string tail = written(tokens, rest, ids[half - 1]);
    CHECK(expected.ends_with(tail));
    CHECK(tail.size() > 10);

    const gpt::TextTokens again = gpt::TextTokens::from_json(Json::parse(tokens.to_json().dump()));
    CHECK(again.size() == tokens.size());
    CHECK(again.encode(kText, "the text") == ids);
    CHECK(written(again, ids, again.blank()) == expected);
  }
}

TEST_CASE("unseen characters are refused, words become unknown, byte pairs encode everything") {
  const std::string text = "the wombat";
  CHECK(error_of([&] { learned("characters").encode(text, "the prompt"); }) ==
        "[data] the prompt has characters that the model has never seen: 'w'");
  CHECK_FALSE(learned("characters").knows(text));
  const gpt::TextTokens words = learned("words");
  const std::vector<int32_t> ids = words.encode(text, "the prompt");
  CHECK(ids.size() == 2);
  CHECK(ids[1] == kUnknown);
  CHECK(words.show(ids[1]) == "<unk>");
  // The word after the unknown one keeps its space.
  CHECK(words.written(ids[0], kUnknown) == " the");
  const gpt::TextTokens bpe = learned("bpe");
  CHECK(written(bpe, bpe.encode(text, "the prompt"), bpe.blank()) == text);
  for (const std::string kind : {"characters", "words", "bpe"})
    CHECK(error_of([&] { learned(kind).encode("a\xFF", "the prompt"); }).find("UTF-8") !=
          std::string::npos);
}

TEST_CASE("text is counted and cut by characters, not bytes") {
  const std::string text = "aß€😀\n";
  CHECK(count_characters(text) == 5);
  CHECK(split_characters(text, 0).first.empty());
  CHECK(split_characters(text, 2).first == "aß");
  CHECK(split_characters(text, 2).second == "€😀\n");
  CHECK(split_characters(text, 5).second.empty());
  CHECK(split_characters(text, 9).first == text);
}

/// A tiny GPT over `text` with tokens of that kind.
std::unique_ptr<Task> task_with(const Scratch& scratch, const std::string& text,
                                const std::vector<std::pair<std::string, std::string>>& sets) {
  std::unique_ptr<Task> task = find_model("gpt").make();
  Settings settings = task->settings();
  for (const auto& [name, value] : kTinySettings) settings.set(name, value);
  for (const auto& [name, value] : sets) settings.set(name, value);
  task->load_data(scratch.write("data.txt", text));
  task->build(1);
  return task;
}

TEST_CASE("the loss of words and byte pairs is given per character as well") {
  const Scratch scratch;
  const std::string text = small_text() + small_text();
  for (const std::string kind : {"characters", "words", "bpe"}) {
    CAPTURE(kind);
    const auto task = task_with(scratch, text, {{"tokens", kind}, {"vocab_size", "262"}});
    const Metrics metrics = task->validate();
    CHECK(metrics[0].name == "val_loss");
    if (kind == "characters") {
      CHECK(metrics.size() == 1);
      continue;
    }
    REQUIRE(metrics.size() == 2);
    CHECK(metrics[1].name == "val_loss_per_character");
    // The total loss, over all characters except those of the first token.
    gpt::TextTokens tokens = gpt::TextTokens::from_json(task->describe_data()["vocabulary"]);
    const auto [first, rest] = split_characters(text, count_characters(text) * 9 / 10);
    const std::vector<int32_t> ids = tokens.encode(rest, "rest");
    const double predicted = static_cast<double>(rest.size() - tokens.written(ids[0], kEnd).size());
    CHECK(metrics[1].value * predicted ==
          doctest::Approx(metrics[0].value * static_cast<double>(ids.size() - 1)));
  }
}

TEST_CASE("a model of every kind of tokens and of parts is trained, kept and continues a prompt") {
  const Scratch scratch;
  const std::vector<std::vector<std::pair<std::string, std::string>>> sets = {
      {{"tokens", "words"}, {"position", "alibi"}, {"norm", "rms"}},
      {{"tokens", "bpe"}, {"vocab_size", "270"}, {"mlp", "swiglu"}, {"tied", "false"}},
      {{"position", "rotary"}, {"mlp", "relu2"}, {"qk_norm", "true"}, {"quiet_start", "true"}},
      {{"position", "sinusoidal"}},
  };
  for (const auto& set : sets) {
    CAPTURE(set[0].second);
    const auto task = task_with(scratch, small_text(), set);
    Optimizers optimizers(task->recipe, task->model(), task->muon_parameters());
    const double before = task->loss(task->batch(1, 1)).item();
    for (int step = 0; step < 20; ++step) {
      optimizers.set_lr(1e-2);
      optimizers.zero_grad();
      task->loss(task->batch(1, 1)).backward();
      optimizers.step();
    }
    CHECK(task->loss(task->batch(1, 1)).item() < before - 0.5);

    // Another task with these settings, tokens and weights writes the same.
    const std::unique_ptr<Task> other = find_model("gpt").make();
    Settings settings = task->settings(), others = other->settings();
    for (const std::string& name : settings.names()) others.set(name, settings.get(name));
    other->restore_data(Json::parse(task->describe_data().dump()));
    other->build(2);
    other->model().load_state_dict(task->model().state_dict());
    std::string texts[2];
    for (const auto& [t, text] : {std::pair{task.get(), &texts[0]}, {other.get(), &texts[1]}}) {
      std::ostringstream out;
      t->model().eval();
      Settings options = t->predict_options();
      options.set("tokens", "30");
      options.set("seed", "3");
      t->predict({"the", "cat"}, out);
      *text = out.str();
    }
    CHECK(texts[0].starts_with("the cat"));
    CHECK(texts[0].size() > 20);
    CHECK(texts[0] == texts[1]);
  }
}

TEST_CASE("GPT-2's own byte pairs are taken from its files") {
  const Scratch scratch;
  CHECK_THROWS_AS(
      task_with(scratch, small_text(), {{"tokens", "bpe"}, {"vocab", scratch.path("nothing")}}),
      Error);
  // Files of the same form, learned here.
  Bpe::train(small_text(), 300).save(scratch.path("vocab.json"), scratch.path("merges.txt"));
  const auto task =
      task_with(scratch, small_text(), {{"tokens", "bpe"}, {"vocab", scratch.path("")}});
  const gpt::TextTokens tokens = gpt::TextTokens::from_json(task->describe_data()["vocabulary"]);
  CHECK(tokens.size() ==
        kSpecialTokens + Bpe::load(scratch.path("vocab.json"), scratch.path("merges.txt")).size());
  // A folder with only tokenizer.json, as newer programs write it.
  const Scratch newer;
  newer.write("tokenizer.json", read_file(source_file("tests/golden/bpe_tokenizer.json").string()));
  const auto other = task_with(newer, small_text(), {{"tokens", "bpe"}, {"vocab", newer.path("")}});
  CHECK(gpt::TextTokens::from_json(other->describe_data()["vocabulary"]).size() ==
        kSpecialTokens + 331);
}

}  // namespace
}  // namespace tarsier::zoo
