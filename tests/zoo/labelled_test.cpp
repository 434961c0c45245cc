// Labelled text: TSV, CSV, labels, splits, class weights.
#include "zoo/data/labelled.h"
#include "autograd/io/json.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <set>

#include "tests/data.h"
#include "tests/error_of.h"
#include "tests/zoo/scratch.h"

namespace tarsier::zoo {
namespace {

using Strings = std::vector<std::string>;

/// "label|text|line" of every example.
Strings shown(const LabelledFile& file) {
  Strings out;
  for (const LabelledLine& line : file.lines)
    out.push_back(line.label + '|' + line.text + '|' + std::to_string(line.line));
  return out;
}

TEST_CASE("lines of label and text, with CRLF, blank lines and further tabs") {
  const Scratch scratch;
  const std::string path =
      scratch.write("x.tsv", "\xEF\xBB\xBFpos\tgut\r\n\r\n \t \nneg\t a\tb \npos\t😀");
  CHECK(shown(read_labelled(path)) == Strings{"pos|gut|1", "neg|a\tb|4", "pos|😀|5"});
  const std::string turned = scratch.write("y.txt", "gut\tpos\na\tb\tneg\n");
  CHECK(shown(read_labelled(turned, {.order = FieldOrder::text_first})) ==
        Strings{"pos|gut|1", "neg|a\tb|2"});
}

TEST_CASE("CSV with quotes, commas, line breaks and doubled quotes") {
  const Scratch scratch;
  const std::string path = scratch.write(
      "x.csv",
      "pos,plain\r\n\"neg\",\"one, two\"\n\npos, \"he said \"\"no\"\"\" \r\nneg,\"two\nlines\"\n"
      "neg,a \"quote\" inside\npos,\"\"\"\"");
  CHECK(shown(read_labelled(path)) == Strings{"pos|plain|1", "neg|one, two|2",
                                              "pos|he said \"no\"|4", "neg|two\nlines|5",
                                              "neg|a \"quote\" inside|7", "pos|\"|8"});
  CHECK(shown(read_labelled(scratch.write("t.csv", "\"a,b\",pos\n"),
                            {.order = FieldOrder::text_first})) == Strings{"pos|a,b|1"});
}

TEST_CASE("a header is not an example, and gives the order") {
  const Scratch scratch;
  CHECK(shown(read_labelled(scratch.write("a.csv", "text,label\n\"x\",pos\n"))) ==
        Strings{"pos|x|2"});
  CHECK(shown(read_labelled(scratch.write("b.csv", "label,text\r\npos,x\n"),
                            {.order = FieldOrder::text_first})) == Strings{"pos|x|2"});
  CHECK(shown(read_labelled(scratch.write("c.tsv", "text\tlabel\na\tb\tpos\n"))) ==
        Strings{"pos|a\tb|2"});
  CHECK(shown(read_labelled(scratch.write("d.tsv", "label\tlabel\n"))) == Strings{"label|label|1"});
}

TEST_CASE("headers of common data sets are not examples") {
  const Scratch scratch;
  // IMDB, AG News, SST, a spreadsheet, tweets, and with an index by pandas.
  CHECK(shown(read_labelled(scratch.write("imdb.csv", "review,sentiment\n\"x, y\",pos\n"))) ==
        Strings{"pos|x, y|2"});
  CHECK(shown(read_labelled(scratch.write("sst.tsv", "sentence\tlabel\na b\t1\n"))) ==
        Strings{"1|a b|2"});
  CHECK(shown(read_labelled(scratch.write("x.csv", "Label;Text\npos;x, y\n"))) ==
        Strings{"pos|x, y|2"});
  CHECK(shown(read_labelled(scratch.write("tweets.csv",
                                          "target,ids,date,flag,user,text\n"
                                          "4,1,Mon,NO,me,hello\n"))) == Strings{"4|hello|2"});
  CHECK(shown(read_labelled(scratch.write("pandas.csv", ",text,label\n0,x,pos\n"))) ==
        Strings{"pos|x|2"});
  CHECK(shown(read_labelled(
            scratch.write("ag.csv", "\"Class Index\",\"Title\",\"Description\"\n3,a,b\n"),
            {.text = "title", .label = "class index"})) == Strings{"3|a|2"});
  CHECK(read_labelled(scratch.path("imdb.csv")).columns == "'sentiment' and 'review'");
  CHECK(read_labelled(scratch.path("imdb.csv")).header);
}

TEST_CASE("a label that occurs only in line 1 is an error") {
  const Scratch scratch;
  std::string lines = "Stimmung;Kommentar\n";
  for (int i = 0; i < 20; ++i)
    lines += (i % 2 == 0 ? "gut;a " : "schlecht;b ") + std::to_string(i) + "\n";
  const std::string path = scratch.write("x.csv", lines);
  const auto read = [&](const LabelledColumns& columns) {
    return read_labelled_data(path, columns, {1, 0});
  };
  CHECK(error_of([&] { read({}); }) ==
        "[data] '" + path +
            "', line 1: the label 'Stimmung' occurs only in this line, before the text "
            "'Kommentar'. If these are column names, use --header yes; if it is an example, "
            "use --header no");
  CHECK(read({.header = Header::yes}).labels.names() == Strings{"gut", "schlecht"});
  CHECK(read({.header = Header::no}).labels.size() == 3);
  CHECK(read({.text = "Kommentar", .label = "stimmung"}).labels.size() == 2);
  CHECK(read({.text = "Kommentar", .label = "stimmung"}).columns == "'Stimmung' and 'Kommentar'");
  // In the validation split it is a label that training has never seen.
  std::filesystem::create_directory(scratch.path("folder"));
  scratch.write("folder/train.csv", lines.substr(lines.find('\n') + 1));
  scratch.write("folder/val.csv", lines);
  const std::string message = error_of([&] {
    read_labelled_data(scratch.path("folder"), {}, {1, 0});
  });
  CHECK(message.ends_with("If the line names the columns, use --header yes"));
  // If many labels occur once, the first may as well.
  std::string rare = "a\tx\nb\tx\nc\tx\n";
  for (int i = 0; i < 20; ++i) rare += "d\tx\n";
  CHECK(read_labelled_data(scratch.write("rare.tsv", rare), {}, {1, 0}).labels.size() == 4);
}

TEST_CASE("lines that are not label and text are errors with their number") {
  const Scratch scratch;
  int count = 0;
  const auto message = [&](const std::string& text, const char* ending = ".tsv") {
    const std::string path = scratch.write(std::to_string(count++) + ending, text);
    std::string what = error_of([&] { read_labelled(path); });
    const std::string start = "[data] '" + path + "'";
    return what.starts_with(start) ? what.substr(start.size()) : what;
  };
  CHECK(message("a\tb\nno tab here\n") ==
        ", line 2 has 1 field where label<TAB>text was expected: 'no tab here'");
  CHECK(message("a\tb\n\tb\n") == ", line 2: the label is blank; label<TAB>text was expected");
  CHECK(message("a\t \n") == ", line 1: the text is blank; label<TAB>text was expected");
  CHECK(message("\n\n") == " has no examples, which are lines of label<TAB>text");
  CHECK(message("a\n", ".csv") == ", line 1 has 1 field where label,text was expected: 'a'");
  CHECK(message("a,b\nc,d,e\n", ".csv") ==
        ", line 2 has 3 fields where label,text was expected: 'c'");
  CHECK(message("a,b\nc,\"d\n\ne", ".csv") == ", line 2: the quote that opens here is not closed");
  CHECK(message("a,\"b\n\" c\n", ".csv") ==
        ", line 2: 'c' follows a closing quote; write quotes inside a field twice");
  CHECK(message("label,text\n", ".csv") == " has no examples, which are lines of label,text");
  CHECK(message("a\tb\na\t\xC3\n")
            .starts_with(" is not UTF-8 text: byte 0xC3 at offset 6, in line 2"));
  // Cut between characters, not inside one.
  CHECK(message("123456789012345678901234567890123456789ää\n")
            .ends_with("'123456789012345678901234567890123456789…'"));
}

TEST_CASE("labels are numbered by sorted name, also after saving") {
  const std::vector<LabelledLine> lines = {
      {"b", "x", 1}, {"ä", "x", 2}, {"a", "x", 3}, {"b", "x", 4}};
  const Labels labels(lines, "x");
  CHECK(labels.names() == Strings{"a", "b", "ä"});
  CHECK(labels.encode(lines, "x") == std::vector<int64_t>{1, 2, 0, 1});
  const Labels again = Labels::from_json(Json::parse(labels.to_json().dump()));
  CHECK(again.names() == labels.names());
  CHECK_THROWS_AS(Labels::from_json(Json::parse("[\"b\", \"a\"]")), Error);
  CHECK_THROWS_AS(Labels::from_json(Json::parse("{}")), Error);
  CHECK(error_of([&] {
          labels.encode({{"a", "x", 1}, {"c", "x", 17}}, "'val.tsv'");
        }) ==
        "[data] 'val.tsv', line 17: training has never seen the label 'c'; it knows 'a', 'b', 'ä'");
}

TEST_CASE("one label is too few, and a label for every text too many") {
  CHECK(error_of([] {
          Labels({{"a", "x", 1}, {"a", "y", 2}}, "'x'");
        }) == "[data] 'x' has the label 'a' only: a classifier needs at least two");
  std::vector<LabelledLine> turned;
  for (int i = 0; i < 30; ++i) turned.push_back({"text " + std::to_string(100 + i), "pos", i + 1});
  CHECK(error_of([&] { Labels(turned, "'x'"); }) ==
        "[data] 'x' has 30 different labels in 30 examples, as 'text 100': are labels and "
        "texts in the other order?");
}

TEST_CASE("a folder holds train, val and perhaps test") {
  const Scratch scratch;
  const std::string folder = scratch.path("");
  scratch.write("train.tsv", "b\tone\na\ttwo\n");
  const auto read = [&] { return read_labelled_data(folder, {}, {1, 0}); };
  CHECK(error_of(read) ==
        "[data] there is no 'val.tsv' or 'val.csv' in '" + folder + "', which holds 'train.tsv'");
  scratch.write("val.csv", "b,\"three, four\"\n");
  CHECK(read().test.size() == 0);
  CHECK(read().val.texts == Strings{"three, four"});
  CHECK(read().val.labels == std::vector<int64_t>{1});
  CHECK(read().train.labels == std::vector<int64_t>{1, 0});
  scratch.write("test.tsv", "a\tx\n\nc\tx\n");
  CHECK(error_of(read) ==
        "[data] '" + scratch.path("test.tsv") +
            "', line 3: training has never seen the label 'c'; it knows 'a', 'b'");
}

TEST_CASE("one file is split by the seed, with each label in proportion") {
  const Scratch scratch;
  std::string text;
  for (int i = 0; i < 300; ++i)
    text += (i == 77 ? "rare" : i % 3 == 0 ? "b" : "a") + ("\ttext " + std::to_string(i)) + '\n';
  const std::string path = scratch.write("all.tsv", text);
  const auto read = [&](uint64_t seed) { return read_labelled_data(path, {}, {seed, 5}); };
  const LabelledData data = read(1);
  CHECK(data.labels.size() == 3);
  std::set<std::string> texts;
  for (const LabelledText* part : {&data.train, &data.val, &data.test})
    texts.insert(part->texts.begin(), part->texts.end());
  CHECK(texts.size() == 300);
  CHECK(data.train.size() + data.val.size() + data.test.size() == 300);
  const auto count = [](const LabelledText& part, int64_t label) {
    return std::count(part.labels.begin(), part.labels.end(), label);
  };
  CHECK(data.val.size() == 30);
  CHECK(std::abs(count(data.val, 0) - 20) <= 1);
  CHECK(std::abs(count(data.test, 1) - 10) <= 1);
  CHECK(count(data.train, 2) == 1);  // the only one of its label must train
  CHECK(read(1).val.texts == data.val.texts);
  CHECK(read(2).val.texts != data.val.texts);
  CHECK(error_of([&] {
          read_labelled_data(scratch.write("few.tsv", "a\tx\nb\tx\na\ty\n"), {}, {1, 0});
        }).find("too few") != std::string::npos);
}

TEST_CASE("class weights are one on average, and large for rare classes") {
  const Tensor weights = class_weights({0, 0, 0, 1, 0, 2, 2, 0}, 3);
  CHECK(weights.to_vector<float>() ==
        std::vector<float>{float(8.0 / 15), float(8.0 / 3), float(8.0 / 6)});
  CHECK(error_of([] {
          class_weights({0, 2}, 3);
        }) == "[data] class 1 has no examples, so no weight balances it");
  CHECK_THROWS_AS(class_weights({0, 3}, 3), Error);
  CHECK_THROWS_AS(class_weights({-1}, 3), Error);
}

TEST_CASE("the movie reviews are read whole") {
  if (!have_data("movie-reviews/train.tsv")) return;
  const LabelledData data = read_labelled_data(data_file("movie-reviews").string(), {}, {1, 0});
  CHECK(data.labels.names() == Strings{"negative", "positive"});
  CHECK(data.train.size() == 8530);
  CHECK(data.val.size() == 1066);
  CHECK(data.test.size() == 1066);
}

}  // namespace
}  // namespace tarsier::zoo
