// Byte-pair encoding compared with Hugging Face's tokenizers and OpenAI's tiktoken.
#include "zoo/data/bpe.h"
#include "autograd/io/json.h"

#include <doctest/doctest.h>

#include <atomic>
#include <cstdlib>
#include <thread>

#include "autograd/io/file.h"
#include "tests/data.h"
#include "tests/error_of.h"
#include "tests/zoo/scratch.h"
#include "zoo/data/unicode.h"

namespace tarsier::zoo {
namespace {

using Strings = std::vector<std::string>;

std::string golden(const char* name) {
  return source_file(std::string("tests/golden/") + name).string();
}

Json golden_json(const char* name) { return Json::parse(read_file(golden(name)), golden(name)); }

std::vector<int32_t> ids_of(const Json& sample) {
  std::vector<int32_t> out;
  for (const Json& id : sample["ids"].as_array()) out.push_back(static_cast<int32_t>(id.as_int()));
  return out;
}

Strings pieces(const std::string& text) {
  const std::vector<std::string_view> found = split_pieces(text);
  return Strings(found.begin(), found.end());
}

TEST_CASE("characters have Unicode's classes, also at the ends of ranges") {
  for (char32_t c : {U'a', U'Z', U'ª', U'ß', U'中', U'ǅ', U'ʰ', U'𝒳', U'\U000323AF'})
    CHECK(class_of(c) == CharClass::letter);
  for (char32_t c : {U'0', U'9', U'²', U'½', U'٣', U'Ⅷ', U'𝟘'})
    CHECK(class_of(c) == CharClass::number);
  for (char32_t c : {U' ', U'\t', U'\r', U'\u0085', U'\u00A0', U'\u2028', U'\u3000'})
    CHECK(class_of(c) == CharClass::space);
  for (char32_t c : {U'\0', U'@', U'[', U'`', U'{', U'_', U'\u001C', U'\u0301', U'\uFEFF', U'😀',
                     U'\U000323B0', U'\U0010FFFF', char32_t{0x110000}})
    CHECK(class_of(c) == CharClass::other);
  for (char32_t c : {U'\u0301', U'\u093F', U'\u20DD'}) CHECK(is_mark(c));
  for (char32_t c : {U'a', U'\'', U'\u02FF', U'\u0370'}) CHECK(!is_mark(c));
}

TEST_CASE("capitals have lower-case letters, if these are one character") {
  const std::u32string capitals = U"AZÄÖÜÉŁŸΑΩЖЯԱ𐐀ẞ", small = U"azäöüéłÿαωжяա𐐨ß";
  for (size_t i = 0; i < capitals.size(); ++i) {
    CHECK(lower_case(capitals[i]) == small[i]);
    CHECK(lower_case(small[i]) == small[i]);
  }
  for (char32_t c : {U'1', U' ', U'中', U'İ', char32_t{0x110000}}) CHECK(lower_case(c) == c);
}

TEST_CASE("text is traversed by characters, and by bytes where it is not UTF-8") {
  const auto next = [](const char* text) {
    const NextCharacter found = next_character(text);
    return std::make_pair(found.character, found.bytes);
  };
  using Found = std::pair<char32_t, size_t>;
  CHECK(next("ab") == Found(U'a', 1));
  CHECK(next("éa") == Found(U'é', 2));
  CHECK(next("€a") == Found(U'€', 3));
  CHECK(next("😀a") == Found(U'😀', 4));
  for (const char* bad :
       {"\xFF", "\x80g", "\xE2\x82", "\xC0\x80", "\xED\xA0\x80", "\xF4\x90\x80\x80"})
    CHECK(next(bad) == Found(0xFFFD, 1));
}

TEST_CASE("text is split into pieces as by GPT-2's regular expression") {
  CHECK(pieces("").empty());
  CHECK(pieces("hello world") == Strings{"hello", " world"});
  CHECK(pieces("  hello") == Strings{" ", " hello"});
  CHECK(pieces("a  ") == Strings{"a", "  "});
  CHECK(pieces("a \n b") == Strings{"a", " \n", " b"});
  CHECK(pieces("\n\nb") == Strings{"\n", "\n", "b"});
  CHECK(pieces("\tb") == Strings{"\t", "b"});
  CHECK(pieces("a\u00A0 b") == Strings{"a", "\u00A0", " b"});
  CHECK(pieces(" \u00A0b") == Strings{" ", "\u00A0", "b"});
  CHECK(pieces("it's they're I'll 'tis") ==
        Strings{"it", "'s", " they", "'re", " I", "'ll", " '", "tis"});
  CHECK(pieces("'s't'm'd've'S") == Strings{"'s", "'t", "'m", "'d", "'ve", "'", "S"});
  CHECK(pieces("!'s") == Strings{"!'", "s"});
  CHECK(pieces("a12b ½x, ...") == Strings{"a", "12", "b", " ½", "x", ",", " ..."});
  CHECK(pieces("é\u0301x") == Strings{"é", "\u0301", "x"});
  CHECK(pieces(" \xFF\xFE"
               "a\xE2\x82") == Strings{" \xFF\xFE", "a", "\xE2\x82"});
  CHECK(pieces("'") == Strings{"'"});
  CHECK(pieces(" ") == Strings{" "});
}

TEST_CASE("training learns the merges that Hugging Face's trainer learns") {
  const Json sample = golden_json("bpe_sample.json");
  const Bpe bpe = Bpe::train(sample["train"].as_string(), 330);
  const Scratch scratch;
  bpe.save(scratch.path("vocab.json"), scratch.path("merges.txt"));
  CHECK(scratch.read("merges.txt") == read_file(golden("bpe_merges.txt")));
  const Json vocab = Json::parse(scratch.read("vocab.json"));
  const Json expected = golden_json("bpe_vocab.json");
  CHECK(vocab.as_object().size() == expected.as_object().size());
  for (const auto& [token, id] : expected.as_object()) CHECK(vocab[token] == id);
}

TEST_CASE("encoding gives Hugging Face's ids, and decoding the text") {
  const Json sample = golden_json("bpe_sample.json");
  const Bpe bpe = Bpe::load(golden("bpe_vocab.json"), golden("bpe_merges.txt"));
  const std::string& text = sample["text"].as_string();
  CHECK(bpe.encode(text) == ids_of(sample));
  CHECK(bpe.encode(text) == ids_of(sample));  // from the cache
  CHECK(bpe.decode(ids_of(sample)) == text);
  const Bpe again = Bpe::from_json(Json::parse(bpe.to_json().dump()));
  CHECK(again.encode(text) == ids_of(sample));
}

TEST_CASE("merges may be written as pairs") {
  Json json = Bpe::load(golden("bpe_vocab.json"), golden("bpe_merges.txt")).to_json();
  const Json sample = golden_json("bpe_sample.json");
  json.set("merges", golden_json("bpe_tokenizer.json")["model"]["merges"]);
  REQUIRE(json["merges"].as_array()[0].is_array());
  const Bpe bpe = Bpe::from_json(json);
  CHECK(bpe.encode(sample["text"].as_string()) == ids_of(sample));
  const auto with = [&](Json merge) {
    Json other = json;
    other.set("merges", Json::Array{"a b", std::move(merge)});
    return error_of([&] { Bpe::from_json(other); });
  };
  json.set("vocab", Bpe::train("ab ab", 257).to_json()["vocab"]);
  CHECK(with(Json::Array{"a", "b"}).find("line 2: 'a b' is there twice") != std::string::npos);
  for (const Json& wrong : {Json(1), Json(Json::Array{"a"}), Json(Json::Array{"a", "b", "c"}),
                            Json(Json::Array{"a", 1}), Json(Json::Object{})})
    CHECK(with(wrong) == "[bpe] the list of merges, line 2 is " + wrong.dump() +
                             ", but must be two tokens: \"a b\" or [\"a\", \"b\"]");
}

TEST_CASE("a tokenizer.json gives the ids of tokenizers, on random texts") {
  const Bpe bpe = Bpe::load_tokenizer(golden("bpe_tokenizer.json"));
  CHECK(bpe.size() == 331);
  CHECK(bpe.special("<|endoftext|>") == 330);
  const Json fuzz = golden_json("bpe_fuzz.json");
  CHECK(fuzz.as_array().size() == 200);
  for (const Json& sample : fuzz.as_array()) {
    CAPTURE(sample["text"].dump());
    CHECK(bpe.encode(sample["text"].as_string()) == ids_of(sample));
    CHECK(bpe.decode(ids_of(sample)) == sample["text"].as_string());
  }
}

TEST_CASE("a folder has its vocabulary in either form") {
  const Scratch scratch;
  const std::string folder = scratch.path("");
  scratch.write("other.txt", "");
  CHECK(error_of([&] { Bpe::load_folder(folder); }) ==
        "[bpe] '" + folder +
            "' has neither vocab.json and merges.txt nor tokenizer.json, but "
            "'other.txt'");
  scratch.write("tokenizer.json", read_file(golden("bpe_tokenizer.json")));
  CHECK(Bpe::load_folder(folder).size() == 331);
  scratch.write("vocab.json", read_file(golden("bpe_vocab.json")));
  CHECK(Bpe::load_folder(folder).size() == 331);  // without merges.txt it does not count
  scratch.write("merges.txt", read_file(golden("bpe_merges.txt")));
  CHECK(Bpe::load_folder(folder).size() == 330);
}

TEST_CASE("a tokenizer.json that does something else is refused, by file and part") {
  using Object = Json::Object;
  using Array = Json::Array;
  const Scratch scratch;
  const Json good = golden_json("bpe_tokenizer.json");
  const auto message = [&](const Json& json) {
    const std::string path = scratch.write("tokenizer.json", json.dump());
    const std::string text = error_of([&] { Bpe::load_tokenizer(path); });
    if (text != "no error") CHECK(text.find('\'' + path + '\'') != std::string::npos);
    return text;
  };
  const auto with = [&](const char* key, Json value) {
    Json json = good;
    json.set(key, std::move(value));
    return message(json);
  };
  const auto model_with = [&](const char* key, Json value) {
    Json model = good["model"];
    model.set(key, std::move(value));
    return with("model", model);
  };
  const auto says = [](const std::string& text, const char* part) {
    CAPTURE(text);
    CHECK(text.find(part) != std::string::npos);
  };
  const Json byte_level = good["pre_tokenizer"];
  // Equivalent forms.
  CHECK(message(good) == "no error");
  CHECK(with("normalizer", Object{{"type", "Sequence"}, {"normalizers", Array{}}}) == "no error");
  CHECK(with("pre_tokenizer", Object{{"type", "Sequence"}, {"pretokenizers", Array{byte_level}}}) ==
        "no error");
  CHECK(with("added_tokens", Json()) == "no error");
  CHECK(model_with("dropout", 0.0) == "no error");
  CHECK(model_with("end_of_word_suffix", "") == "no error");
  // Other steps.
  says(with("normalizer", Object{{"type", "NFC"}}), "the normalizer is {\"type\": \"NFC\"}, which");
  says(with("pre_tokenizer", Json()), "the pre_tokenizer is null");
  says(with("pre_tokenizer", Object{{"type", "Whitespace"}}), "the pre_tokenizer is {\"type\"");
  says(with("pre_tokenizer", "ByteLevel"), "the pre_tokenizer is \"ByteLevel\"");
  says(with("pre_tokenizer", Object{{"type", "Sequence"}, {"pretokenizers", Array{1}}}),
       "the pre_tokenizer is");
  says(with("pre_tokenizer", Object{{"type", "Sequence"}}), "the pre_tokenizer is");
  for (const char* key : {"add_prefix_space", "use_regex"}) {
    Json other = byte_level;
    other.set(key, !byte_level[key].as_bool());
    says(with("pre_tokenizer", other), "the pre_tokenizer is");
  }
  says(with("model", Json()), "has no model");
  says(model_with("type", "WordPiece"), "the type of the model is \"WordPiece\"");
  says(model_with("dropout", 0.1), "'dropout' of the model is 0.1");
  says(model_with("ignore_merges", true), "'ignore_merges' of the model is true");
  says(model_with("end_of_word_suffix", "</w>"), "'end_of_word_suffix' of the model is");
  says(model_with("continuing_subword_prefix", "##"), "'continuing_subword_prefix' of the model");
  says(model_with("vocab", Array{}), "the vocab of the model must be an object");
  says(model_with("vocab", Object{{"a", "b"}}), "token 'a' has id \"b\"");
  says(model_with("merges", Array{"a zz"}), "line 1: 'zz' is not in");
  // Added tokens.
  const auto added = [&](Json id, Json content) {
    return with("added_tokens",
                Array{Object{{"id", std::move(id)}, {"content", std::move(content)}}});
  };
  CHECK(added(330, "<end>") == "no error");
  CHECK(added(64, "a") == "no error");  // exists already
  says(added(65, "a"), "the added token 'a' has id 65, but 64 in the vocabulary");
  says(added(332, "<end>"), "token '<end>' has id 332; the ids of 331 tokens must be 0 to 330");
  says(added(5, "<end>"), "token '<end>' has id 5");
  says(added("5", "<end>"), "must have an id and a content");
  says(with("added_tokens", Array{1}), "an added token is 1, but must have");
  says(with("added_tokens", 1), "added_tokens must be an array");
  says(message(Array{}), "expected an object {…}");
}

/// A folder with GPT-2's files: TARSIER_GPT2, or shared/data/gpt2.
std::string gpt2_folder() {
  const char* named = std::getenv("TARSIER_GPT2");
  if (named != nullptr) return named;
  return have_data("gpt2/vocab.json") ? data_file("gpt2").string() : "";
}

TEST_CASE("GPT-2's own vocabulary gives tiktoken's ids") {
  const std::string folder = gpt2_folder();
  if (folder.empty()) return;
  const Bpe bpe = Bpe::load(folder + "/vocab.json", folder + "/merges.txt");
  const Json sample = golden_json("gpt2_bpe_sample.json");
  CHECK(bpe.size() == 50'257);
  CHECK(bpe.special("<|endoftext|>") == 50'256);
  CHECK(bpe.encode(sample["text"].as_string()) == ids_of(sample));
  CHECK(bpe.decode(ids_of(sample)) == sample["text"].as_string());
  CHECK(bpe.encode("Hello world") == std::vector<int32_t>{15496, 995});
}

TEST_CASE("any bytes come back") {
  const Bpe bpe = Bpe::train("the cat and the other cat", 262);
  std::string all;
  for (int i = 0; i < 256; ++i) all += static_cast<char>(i);
  for (int i = 255; i >= 0; --i) all += static_cast<char>(i);
  CHECK(bpe.decode(bpe.encode(all)) == all);
  CHECK(bpe.encode("").empty());
  CHECK(bpe.decode({}) == "");
  CHECK_THROWS_AS(bpe.decode({262}), Error);
  CHECK_THROWS_AS(bpe.decode({-1}), Error);
}

TEST_CASE("a piece of a million letters does not take a million times as long" *
          doctest::test_suite("long")) {
  const Bpe bpe = Bpe::train("aaaaaaaa aaaaaaaa", 260);
  const std::string text(1'000'000, 'a');
  const std::vector<int32_t> ids = bpe.encode(text);
  CHECK(ids.size() < 500'000);
  CHECK(bpe.decode(ids) == text);
}

TEST_CASE("training stops when no pair is frequent enough, and without text has bytes only") {
  CHECK(Bpe::train("", 1000).size() == 256);
  CHECK(Bpe::train("ab ab", 1000).size() == 257);  // "ab"; " ab" occurs once
  CHECK(Bpe::train("ab ab", 1000, 1).size() == 258);
  CHECK(Bpe::train("abcd abcd abcd", 257)[256] == "ab");
  CHECK_THROWS_AS(Bpe::train("a", 255), Error);
  // Several ways to the same bytes make one token.
  const Bpe bpe = Bpe::train("aaaaaaa aaaaa aaaaaa aaaa aaa aa aaaaaaa aaaaa aaaaaa aaaa aaa", 300);
  for (int64_t i = 0; i < bpe.size(); ++i)
    for (int64_t j = 0; j < i; ++j) CHECK(bpe[i] != bpe[j]);
  CHECK(Bpe::from_json(bpe.to_json()).encode("aaaaaaaa") == bpe.encode("aaaaaaaa"));
}

TEST_CASE("special tokens have ids, and no text becomes one") {
  Bpe bpe = Bpe::train("ab ab", 300);
  const int32_t end = bpe.add_special("<|endoftext|>"), pad = bpe.add_special("<pad€>");
  CHECK(end == 257);
  CHECK(bpe.add_special("<|endoftext|>") == end);
  CHECK(bpe.size() == 259);
  CHECK(bpe.special("<bos>") == -1);
  CHECK(bpe.decode({end, 256, pad}) == "<|endoftext|>ab<pad€>");
  for (int32_t id : bpe.encode("<|endoftext|><pad€>")) CHECK(id < 257);
  const Bpe again = Bpe::from_json(Json::parse(bpe.to_json().dump()));
  CHECK(again.special("<pad€>") == pad);
  CHECK(again.special("<|endoftext|>") == end);
  CHECK(again.decode({pad}) == "<pad€>");
  CHECK_THROWS_AS(bpe.add_special("ab"), Error);
  CHECK_THROWS_AS(bpe.add_special("a"), Error);
  CHECK_THROWS_AS(bpe.add_special(""), Error);
  CHECK_THROWS_AS(bpe.add_special("\xFF"), Error);
}

TEST_CASE("invalid vocabulary files are refused with reason and position") {
  const Scratch scratch;
  const std::string vocab = scratch.path("vocab.json"), merges = scratch.path("merges.txt");
  Bpe::train("abc abc", 258).save(vocab, merges);
  const std::string good_vocab = scratch.read("vocab.json"),
                    good_merges = scratch.read("merges.txt");
  CHECK(good_merges == "#version: 0.2\na b\nab c\n");
  const auto message = [&](const std::string& vocab_text, const std::string& merges_text) {
    scratch.write("vocab.json", vocab_text);
    scratch.write("merges.txt", merges_text);
    return error_of([&] { Bpe::load(vocab, merges); });
  };
  CHECK(message(good_vocab, "#version: 0.2\r\na b\r\nab c\r\n\r\n") == "no error");
  CHECK(message(good_vocab, "a b\n# #\n") ==
        "[bpe] '" + merges + "', line 2: '##' is not in '" + vocab + "'");
  CHECK(message(good_vocab, "a b\nx\n") ==
        "[bpe] '" + merges + "', line 2 is 'x', but must be two tokens with a space between");
  CHECK(message(good_vocab, "a b c\n").find("must be two tokens") != std::string::npos);
  CHECK(message(good_vocab, "a b\na b\n").find("line 2: 'a b' is there twice") !=
        std::string::npos);
  CHECK(message("{\"a\": 0}", good_merges).find("has no token 'Ā' for byte 0:") !=
        std::string::npos);
  CHECK(message("{\"a\": 1}", good_merges) ==
        "[bpe] '" + vocab + "': token 'a' has id 1; the ids of 1 tokens must be 0 to 0, each once");
  CHECK(message("{\"a\": 0, \"b\": 0}", good_merges).find("token 'b' has id 0") !=
        std::string::npos);
  CHECK(message("[1]", good_merges).starts_with("[json]"));
  CHECK(message("{\"a\": \"0\"}", good_merges).starts_with("[json]"));
  CHECK(message("{", good_merges).find(vocab) != std::string::npos);
  CHECK(message("", good_merges) == "[data] '" + vocab + "' is empty");
}

TEST_CASE("one vocabulary encodes on several threads at once") {
  std::string text;
  for (int i = 0; i < 3000; ++i) text += "w" + std::to_string(i * 7919 % 1000) + " ";
  const Bpe bpe = Bpe::train(text, 300);
  const std::vector<int32_t> expected = Bpe(bpe).encode(text);  // a copy, whose cache is empty
  std::atomic<int> wrong = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i)
    threads.emplace_back([&] {
      for (int call = 0; call < 3; ++call) wrong += bpe.encode(text) != expected ? 1 : 0;
    });
  for (std::thread& thread : threads) thread.join();
  CHECK(wrong == 0);
}

}  // namespace
}  // namespace tarsier::zoo
