// Tables: separators, headers, and the choice of columns.
#include "zoo/data/table.h"

#include <doctest/doctest.h>

#include "tests/error_of.h"
#include "tests/zoo/scratch.h"

namespace tarsier::zoo {
namespace {

using Strings = std::vector<std::string>;

/// The wanted columns.
struct Asked {
  std::string label = "", text = "";
  Header header = Header::automatic;
};

TwoColumns read(const std::string& path, const Asked& asked = {}) {
  return read_two_columns(
      path,
      {.what = "label", .option = "--label ", .given = asked.label, .names = {"label", "class"}},
      {.what = "text",
       .option = "--text ",
       .given = asked.text,
       .names = {"text", "review"},
       .takes_tabs = true},
      asked.header);
}

/// "label|text|line" of every row, after "header" if there is one.
Strings shown(const TwoColumns& table) {
  Strings out;
  if (table.header) out.emplace_back("header");
  for (const TwoColumns::Row& row : table.rows)
    out.push_back(row.first + '|' + row.second + '|' + std::to_string(row.line));
  return out;
}

struct Place : Scratch {
  int count = 0;
  std::string file(const std::string& text, const std::string& ending = ".csv") {
    return write(std::to_string(count++) + ending, text);
  }
};

TEST_CASE("a header is recognised by common names, in any case and order, with other columns") {
  Place place;
  const Strings one{"header", "pos|good|2"};
  CHECK(shown(read(place.file("Label,Text\npos,good\n"))) == one);
  CHECK(shown(read(place.file("REVIEW, Class \ngood,pos\n"))) == one);
  CHECK(shown(read(place.file("id,text,label\n7,good,pos\n"))) == one);
  CHECK(shown(read(place.file(",\"text\",label\n0,good,pos\n"))) == one);
  CHECK(shown(read(place.file("class,lang,review,date\npos,en,good,\n"))) == one);
  CHECK(shown(read(place.file("id\ttext\tlabel\n7\tgood\tpos\n", ".tsv"))) == one);
  CHECK(shown(read(place.file("Text\tLabel\ngood\tpos\n", ".txt"))) == one);
  CHECK(read(place.file("id,Review,Class\n7,good,pos\n")).columns == "'Class' and 'Review'");
  // Excel adds blank columns.
  CHECK(shown(read(place.file("label,text,,,\npos,good,,\n"))) == one);
  // One of two names is known; the label "class", which occurs twice, is not a header.
  CHECK(shown(read(place.file("class,Satz\npos,good\n"))) == one);
  CHECK(shown(read(place.file("class,dismissed\nclass,good\n"))) ==
        Strings{"class|dismissed|1", "class|good|2"});
  CHECK(shown(read(place.file("pos,review\npos,good\n"))) ==
        Strings{"pos|review|1", "pos|good|2"});  // no column is called "pos", which comes again
  CHECK(shown(read(place.file("label,text\npos,good\n"), {.header = Header::no})) ==
        Strings{"label|text|1", "pos|good|2"});
  CHECK(shown(read(place.file("Klasse,Satz\npos,good\n"), {.header = Header::yes})) == one);
}

TEST_CASE("columns are given by their names in the header, or by number") {
  Place place;
  const std::string path = place.file("id,Kommentar,Klasse\n7,good,pos\n8,bad,neg\n");
  const Strings both{"header", "pos|good|2", "neg|bad|3"};
  CHECK(shown(read(path, {.label = "Klasse", .text = "Kommentar"})) == both);
  CHECK(shown(read(path, {.label = "klasse", .text = "2"})) == both);
  CHECK(shown(read(path, {.label = "3", .text = "2", .header = Header::yes})) == both);
  CHECK(shown(read(place.file("id,text,label\n7,good,pos\n8,bad,neg\n"),
                   {.label = "3", .text = "2"})) == both);
  // An exact match wins over another case.
  CHECK(shown(read(place.file("TEXT,label,text\nbad,pos,good\n"))) ==
        Strings{"header", "pos|good|2"});
  const std::string plain = place.file("7,good,pos\n8,bad,neg\n");
  CHECK(shown(read(plain, {.label = "3", .text = "2"})) == Strings{"pos|good|1", "neg|bad|2"});
  const std::string tabs = place.file("7\tgood\tpos\n8\tbad\tneg\n", ".tsv");
  CHECK(shown(read(tabs, {.label = "3", .text = "2"})) == Strings{"pos|good|1", "neg|bad|2"});
  CHECK(shown(read(place.file("good,pos\n"), {.label = "2"})) == Strings{"pos|good|1"});
}

TEST_CASE("separators are found: commas, semicolons and tabs") {
  Place place;
  const Strings both{"header", "pos|good, but long|2", "neg|bad|3"};
  CHECK(shown(read(place.file("label;text\npos;good, but long\nneg;bad\n"))) == both);
  CHECK(shown(read(place.file("label\ttext\npos\tgood, but long\nneg\tbad\n"))) == both);
  CHECK(shown(read(place.file("label;text\npos;good, but long\nneg;bad\n", ".txt"))) == both);
  CHECK(shown(read(place.file("label,text\npos,\"good, but long\"\nneg,bad\n", ".data"))) == both);
  CHECK(shown(read(place.file("pos;good, but long\nneg;bad\n"))) ==
        Strings{"pos|good, but long|1", "neg|bad|2"});
  CHECK(shown(read(place.file("pos,\"so; so\"\nneg,bad\n"))) ==
        Strings{"pos|so; so|1", "neg|bad|2"});
  CHECK(shown(read(place.file("label;text\npos;\"two; three\nlines\"\n"))) ==
        Strings{"header", "pos|two; three\nlines|2"});
  const Strings bars{"pos|\"Good, but\" long|1", "neg|bad|2"};
  CHECK(shown(read(place.file("pos|\"Good, but\" long\nneg|bad\n"))) == bars);
  CHECK(shown(read(place.file("pos|\"Good, but\" long\nneg|bad\n", ".txt"))) == bars);
  // In a file with tabs that is not CSV, commas are text.
  CHECK(shown(read(place.file("pos\ta, b\nneg\tc, d\n", ".tsv"))) ==
        Strings{"pos|a, b|1", "neg|c, d|2"});
}

TEST_CASE("ambiguous columns are errors that say what to give") {
  Place place;
  const auto message = [&](const std::string& path, const Asked& asked = {}) {
    const std::string what = error_of([&] { read(path, asked); });
    const std::string start = "[data] '" + path + "', line ";
    return what.starts_with(start) ? what.substr(start.size()) : what;
  };
  CHECK(message(place.file("7,good,pos\n8,bad,neg\n")) ==
        "1: there are 3 columns, '7', 'good' and 'pos', and it is unclear which are the label and "
        "the "
        "text. Give them by name or number: --label … --text …");
  CHECK(message(place.file("7\tgood\tpos\n8\tbad\tneg\n", ".tsv"))
            .starts_with("1: there are 3 columns, "));
  CHECK(message(place.file("a,b\npos,good\n"), {.text = "review"}) ==
        "1: there is no column 'review' for the text. The line has 'a' and 'b'. Give them by "
        "name or number: --label … --text …");
  CHECK(message(place.file("label,text\npos,good\n"), {.text = "text", .header = Header::no})
            .starts_with(
                "1: there is no column 'text' for the text, because the file has no header"));
  CHECK(message(place.file("pos,good\n"), {.label = "1", .text = "3"}) ==
        "1: there is no column 3, only 2");
  CHECK(message(place.file("pos,good\n"), {.label = "1", .text = "1"})
            .starts_with("1: label and text are both column 1"));
  // Both by the same name, or one by the number of what the other names.
  for (const char* label : {"Text", "2"})
    CHECK(message(place.file("label,text\npos,good\n"), {.label = label, .text = "text"}) ==
          "1: label and text are both column 2, 'text'. Give them by name or number: --label … "
          "--text …");
  CHECK(message(place.file("id,text,label\n7,good,pos\n8,bad\n")) ==
        "3 has 2 fields where line 1 has 3: '8'");
  CHECK(message(place.file("id,text,label\n7,good, really,pos\n")) ==
        "2 has 4 fields where line 1 has 3: '7'");
}

}  // namespace
}  // namespace tarsier::zoo
