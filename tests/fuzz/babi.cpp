// Stories with questions, in files and as users ask.
#include "zoo/question_answering/babi.h"

#include "tests/fuzz/fuzz.h"
#include "zoo/question_answering/readings.h"

void tarsier::fuzz::read_input(std::string_view bytes) {
  namespace qa = zoo::question_answering;
  const bool asked = take_byte(bytes) & 1;
  const std::vector<qa::Story> stories =
      asked ? qa::parse_questions(bytes) : qa::parse_stories(bytes, "input");
  for (const qa::Story& story : stories) {
    promise(!story.lines.empty(), "a story has lines");
    for (const qa::Line& line : story.lines) {
      promise(!line.text.empty(), "a line has a text");
      for (const int64_t support : line.supports)
        promise(support >= 0 && !story.lines.at(static_cast<size_t>(support)).asks(),
                "an answer follows from statements");
    }
  }
  promise(qa::questions_in(stories) > 0, "stories without questions are refused");
}
