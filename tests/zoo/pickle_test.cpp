// Pickles: what is read of them, and that everything else is refused by its name and place.
#include "zoo/pretrained/pickle.h"

#include <doctest/doctest.h>

#include <string>

#include "tests/error_of.h"
#include "tests/zoo/archive.h"

namespace tarsier::zoo {
namespace {

using Kind = PickleValue::Kind;

constexpr const char* kBegin = "\x80\x02";

bool is_counter(std::string_view global) {
  return global == "collections OrderedDict" || global == "my Thing";
}

/// The error of the pickle with these opcodes.
std::string error_of_opcodes(const std::string& opcodes) {
  const std::string bytes = kBegin + opcodes;
  return error_of([&] { Pickle(bytes, "file", is_counter); });
}

void check_refused(const std::string& opcodes, const std::string& text) {
  CAPTURE(opcodes);
  CHECK(error_of_opcodes(opcodes) == "[pickle] file, byte " + text);
}

TEST_CASE("numbers, texts, tuples, lists and dicts are read") {
  const std::string bytes =
      kBegin + std::string("(K\xFFM\x01\x02J\xFE\xFF\xFF\xFF\x8a\x03\x01\x02\x80") + "N\x88\x89" +
      pickled_text("a\xC3\xA4") + ")K\1K\2\x86](K\3K\4e}" + pickled_text("k") + "K\5st.";
  const Pickle pickle(bytes, "file", is_counter);
  const PickleValue& root = pickle.root();
  REQUIRE(root.kind == Kind::tuple);
  REQUIRE(root.items.size() == 12);
  const auto item = [&](size_t i) { return pickle[root.items[i]]; };
  for (const auto& [i, number] : {std::pair{0, 255}, {1, 513}, {2, -2}, {3, -8388095}}) {
    CHECK(item(static_cast<size_t>(i)).kind == Kind::whole);
    CHECK(item(static_cast<size_t>(i)).number == number);
  }
  CHECK(item(4).kind == Kind::none);
  CHECK(item(5).kind == Kind::boolean);
  CHECK(item(5).number == 1);
  CHECK(item(6).number == 0);
  CHECK(item(7).text == "a\xC3\xA4");
  CHECK(item(8).items.empty());
  CHECK(item(9).kind == Kind::tuple);
  CHECK(pickle[item(9).items[1]].number == 2);
  CHECK(item(10).kind == Kind::list);
  CHECK(pickle[item(10).items[1]].number == 4);
  CHECK(item(11).kind == Kind::dict);
  CHECK(pickle[item(11).items[0]].text == "k");
  CHECK(pickle[item(11).items[1]].number == 5);
}

TEST_CASE("calls are noted, and made only of OrderedDict; attributes are dropped") {
  const std::string thing = pickled_global("my", "Thing");
  const std::string dict = pickled_global("collections", "OrderedDict") + ")R";
  const std::string bytes = kBegin + thing + "K\7\x85R" + dict + "}b\x86.";
  const Pickle pickle(bytes, "file", is_counter);
  const PickleValue& call = pickle[pickle.root().items[0]];
  CHECK(pickle.is_call(call, "my Thing"));
  CHECK_FALSE(pickle.is_call(call, "my Other"));
  CHECK(pickle[pickle[call.items[1]].items[0]].number == 7);
  CHECK(pickle[pickle.root().items[1]].kind == Kind::dict);
}

TEST_CASE("other opcodes are refused by name and byte") {
  check_refused("N0.",
                "3: the opcode POP (48) is not read: state dicts have none; save "
                "model.state_dict() alone");
  for (const auto& [code, name] : {std::pair{"\x93", "STACK_GLOBAL (147)"},
                                   {"i", "INST (105)"},
                                   {"o", "OBJ (111)"},
                                   {"\x81", "NEWOBJ (129)"},
                                   {"\x82", "EXT1 (130)"},
                                   {"P", "PERSID (80)"},
                                   {"\x95", "FRAME (149)"},
                                   {"C", "SHORT_BINBYTES (67)"},
                                   {"\xFF", "(255)"}}) {
    const std::string error = error_of_opcodes(code);
    CAPTURE(error);
    CHECK(error.starts_with(concat("[pickle] file, byte 2: the opcode ", name, " is not read")));
  }
  CHECK(
      error_of_opcodes("cos\nsystem\n.")
          .starts_with(
              "[pickle] file, byte 2: the pickle asks for 'os.system', which no state dict needs"));
  CHECK(error_of_opcodes("c\x1B[2J\nx\n.").find("asks for '?[2J.x'") != std::string::npos);
  check_refused(pickled_global("collections", "OrderedDict") + "K\1\x85R.",
                "30: an OrderedDict with arguments");
}

TEST_CASE("a damaged program is refused at its byte") {
  check_refused("", "2: the pickle is cut off");
  check_refused("K", "2: the pickle is cut off");
  check_refused("X\xFF\xFF\xFF\xFFx", "2: the pickle is cut off");
  check_refused(
      "\x8a\x09"
      "12345678",
      "2: the pickle is cut off");
  check_refused("cmy", "2: the pickle is cut off");
  check_refused(".", "2: the pickle ends with 0 values, where one was expected");
  check_refused("NN.", "4: the pickle ends with 2 values, where one was expected");
  check_refused("N(.", "4: the pickle ends with 1 values, where one was expected");
  check_refused("N.N", "3: the pickle ends here, and 1 bytes follow");
  check_refused("h\1.", "2: place 1 of the memo is empty");
  check_refused("q\1.", "2: a value is missing on the stack");
  check_refused("Nr\xFF\xFF\xFF\xFF.", "3: place 4294967295 of the memo; 2000000 are the limit");
  check_refused("t.", "2: there is no mark");
  check_refused("N\x86.", "3: a value is missing on the stack");
  check_refused("N(\x85.", "4: a value is missing on the stack");
  check_refused("a.", "2: a value is missing on the stack");
  check_refused("Na.", "3: a list was expected");
  check_refused("NNa.", "4: a list was expected");
  check_refused("](K\1u.", "6: a dict was expected");
  check_refused("}(K\1u.", "6: a key without a value");
  check_refused("NNR.", "4: a call without a tuple of arguments");
  check_refused("N)R.", "4: a function or class was expected");
  check_refused("Nb.", "3: a value is missing on the stack");
  for (const char* begin : {"", "x", "\x80", "\x80\x05."})
    CHECK(
        error_of([&] { Pickle(begin, "file", is_counter); }).starts_with("[pickle] file, byte 0"));
}

TEST_CASE("depth and cycles cost nothing, and there is an end to values and marks") {
  const std::string deep = std::string(300'000, ']') + std::string(299'999, 'a') + ".";
  CHECK(error_of_opcodes(deep) == "no error");
  CHECK(error_of_opcodes(std::string("]q\1h\1a.")) == "no error");  // a list in itself
  // Doubled thirty times.
  std::string twice = "Nq\1";
  for (int i = 0; i < 30; ++i) twice += "h\1\x86q\1";
  CHECK(error_of_opcodes(twice + ".") == "no error");
  CHECK(error_of_opcodes(std::string(2'000'001, 'N')).find("more than 2000000 values") !=
        std::string::npos);
  CHECK(error_of_opcodes(std::string(2'000'001, '(')).find("more than 2000000 marks") !=
        std::string::npos);
}

}  // namespace
}  // namespace tarsier::zoo
