#include "autograd/io/json.h"

#include <doctest/doctest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <random>

#include "autograd/io/utf8.h"

namespace tarsier {
namespace {

std::string parse_error_of(std::string_view text) {
  try {
    Json::parse(text, "a.json");
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

TEST_CASE("JSON is read") {
  const Json json =
      Json::parse(R"( {"a": [1, -2.5e3, true, false, null], "b": {"c": ""}, "d": []} )");
  CHECK(json["a"].as_array().size() == 5);
  CHECK(json["a"].as_array()[0].as_int() == 1);
  CHECK(json["a"].as_array()[0].as_double() == 1);
  CHECK(json["a"].as_array()[1].as_double() == -2500);
  CHECK(json["a"].as_array()[2].as_bool());
  CHECK_FALSE(json["a"].as_array()[3].as_bool());
  CHECK(json["a"].as_array()[4].is_null());
  CHECK(json["b"]["c"].as_string().empty());
  CHECK(json.find("e") == nullptr);
  CHECK_THROWS_WITH_AS(json["e"], "[json] the key 'e' is missing", Error);
  CHECK_THROWS_WITH_AS(json["a"].as_string(), "[json] found an array where a string was expected",
                       Error);
  CHECK_THROWS_AS(json["a"].as_array()[1].as_int(), Error);
  CHECK_THROWS_AS(Json(1)["a"], Error);
}

TEST_CASE("strings: escapes, UTF-8, surrogate pairs") {
  CHECK(Json::parse(R"("\"\\\/\b\f\n\r\t\u0041\u00e9\u20AC\ud83d\ude00")").as_string() ==
        "\"\\/\b\f\n\r\tAé€😀");
  CHECK(Json("\"\\\b\f\n\r\té\x01").dump() == R"("\"\\\b\f\n\r\té\u0001")");
  CHECK(Json::parse(Json("a\0b").dump()).as_string() == "a");
  CHECK(Json::parse(R"("\u0000")").as_string() == std::string(1, '\0'));
  CHECK_THROWS_AS(Json("\xff").dump(), Error);
}

TEST_CASE("numbers come back as they were") {
  constexpr int64_t low = std::numeric_limits<int64_t>::min(), high = -(low + 1);
  for (const int64_t value : {low, high, int64_t{0}, int64_t{-1}}) {
    CHECK(Json::parse(Json(value).dump()).is_int());
    CHECK(Json::parse(Json(value).dump()).as_int() == value);
  }
  CHECK_FALSE(Json::parse("9223372036854775808").is_int());
  CHECK(Json::parse("9223372036854775808").as_double() == 9223372036854775808.0);
  std::mt19937_64 random(1);
  for (int i = 0; i < 1000; ++i) {
    const uint64_t bits = random();
    double value;
    std::memcpy(&value, &bits, 8);
    if (!std::isfinite(value)) continue;
    const Json back = Json::parse(Json(value).dump());
    CHECK_FALSE(back.is_int());
    CHECK(back.as_double() == value);
  }
  CHECK(Json(1.0).dump() == "1.0");
  CHECK(Json(0.1).dump() == "0.1");
  CHECK(std::signbit(Json::parse("-0").as_double()));
  CHECK_THROWS_AS(Json(std::nan("")).dump(), Error);
  CHECK_THROWS_AS(Json(static_cast<double>(INFINITY)).dump(), Error);
}

TEST_CASE("JSON is written on one line or indented, and set adds or replaces") {
  Json json;
  json.set("step", 3);
  json.set("loss", 2.5);
  json.set("tags", Json::Array{"a", Json()});
  json.set("none", Json::Object{});
  json.set("step", 4);
  CHECK(json.dump() == R"({"step": 4, "loss": 2.5, "tags": ["a", null], "none": {}})");
  CHECK(json.dump(2) ==
        "{\n  \"step\": 4,\n  \"loss\": 2.5,\n  \"tags\": [\n    \"a\",\n    null\n  ],\n"
        "  \"none\": {}\n}");
  CHECK(Json::parse(json.dump(2)) == json);
  CHECK(Json::parse(json.dump()) == json);
  CHECK_THROWS_AS(Json(1).set("a", 1), Error);
}

TEST_CASE("invalid JSON is refused, with its position") {
  CHECK(parse_error_of("{\"a\": 1,\n \"b\" 2}") ==
        "[json] a.json line 2, byte 14: expected ':' after the key, found '2'");
  CHECK(parse_error_of("") ==
        "[json] a.json line 1, byte 0: expected a value, found the end of the text");
  CHECK(
      parse_error_of("[1, 2") ==
      "[json] a.json line 1, byte 5: expected ']' or ',' after an item, found the end of the text");
  CHECK(parse_error_of(R"({"a": 1, "b": 2, "a": 3})") ==
        "[json] a.json line 1, byte 0: the object that begins here has the key 'a' twice");
  for (const char* text : {"[1,]",
                           "{,}",
                           "{\"a\":1,}",
                           "{a:1}",
                           "{'a':1}",
                           "01",
                           "+1",
                           ".5",
                           "1.",
                           "1e",
                           "-",
                           "NaN",
                           "Infinity",
                           "nul",
                           "tru",
                           "true false",
                           "1 2",
                           "\"",
                           "\"\\x\"",
                           "\"\\u12\"",
                           "\"\\u12g4\"",
                           "\"\\ud800\"",
                           "\"\\ud800\\u0041\"",
                           "\"\\udc00\"",
                           "\"\t\"",
                           "\"\n\"",
                           "[",
                           "{",
                           "]",
                           "1e999",
                           "-1e999",
                           "\xef\xbb\xbf{}",
                           "/* */ 1",
                           "\"\xc0\x80\"",
                           "\"\xed\xa0\x80\"",
                           "\"\xf4\x90\x80\x80\"",
                           "\"\xe2\x82\"",
                           "\x80",
                           "\"\\",
                           "\"\\u",
                           "0x10",
                           "1_000",
                           "--1"}) {
    CAPTURE(text);
    CHECK(parse_error_of(text).starts_with("[json] a.json line 1, byte "));
  }
  CHECK(parse_error_of(std::string(100000, '[')).find("nested deeper than 100") !=
        std::string::npos);
  std::string deep(100, '[');
  deep.append(100, ']');
  CHECK(parse_error_of(deep) == "no error");
}

TEST_CASE("no text crashes the parser") {
  const std::string valid = R"({"a": [1, -2.5e3, "\u00e9\n", true], "b": {"c": null}})";
  std::mt19937 random(2);
  for (int i = 0; i < 20000; ++i) {
    std::string text = valid;
    for (int edit = random() % 3; edit >= 0; --edit) {
      const size_t at = random() % text.size();
      if (random() % 2 == 0) {
        text[at] = static_cast<char>(random());
      } else {
        text.erase(at, 1 + random() % 4);
      }
    }
    try {
      const Json json = Json::parse(text);
      CHECK(Json::parse(json.dump()) == json);
    } catch (const Error&) {
    }
  }
}

TEST_CASE("UTF-8: what is valid, and where it is not") {
  size_t bad = 0;
  CHECK(repaired_utf8("a\xff€\xe2\x82") == "a\xEF\xBF\xBD€\xEF\xBF\xBD\xEF\xBF\xBD");
  CHECK(repaired_utf8("aé😀") == "aé😀");
  CHECK(is_utf8("aé€😀\U0010FFFF\xed\x9f\xbf\xee\x80\x80"));
  CHECK_FALSE(is_utf8("ab\xff", &bad));
  CHECK(bad == 2);
  // The last invalid code (overlong, too high, half a pair) next to the first valid one.
  for (const char* text : {"\xc1\xbf", "\xe0\x9f\xbf", "\xf0\x8f\xbf\xbf", "\xed\xa0\x80",
                           "\xf4\x90\x80\x80", "\xf5\x80\x80\x80"})
    CHECK_FALSE(is_utf8(text));
  for (const char* text : {"\xc2\x80", "\xe0\xa0\x80", "\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf"})
    CHECK(is_utf8(text));
  CHECK_FALSE(is_utf8("é\xe2\x82", &bad));
  CHECK(bad == 2);
}

}  // namespace
}  // namespace tarsier
