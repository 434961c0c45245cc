// How the parts of a text begin.
#include "zoo/data/opening.h"

#include <doctest/doctest.h>

#include <sstream>
#include <string>

#include "tests/zoo/scratch.h"
#include "zoo/data/embedded.h"

namespace tarsier::zoo {
namespace {

TEST_CASE("a text's opening is the commonest first word of its paragraphs") {
  const Opening play = opening_of("ROMEO:\nAy me.\n\nJULIET:\nO.\nO.\nO.\n\nROMEO:\nI.\n");
  CHECK(play.word == "ROMEO:");
  CHECK(play.common);
  // Indented lines and closing lines do not count.
  const Opening code = opening_of("\n}  // a\n\n}  // b\n\n}\n\n  x\n\n  x\n\n/// c\n\n/// d\r\n");
  CHECK(code.word == "///");
  CHECK(code.common);
}

TEST_CASE("if no two paragraphs begin alike, the opening is the first word") {
  for (const char* text : {"emma\nolivia\nemma\n", "emma", "\n \nemma x\n\nava\n"}) {
    CAPTURE(text);
    CHECK(opening_of(text).word == "emma");
    CHECK_FALSE(opening_of(text).common);
  }
  for (const char* text : {"", "\n\n", "  \n"}) CHECK(opening_of(text).word == "");
  // A text without spaces is not a word; characters stay whole.
  CHECK(opening_of(std::string(1000, 'a')).word == std::string(40, 'a'));
  CHECK(opening_of(std::string(39, 'a') + "\u00e9\u00e9").word == std::string(39, 'a'));
}

TEST_CASE("a sample, and the suggested prompt, begin as the paragraphs of the text do") {
  const Scratch scratch;
  std::string play;
  for (int i = 0; i < 60; ++i) play += "MARY:\nO dear me.\n\n";
  const std::unique_ptr<Task> task = tiny_task(scratch.write("play.txt", play), 1);
  CHECK(task->example_input() == "MARY:");
  std::ostringstream sample;
  task->show_sample(sample);
  CHECK(sample.str().starts_with("MARY:"));
  CHECK(tiny_task(scratch.write("data.txt", small_text()), 1)->example_input() == "the");
}

TEST_CASE("the project's own text begins its paragraphs with a comment, and has no rules in it") {
  for (const char* line :
       {"// ---------- data", "# =====", "|---|:-:|", "// Copyright 2026", "// MIT license"})
    CHECK_MESSAGE(is_decoration(line), line);
  for (const char* line : {"", "/// y = a - b", "| a | b |", "x--;", "a == b"})
    CHECK_FALSE(is_decoration(line));
  const std::string text = embedded_text();
  CHECK(opening_of(text).word == "///");
  CHECK(opening_of(text).common);
  CHECK(text.starts_with("// CMakeLists.txt\ncmake_minimum_required"));
  CHECK(text.find("\n\n\n") == text.npos);
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) CHECK_MESSAGE(!is_decoration(line), line);
}

}  // namespace
}  // namespace tarsier::zoo
