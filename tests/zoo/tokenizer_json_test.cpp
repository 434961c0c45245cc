// tokenizer.json compared with Hugging Face's tokenizers. With TARSIER_PYTHON, a Python that has
// tokenizers, also on new random texts.
#include "zoo/tokenizer_json/tokenizer_json.h"

#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>
#include <functional>
#include <iostream>

#include "autograd/io/file.h"
#include "tests/data.h"
#include "tests/error_of.h"
#include "tests/zoo/scratch.h"
#include "zoo/tokenizer_json/characters.h"
#include "zoo/tokenizer_json/folder.h"

namespace tarsier::zoo {
namespace {

using tokenizer_json::Encoding;
using tokenizer_json::TokenizerJson;

const std::vector<std::string> kKinds = {"gpt2",       "llama3", "qwen2",      "llama2",
                                         "llama2-old", "bert",   "bert-cased", "roberta",
                                         "smollm",     "words",  "unigram",    "splits"};

std::string golden_folder() { return source_file("tests/golden/tokenizers").string(); }

Json golden(const std::string& kind, const std::string& folder = golden_folder()) {
  const std::string path = folder + "/" + kind + ".json";
  return Json::parse(read_file(path), path);
}

std::vector<int32_t> numbers(const Json& list) {
  std::vector<int32_t> out;
  for (const Json& id : list.as_array()) out.push_back(static_cast<int32_t>(id.as_int()));
  return out;
}

void check_against(const Json& file) {
  const TokenizerJson tokenizer(file["tokenizer"], "golden");
  for (const Json& sample : file["samples"].as_array()) {
    const std::string& text = sample["text"].as_string();
    CAPTURE(sample["text"].dump());
    CHECK(tokenizer.encode(text) == numbers(sample["ids"]));
    CHECK(tokenizer.encode(text, false) == numbers(sample["plain"]));
    CHECK(tokenizer.decode(numbers(sample["ids"])) == sample["decoded"].as_string());
  }
  for (const Json& pair : file["pairs"].as_array()) {
    CAPTURE(pair["texts"].dump());
    const Json::Array& texts = pair["texts"].as_array();
    const Encoding both = tokenizer.encode_pair(texts[0].as_string(), texts[1].as_string());
    CHECK(both.ids == numbers(pair["ids"]));
    CHECK(both.types == numbers(pair["types"]));
  }
  for (const Json& sample : file["decoded"].as_array()) {
    CAPTURE(sample["ids"].dump());
    CHECK(tokenizer.decode(numbers(sample["ids"]), false) == sample["text"].as_string());
  }
}

TEST_CASE("tokenizer.json: ids, types and texts are those of tokenizers") {
  for (const std::string& kind : kKinds) {
    CAPTURE(kind);
    const Json file = golden(kind);
    CHECK(file["samples"].as_array().size() == 64);
    check_against(file);
  }
}

TEST_CASE("tokenizer.json: the same on new random texts, if TARSIER_PYTHON has tokenizers") {
  const char* python = std::getenv("TARSIER_PYTHON");
  const std::string has = concat(python != nullptr ? python : "false", " -c 'import tokenizers'");
  if (python == nullptr || std::system((has + " 2>/dev/null").c_str()) != 0) {
    std::cout << "skipped: tokenizer.json on new texts (TARSIER_PYTHON)\n";
    return;
  }
  const Scratch scratch;
  const std::string script = source_file("tests/golden/make_tokenizers.py").string();
  const std::string line = concat(python, " '", script, "' '", scratch.path("fuzz"), "' $$ 500");
  REQUIRE(std::system(line.c_str()) == 0);
  for (const std::string& kind : kKinds) {
    CAPTURE(kind);
    check_against(golden(kind, scratch.path("fuzz")));
  }
}

TEST_CASE("tokenizers of older files: vocab.json with merges.txt, vocab.txt") {
  const Scratch scratch;
  const auto check_same = [&](const Json& file) {
    const TokenizerJson old = tokenizer_json::load_folder(scratch.path(""));
    for (const Json& sample : file["samples"].as_array()) {
      CAPTURE(sample["text"].dump());
      CHECK(old.encode(sample["text"].as_string()) == numbers(sample["ids"]));
      CHECK(old.decode(numbers(sample["ids"])) == sample["decoded"].as_string());
    }
  };
  check_error("has no tokenizer.json, vocab.json with merges.txt, or vocab.txt, but no files",
              [&] { tokenizer_json::load_folder(scratch.path("")); });

  const Json bert = golden("bert");
  std::vector<std::string> lines(bert["tokenizer"]["model"]["vocab"].as_object().size());
  for (const auto& [token, id] : bert["tokenizer"]["model"]["vocab"].as_object())
    lines[static_cast<size_t>(id.as_int())] = token;
  scratch.write("vocab.txt", joined(lines));
  // Words of up to 100 characters, not 12: the same for these.
  const TokenizerJson words = tokenizer_json::load_folder(scratch.path(""));
  CHECK(words.encode("The BIRD sings Café") ==
        TokenizerJson(bert["tokenizer"], "x").encode("The BIRD sings Café"));
  scratch.write("tokenizer_config.json", "{\"do_lower_case\": false}");
  CHECK(tokenizer_json::load_folder(scratch.path("")).encode("THE") != words.encode("THE"));

  const Json gpt2 = golden("gpt2");
  const Json& model = gpt2["tokenizer"]["model"];
  scratch.write("vocab.json", model["vocab"].dump());
  std::string merges = "#version: 0.2\n";
  for (const Json& merge : model["merges"].as_array())
    merges += merge.as_array()[0].as_string() + " " + merge.as_array()[1].as_string() + "\n";
  scratch.write("merges.txt", merges);
  check_same(gpt2);
}

TEST_CASE("normal forms take characters apart, sort their marks and compose them again") {
  using namespace tokenizer_json;
  CHECK(nfd("é ḕ") == "e\u0301 e\u0304\u0300");
  CHECK(nfc("e\u0301 e\u0304\u0300") == "é ḕ");
  CHECK(nfd("가각") == "\u1100\u1161\u1100\u1161\u11A8");
  CHECK(nfc("\u1100\u1161\u1100\u1161\u11A8") == "가각");
  CHECK(nfd("a\u0301\u0323") == "a\u0323\u0301");  // 220 before 230
  CHECK(nfc("a\u0301\u0323") == "ạ\u0301");
  CHECK(nfc("a\u0301\u0300") == "á\u0300");
  CHECK(nfc("\u212B") == "Å");             // a twin
  CHECK(nfc("\u0958") == "\u0915\u093C");  // stays apart
  CHECK(nfc("\u0301a") == "\u0301a");
}

TEST_CASE("bytes that are not UTF-8 become one U+FFFD for each beginning of a character") {
  using tokenizer_json::lossy_utf8;
  CHECK(lossy_utf8("aé") == "aé");
  CHECK(lossy_utf8("a\xFFz") == "a\uFFFDz");
  CHECK(lossy_utf8("\xE2\x82z\xE2\x82") == "\uFFFDz\uFFFD");
  CHECK(lossy_utf8("\xF0\x9F\x98\xF0") == "\uFFFD\uFFFD");
  CHECK(lossy_utf8("\xE0\x80\x80") == "\uFFFD\uFFFD\uFFFD");  // overlong
  CHECK(lossy_utf8("\xED\xA0\x80") == "\uFFFD\uFFFD\uFFFD");  // half a surrogate
}

/// The error of the golden tokenizer of a kind, after `change`.
std::string error_with(const std::string& kind, const std::function<void(Json&)>& change) {
  Json file = golden(kind)["tokenizer"];
  change(file);
  return error_of([&] { TokenizerJson(file, "'x.json'"); });
}

Json parsed(const char* text) { return Json::parse(text); }

TEST_CASE("tokenizer.json: what is not supported is refused by name") {
  const auto with = [](const char* key, const char* text) {
    return error_with("gpt2", [&](Json& file) { file.set(key, parsed(text)); });
  };
  CHECK(with("normalizer", R"({"type": "NFKC"})") ==
        "[tokenizer] 'x.json', normalizer: the normalizer 'NFKC' is not supported");
  CHECK(with("normalizer", R"({"type": "Sequence", "normalizers":
               [{"type": "NFC"}, {"type": "Precompiled", "precompiled_charsmap": ""}]})") ==
        "[tokenizer] 'x.json', normalizer, normalizers 2: the normalizer 'Precompiled' is not "
        "supported");
  CHECK(with("pre_tokenizer",
             R"({"type": "Split", "pattern": {"Regex": "\\d+|x"}, "behavior": "Isolated"})") ==
        "[tokenizer] 'x.json', pre_tokenizer: the regular expression '\\d+|x' is not supported");
  CHECK(with("pre_tokenizer", R"({"type": "UnicodeScripts"})").find("'UnicodeScripts'") !=
        std::string::npos);
  CHECK(with("decoder", R"({"type": "CTC"})").find("the decoder 'CTC'") != std::string::npos);
  CHECK(with("model", R"({"type": "WordLevel", "vocab": {}})").find("the model 'WordLevel'") !=
        std::string::npos);
  CHECK(with("post_processor", R"({"type": "Own"})").find("the post_processor 'Own'") !=
        std::string::npos);
}

TEST_CASE("tokenizer.json: damaged files are refused with the place") {
  const auto model = [](const std::string& kind, const char* key, Json value) {
    return error_with(kind, [&](Json& file) {
      Json changed = file["model"];
      changed.set(key, std::move(value));
      file.set("model", changed);
    });
  };
  CHECK(model("gpt2", "merges", Json::Array{"a b", "q zq"}) ==
        "[tokenizer] 'x.json', model, merge 1: 'ab' is not in the vocabulary");
  CHECK(model("gpt2", "merges", Json::Array{1}) ==
        "[tokenizer] 'x.json', model, merge 1: found 1, where two tokens were expected: \"a b\" or "
        "[\"a\", \"b\"]");
  CHECK(model("gpt2", "merges", 7) ==
        "[tokenizer] 'x.json', model: 'merges' is 7, where a list […] was expected");
  CHECK(model("gpt2", "vocab", parsed(R"({"a": -1})")) ==
        "[tokenizer] 'x.json', model, vocab: the id of 'a' is -1, where a whole number from 0 was "
        "expected");
  CHECK(model("gpt2", "vocab", parsed(R"({"a": 1, "b": 1})")) ==
        "[tokenizer] 'x.json', model, vocab: 'b' and another token have the id 1");
  CHECK(model("bert", "unk_token", "nothing") ==
        "[tokenizer] 'x.json', model: the unk_token 'nothing' is not in the vocabulary");
  CHECK(model("bert", "max_input_chars_per_word", int64_t{1} << 60).find("from 1 to 1000") !=
        std::string::npos);
  CHECK(model("unigram", "vocab", parsed(R"([["a"]])")) ==
        "[tokenizer] 'x.json', model, vocab 1: found [\"a\"], where a token and its score were "
        "expected");
  CHECK(model("unigram", "unk_id", 1000).find("'unk_id' is 1000") != std::string::npos);
  CHECK(error_with("gpt2", [](Json& file) { file.set("added_tokens", Json::Array{3}); }) ==
        "[tokenizer] 'x.json', added_tokens 1: found 3, where an object {…} was expected");
  CHECK(error_with("gpt2", [](Json& file) {
          file.set("added_tokens", parsed(R"([{"id": 5, "content": "<|endoftext|>"}])"));
        }).find("has the id 5, but 0 in the vocabulary") != std::string::npos);
  CHECK(error_of([] { TokenizerJson(parsed("[]"), "x"); }) ==
        "[tokenizer] x: found a list, where an object {…} was expected");
}

TEST_CASE("tokenizer.json: a file cut anywhere gives an error with its byte") {
  const Scratch scratch;
  const std::string text = golden("bert")["tokenizer"].dump();
  for (size_t length = 1; length < text.size(); length += 97) {
    const std::string path = scratch.write("tokenizer.json", text.substr(0, length));
    check_error("tokenizer.json' line 1, byte ", [&] { TokenizerJson::load(path); });
  }
  std::string deep(100'000, '[');
  check_error("nested deeper than 100",
              [&] { TokenizerJson::load(scratch.write("tokenizer.json", deep)); });
}

TEST_CASE("tokenizer.json: texts that are not UTF-8 are refused") {
  const TokenizerJson tokenizer(golden("gpt2")["tokenizer"], "golden");
  check_error("the text is not UTF-8 text: byte 0xFF at offset 1",
              [&] { tokenizer.encode("a\xFF"); });
}

TEST_CASE("tokenizer.json: ids and tokens can be asked for") {
  const TokenizerJson tokenizer(golden("bert")["tokenizer"], "golden");
  CHECK(tokenizer.id_of("[MASK]") == 4);
  CHECK(*tokenizer.token_of(4) == "[MASK]");
  CHECK(tokenizer.is_special(4));
  CHECK(!tokenizer.is_special(5));
  CHECK(tokenizer.id_of("no such token") == -1);
  CHECK(tokenizer.token_of(1'000'000) == nullptr);
  CHECK(tokenizer.size() == golden("bert")["tokenizer"]["model"]["vocab"].as_object().size());
  CHECK(tokenizer.decode({1'000'000}).empty());
}

}  // namespace
}  // namespace tarsier::zoo
