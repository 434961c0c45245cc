// Folders of transformers, used as they are: predict and eval.
#include "zoo/hub/hub_model.h"

#include <doctest/doctest.h>

#include <cmath>
#include <filesystem>
#include <sstream>

#include "autograd/io/file.h"
#include "autograd/io/json.h"
#include "tests/error_of.h"
#include "tests/zoo/pretrained.h"
#include "tests/zoo/program.h"
#include "zoo/picture/picture.h"
#include "zoo/picture/write.h"
#include "zoo/pretrained/gpt2.h"
#include "zoo/tokenizer_json/folder.h"

namespace tarsier::zoo {
namespace {

namespace fs = std::filesystem;

/// The folder of a model of tests/golden/hub in `scratch`, with the tokenizer of that name.
std::string folder_of(const Scratch& scratch, const std::string& name,
                      const std::string& tokenizer = "") {
  fs::copy(saved_model("hub/" + name), scratch.path(name));
  fs::remove(scratch.path(name + "/expected.json"));
  if (!tokenizer.empty()) {
    const std::string path = saved_model("tokenizers/" + tokenizer + ".json");
    scratch.write(name + "/tokenizer.json", Json::parse(read_file(path), path)["tokenizer"].dump());
  }
  return scratch.path(name);
}

Json expected_in(const std::string& name) {
  const std::string path = saved_model("hub/" + name) + "/expected.json";
  return Json::parse(read_file(path), path);
}

std::string predicted(hub::HubModel& model, const std::vector<std::string>& inputs,
                      const std::vector<std::pair<std::string, std::string>>& options = {}) {
  Settings settings = model.predict_options();
  for (const auto& [name, value] : options) settings.set(name, value);
  std::ostringstream out;
  model.predict(inputs, out);
  return out.str();
}

/// "bad (51.2 %)".
std::string share(const std::string& name, double probability) {
  return concat(name, " (", fixed(100 * probability, 1), " %)");
}

TEST_CASE("hub: decoders continue a text and measure one as transformers does") {
  for (const auto& [name, tokenizer] : {std::pair{"gpt2", "gpt2"}, std::pair{"llama", "llama3"}}) {
    CAPTURE(name);
    const Scratch scratch;
    const auto model = hub::open_hub_model(folder_of(scratch, name, tokenizer));
    const Json expected = expected_in(name);
    CHECK(predicted(*model, {"The birds", "sing"}, {{"tokens", "12"}, {"temperature", "0"}}) ==
          expected["continued"].as_string() + "\n");
    CHECK(model->continues_text());

    const Metrics metrics =
        model->evaluate(scratch.write("text.txt", expected["text"].as_string()));
    const double loss = expected["loss"].as_double();
    CHECK(std::abs(value_of(metrics, "loss") - loss) < 1e-5);
    CHECK(std::abs(value_of(metrics, "perplexity") - std::exp(loss)) < 1e-4 * std::exp(loss));
    CHECK(metrics[0].note.find(concat("of ", expected["tokens"].as_int() - 1, " in")) !=
          std::string::npos);
  }
}

TEST_CASE("hub: a text goes on after the end of the window, and stops at its end") {
  const Scratch scratch;
  const std::string folder = folder_of(scratch, "gpt2", "gpt2");
  const auto model = hub::open_hub_model(folder);
  CHECK(predicted(*model, {"bird"}, {{"tokens", "60"}, {"temperature", "0"}}).size() > 60);
  const std::string free = predicted(*model, {}, {{"tokens", "3"}, {"temperature", "0"}});
  CHECK(free.size() > 1);  // starts from <|endoftext|>
  // The first token that it writes ends the text.
  const auto ids = tokenizer_json::load_folder(folder).encode("The birds sing");
  const Tensor index =
      from_vector(std::vector<int64_t>(ids.begin(), ids.end()), {1, std::ssize(ids)});
  const auto first = argmax(load_gpt2(folder)->next_logits(index)).item();
  Json config = Json::parse(read_file(folder + "/config.json"));
  config.set("eos_token_id", static_cast<int64_t>(first));
  scratch.write("gpt2/config.json", config.dump());
  CHECK(predicted(*hub::open_hub_model(folder), {"The birds sing"},
                  {{"tokens", "12"}, {"temperature", "0"}}) == "The birds sing\n");
}

TEST_CASE("hub: a classifier of texts and pairs of texts") {
  const Scratch scratch;
  const auto model = hub::open_hub_model(folder_of(scratch, "bert-classifier", "bert"));
  std::string table;
  const Json expected = expected_in("bert-classifier");
  for (const Json& sample : expected.as_array()) {
    const std::string answer = predicted(*model, {sample["text"].as_string()});
    const Json::Array& probabilities = sample["probabilities"].as_array();
    const char* const names[] = {"bad", "fair", "good"};
    for (size_t i = 0; i < 3; ++i)
      if (probabilities[i].as_double() > 0.006)
        CHECK_MESSAGE(has(answer, share(names[i], probabilities[i].as_double())), answer);
    table += answer.substr(0, answer.find(' ')) + "\t" + sample["text"].as_string() + "\n";
  }
  CHECK(predicted(*model, {" "}) == "\n");
  CHECK(value_of(model->evaluate(scratch.write("right.tsv", table)), "accuracy") == 100);
  check_error("line 2: the model has no class 'awful': its classes are bad, fair, good",
              [&] { model->evaluate(scratch.write("wrong.tsv", "bad\ta bird\nawful\ta bird\n")); });
  CHECK(std::isfinite(
      value_of(model->evaluate(scratch.write("numbers.tsv", "0\ta\n1\tb\n")), "loss")));
  check_error("tokens, but the model reads at most 40", [&] {
    predicted(*model, {"a a a a a a a a a a a a a a a a a a a a a a a a a a a a a "
                       "a a a a a a a a a a a a a a a a"});
  });
}

TEST_CASE("hub: a masked language model names the words") {
  const Scratch scratch;
  const auto model = hub::open_hub_model(folder_of(scratch, "bert-masked", "bert"));
  const Json expected = expected_in("bert-masked");
  std::string line;
  for (size_t i = 0; i < 2; ++i)
    for (size_t k = 0; k < 2; ++k)
      line += concat(k > 0   ? ", "
                     : i > 0 ? "; "
                             : "",
                     share(expected["tokens"].as_array()[i].as_array()[k].as_string(),
                           expected["probabilities"].as_array()[i].as_array()[k].as_double()));
  CHECK(predicted(*model, {expected["text"].as_string()}, {{"words", "2"}}) == line + "\n");
  check_error("has no [MASK]", [&] { predicted(*model, {"the bird"}); });
  const Metrics metrics =
      model->evaluate(scratch.write("t.txt", "the bird sings in the thicket\n\nthe birds\n"));
  CHECK(value_of(metrics, "perplexity") > 1);
}

TEST_CASE("hub: a vision transformer tells the class of a picture") {
  const Scratch scratch;
  const auto model = hub::open_hub_model(folder_of(scratch, "vit"));
  const Json expected = expected_in("vit");
  Picture picture{.channels = 3, .height = 8, .width = 8, .pixels = std::vector<uint8_t>(192)};
  for (size_t i = 0; i < 64; ++i)
    for (size_t c = 0; c < 3; ++c)
      picture.pixels[c * 64 + i] =
          static_cast<uint8_t>(expected["pixels"].as_array()[i].as_array()[c].as_int());
  const std::string file = scratch.path("a.png");
  write_picture(file, picture);
  const std::string answer = predicted(*model, {file});
  const char* const names[] = {"cat", "dog", "owl"};
  const Json::Array& probabilities = expected["probabilities"].as_array();
  for (size_t i = 0; i < 3; ++i)
    if (probabilities[i].as_double() > 0.006)
      CHECK_MESSAGE(has(answer, share(names[i], probabilities[i].as_double())), answer);
  for (const char* name : {"cat", "owl"})
    for (const char* number : {"1", "2", "3"}) {
      fs::create_directories(scratch.path(concat("data/test/", name)));
      fs::create_directories(scratch.path(concat("data/train/", name)));
      fs::create_directories(scratch.path(concat("data/val/", name)));
      for (const char* part : {"test", "train", "val"})
        fs::copy(file, scratch.path(concat("data/", part, "/", name, "/", number, ".png")));
    }
  CHECK(value_of(model->evaluate(scratch.path("data")), "accuracy") <= 50);
}

TEST_CASE("hub: folders are told from runs, and others are refused by name") {
  const Scratch scratch;
  CHECK(hub::is_hub_folder(saved_model("gpt2-tiny")));
  CHECK(!hub::is_hub_folder(scratch.path("")));
  scratch.write("config.json", "{\"model\": \"gpt\", \"settings\": {}, \"model_type\": \"x\"}");
  CHECK(!hub::is_hub_folder(scratch.path("")));
  scratch.write("config.json", "{\"model_type\": \"t5\"}");
  check_error("a model of the type 't5' cannot be used: expected gpt2, llama",
              [&] { hub::open_hub_model(scratch.path("")); });
  check_error("has no tokenizer.json, vocab.json with merges.txt, or vocab.txt, but",
              [&] { hub::open_hub_model(saved_model("gpt2-tiny")); });
  check_error("a BertForTokenClassification cannot be used",
              [&] { hub::open_hub_model(saved_model("hugging-face/bert-token-classifier")); });
}

TEST_CASE("hub: the program predicts and evaluates, and says what the folder is") {
  const Scratch scratch;
  folder_of(scratch, "gpt2", "gpt2");
  const Result text = tarsier(scratch, "predict gpt2 'The birds sing' --tokens 12 --temperature 0");
  CHECK(text.code == 0);
  CHECK(text.out == expected_in("gpt2")["continued"].as_string() + "\n");
  CHECK(has(text.err, "gpt2 holds a gpt2 of 2 layers, 4 heads, 16 wide"));
  CHECK(has(text.err, "predict continues texts"));
  scratch.write("text.txt", expected_in("gpt2")["text"].as_string());
  const Result measured = tarsier(scratch, "eval gpt2 --data text.txt");
  CHECK(has(measured.out, concat("loss ", fixed(expected_in("gpt2")["loss"].as_double(), 4))));
  CHECK(tarsier(scratch, "eval gpt2").code == 2);
  CHECK(tarsier(scratch, "predict gpt2 x --words 3").code == 2);
}

}  // namespace
}  // namespace tarsier::zoo
