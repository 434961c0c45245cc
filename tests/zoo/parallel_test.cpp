// Lines and parallel text.
#include "zoo/data/parallel.h"

#include <doctest/doctest.h>

#include "tests/data.h"
#include "tests/error_of.h"
#include "tests/zoo/scratch.h"
#include "zoo/data/lines.h"

namespace tarsier::zoo {
namespace {

using Strings = std::vector<std::string>;

TEST_CASE("lines end with LF or CRLF, and the last one may have no end") {
  CHECK(split_lines("").empty());
  CHECK(split_lines("a") == Strings{"a"});
  CHECK(split_lines("a\n") == Strings{"a"});
  CHECK(split_lines("a\r\nb\r\n") == Strings{"a", "b"});
  CHECK(split_lines("a\n\nb\n\n") == Strings{"a", "", "b", ""});
  CHECK(split_lines("\n") == Strings{""});
  CHECK(split_lines("\r\n") == Strings{""});
  CHECK(split_lines("a\rb\r") == Strings{"a\rb\r"});
  CHECK(split_lines("a\r\r\nb") == Strings{"a\r", "b"});
  CHECK(split_lines("a\xE2\x80\xA8"
                    "b\xC2\x85") == Strings{"a\xE2\x80\xA8"
                                            "b\xC2\x85"});
  CHECK(split_lines(std::string("a\0b\nc", 5)) == Strings{std::string("a\0b", 3), "c"});
}

TEST_CASE("a file of lines has no byte order mark, and must be UTF-8") {
  const Scratch scratch;
  CHECK(read_lines(scratch.write("a",
                                 "\xEF\xBB\xBF"
                                 "ä\r\n😀\n")) == Strings{"ä", "😀"});
  CHECK(error_of([&] { read_lines(scratch.write("latin1.txt", "ok\nM\xFCller\n")); }) ==
        "[data] '" + scratch.path("latin1.txt") +
            "' is not UTF-8 text: byte 0xFC at offset 4, in line 2; convert it (iconv -t UTF-8), "
            "or use another text");
}

TEST_CASE("blank lines have nothing but white space") {
  CHECK(is_blank(""));
  CHECK(is_blank(" \t "));
  CHECK(!is_blank(" . "));
  CHECK(is_blank("\xC2\xA0 \xE3\x80\x80\r"));  // a space that does not break, an ideographic one
}

TEST_CASE("the files of a folder are named for messages, ten at most") {
  const Scratch scratch;
  CHECK(describe_folder(scratch.path("")) == "no files");
  scratch.write("b", "");
  scratch.write("a", "");
  CHECK(describe_folder(scratch.path("")) == "'a', 'b'");
  for (char name = 'c'; name <= 'l'; ++name) scratch.write(std::string(1, name), "");
  CHECK(describe_folder(scratch.path("")).ends_with("'j' and 2 more"));
  CHECK_THROWS_AS(describe_folder(scratch.path("none")), Error);
}

TEST_CASE("pairs with a blank side are left out, or kept on request") {
  const Scratch scratch;
  const std::string de = scratch.write("x.de", "eins\n\ndrei\r\nvier\n"),
                    en = scratch.write("x.en", "one\ntwo\nthree\n \n");
  const ParallelText some = read_parallel(de, en, BlankPairs::leave_out);
  CHECK(some.name == "x");
  CHECK(some.source == Strings{"eins", "drei"});
  CHECK(some.target == Strings{"one", "three"});
  CHECK(some.left_out == 2);
  const ParallelText all = read_parallel(de, en, BlankPairs::keep);
  CHECK(all.source == Strings{"eins", "", "drei", "vier"});
  CHECK(all.target == Strings{"one", "two", "three", " "});
  CHECK(all.left_out == 0);
}

TEST_CASE("unequal numbers of lines are an error with both") {
  const Scratch scratch;
  const std::string de = scratch.write("x.de", "eins\nzwei\n"),
                    en = scratch.write("x.en", "one\ntwo\n\n");
  CHECK(error_of([&] { read_parallel(de, en, BlankPairs::leave_out); }) ==
        "[data] '" + de + "' has 2 lines and '" + en +
            "' has 3: each line must be the translation of the other file's line");
  CHECK(error_of([&] {
          read_parallel(scratch.write("y.de", "\na\n"), scratch.write("y.en", "b\n\n"),
                        BlankPairs::leave_out);
        }).starts_with("[data] in all 2 pairs"));
}

TEST_CASE("a folder of parallel text, with tests in the order of their names") {
  const Scratch scratch;
  for (const char* name : {"train", "val", "test2017", "test2016", "test_x"})
    for (const char* language : {"de", "en"})
      scratch.write(std::string(name) + '.' + language,
                    std::string(name) + ' ' + language + "\n\n");
  scratch.write("test_fr.fr", "une\n");
  const ParallelFolder folder = read_parallel_folder(scratch.path(""), "de", "en");
  CHECK(folder.train.source == Strings{"train de"});
  CHECK(folder.train.target == Strings{"train en"});
  CHECK(folder.train.left_out == 1);
  CHECK(folder.val.target == Strings{"val en"});
  REQUIRE(folder.tests.size() == 3);
  CHECK(folder.tests[0].name == "test2016");
  CHECK(folder.tests[1].name == "test2017");
  CHECK(folder.tests[2].source == Strings{"test_x de", ""});
  CHECK(read_parallel_folder(scratch.path(""), "en", "de").val.target == Strings{"val de"});
}

TEST_CASE("a folder without a file is refused, with its name and the existing files") {
  const Scratch scratch;
  const std::string folder = scratch.path("");
  scratch.write("train.de", "eins\n");
  scratch.write("train.en", "one\n");
  const auto message = [&](const std::string& source, const std::string& target) {
    return error_of([&] { read_parallel_folder(folder, source, target); });
  };
  CHECK(message("de", "fr") ==
        "[data] there is no 'train.fr' in '" + folder + "', which holds 'train.de', 'train.en'");
  CHECK(message("de", "en").starts_with("[data] there is no 'val.de'"));
  scratch.write("val.de", "eins\n");
  scratch.write("val.en", "one\n");
  CHECK(read_parallel_folder(folder, "de", "en").tests.empty());
  scratch.write("test.de", "eins\n");
  CHECK(message("de", "en").starts_with("[data] there is no 'test.en'"));
  CHECK(message("de", "de").find("needs two languages") != std::string::npos);
  CHECK(message("", "de").find("must be a file ending") != std::string::npos);
  CHECK(message("../de", "en").find("must be a file ending") != std::string::npos);
  CHECK(error_of([&] {
          read_parallel_folder(folder + "none", "de", "en");
        }).find("is not a folder") != std::string::npos);
}

TEST_CASE("the names of the languages in line 1 of both files are not a pair") {
  const Scratch scratch;
  for (const char* name : {"train", "val", "test"}) {
    scratch.write(std::string(name) + ".de", "DE\neins\n");
    scratch.write(std::string(name) + ".en", "en\none\n");
  }
  const ParallelFolder folder = read_parallel_folder(scratch.path(""), "de", "en");
  CHECK(folder.train.source == Strings{"eins"});
  CHECK(folder.tests[0].target == Strings{"one"});
  scratch.write("train.en", "English\none\n");
  CHECK(read_parallel_folder(scratch.path(""), "de", "en").train.size() == 2);
}

TEST_CASE("pairs in two columns of a table, by name, number or order") {
  const Scratch scratch;
  std::string named = "ID,English,Deutsch\n", plain;
  for (int i = 0; i < 20; ++i) {
    named += concat(i, ",\"one, ", i, "\",eins ", i, "\n");
    plain += concat("eins ", i, "\tone, ", i, "\n");
  }
  const std::string csv = scratch.write("x.csv", named), tsv = scratch.write("x.tsv", plain);
  const ParallelFolder a = read_parallel_data(csv, "deutsch", "english", {1, 0}),
                       b = read_parallel_data(tsv, "source", "target", {1, 0}),
                       c = read_parallel_data(tsv, "1", "2", {1, 0});
  CHECK(a.columns == "'Deutsch' and 'English'");
  CHECK(b.columns.empty());
  for (const ParallelFolder* folder : {&a, &b, &c}) {
    CHECK(folder->train.size() == 16);
    CHECK(folder->val.size() == 2);
    REQUIRE(folder->tests.size() == 1);
    CHECK(folder->tests[0].size() == 2);
    CHECK(folder->train.source == a.train.source);
    CHECK(folder->val.target == a.val.target);
    const std::string& source = folder->val.source[0];
    CHECK(folder->val.target[0] == "one, " + source.substr(5));
  }
  CHECK(read_parallel_data(tsv, "2", "1", {1, 0}).train.source == a.train.target);
  CHECK(error_of([&] {
          read_parallel_data(tsv, "de", "en", {1, 0});
        }) == "[data] '" + tsv +
                  "', line 1: there is no column 'de' for the source. The line has 'eins 0'"
                  " and 'one, 0'. Give them by name or number: --source … --target …");
  CHECK(error_of([&] {
          read_parallel_data(scratch.write("three.tsv", "a\tb\tc\nd\te\tf\n"), "source", "target",
                             {1, 0});
        }).find("there are 3 columns, 'a', 'b' and 'c'") != std::string::npos);
  CHECK(error_of([&] {
          read_parallel_data(scratch.write("few.tsv", "a\tb\nd\te\n"), "source", "target", {1, 0});
        }).find("has 2 pairs, too few") != std::string::npos);
}

TEST_CASE("a folder of tables holds train, val and tests") {
  const Scratch scratch;
  scratch.write("train.tsv", "de\ten\neins\tone\n \ttwo\n");
  CHECK(error_of([&] {
          read_parallel_data(scratch.path(""), "de", "en", {1, 0});
        }).starts_with("[data] there is no 'val.tsv'"));
  scratch.write("val.tsv", "en\tde\ntwo\tzwei\n");
  scratch.write("test.tsv", "de\ten\n\tnothing\ndrei\tthree\n");
  const ParallelFolder folder = read_parallel_data(scratch.path(""), "de", "en", {1, 0});
  CHECK(folder.train.source == Strings{"eins"});
  CHECK(folder.train.left_out == 1);
  CHECK(folder.val.source == Strings{"zwei"});
  REQUIRE(folder.tests.size() == 1);
  CHECK(folder.tests[0].name == "test");
  CHECK(folder.tests[0].source == Strings{"", "drei"});
}

/// The columns of documents and summaries, of which the longer texts are documents.
PairColumns summary_columns() {
  return {.source = {.what = "document", .option = "--document ", .names = {"document", "text"}},
          .target = {.what = "summary", .option = "--summary ", .names = {"summary", "title"}},
          .longer_is_source = true};
}

TEST_CASE("without names the longer texts are the source, as train has them") {
  const Scratch scratch;
  scratch.write("train.tsv", "short\ta long text\nb\tanother long text\n");
  scratch.write("val.tsv", "longer than the text\ttext\n");
  const ParallelFolder folder = read_parallel_data(scratch.path(""), summary_columns(), {1, 0});
  CHECK(folder.train.source == Strings{"a long text", "another long text"});
  CHECK(folder.train.target == Strings{"short", "b"});
  CHECK(folder.val.source == Strings{"text"});
  CHECK(folder.columns == "1 and 2, of which 2 has the longer texts");
  // Names decide, not lengths.
  scratch.write("train.tsv", "text\ttitle\nshort\ta long title\n");
  scratch.write("val.tsv", "title\ttext\nthe title\tx\n");
  const ParallelFolder named = read_parallel_data(scratch.path(""), summary_columns(), {1, 0});
  CHECK(named.train.source == Strings{"short"});
  CHECK(named.val.source == Strings{"x"});
  CHECK(named.columns == "'text' and 'title'");
  // Numbers do as well, and languages stay in their order.
  scratch.write("train.tsv", "short\ta long text\n");
  scratch.write("val.tsv", "short\ta long text\n");
  PairColumns given = summary_columns();
  given.source.given = "1";
  CHECK(read_parallel_data(scratch.path(""), given, {1, 0}).train.source == Strings{"short"});
  CHECK(read_parallel_data(scratch.path(""), "source", "target", {1, 0}).train.source ==
        Strings{"short"});
}

TEST_CASE("files with usual endings are found") {
  const Scratch scratch;
  for (const char* name : {"train", "val", "test"}) {
    scratch.write(std::string(name) + ".text", "a long text\n");
    scratch.write(std::string(name) + ".title", "short\n");
  }
  const ParallelFolder folder = read_parallel_data(scratch.path(""), summary_columns(), {1, 0});
  CHECK(folder.train.source == Strings{"a long text"});
  CHECK(folder.tests.at(0).target == Strings{"short"});
}

TEST_CASE("Multi30k is read whole") {
  if (!have_data("multi30k/train.de")) return;
  const ParallelFolder folder = read_parallel_folder(data_file("multi30k").string(), "de", "en");
  CHECK(folder.train.size() == 29'000);
  CHECK(folder.val.size() == 1'014);
  REQUIRE(folder.tests.size() == 1);
  CHECK(folder.tests[0].name == "test2016");
  CHECK(folder.tests[0].size() == 1'000);
}

}  // namespace
}  // namespace tarsier::zoo
