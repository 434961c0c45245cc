// Stories with questions: the format of the bAbI tasks, questions of users, and the world that
// makes up stories.
#include "zoo/question_answering/babi.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <set>

#include "tests/data.h"
#include "tests/error_of.h"
#include "tests/zoo/scratch.h"
#include "zoo/question_answering/score.h"
#include "zoo/question_answering/world.h"

namespace tarsier::zoo::question_answering {
namespace {

const std::string kTwo =
    "1 Mary moved to the bathroom.\r\n2 John went home.\n3 Where is Mary? \tbathroom\t1\n"
    "\n4 Mary left.\n5 Where is Mary?\tnobody,knows\t4 1\n1 It rains.\n2 Does it?\tyes\n";

TEST_CASE("stories: numbers, questions, answers and supporting lines") {
  const std::vector<Story> stories = parse_stories(kTwo, "a.txt");
  REQUIRE(stories.size() == 2);
  REQUIRE(stories[0].lines.size() == 5);
  CHECK(stories[0].lines[0].text == "Mary moved to the bathroom.");
  CHECK_FALSE(stories[0].lines[0].asks());
  CHECK(stories[0].lines[2].text == "Where is Mary?");
  CHECK(stories[0].lines[2].answer == "bathroom");
  CHECK(stories[0].lines[2].supports == std::vector<int64_t>{0});
  CHECK(stories[0].lines[4].answer == "nobody,knows");
  CHECK(stories[0].lines[4].supports == std::vector<int64_t>{3, 0});
  CHECK(stories[1].lines[1].supports.empty());
  CHECK(questions_in(stories) == 3);
}

TEST_CASE("stories: every mistake in a file is named with its line") {
  const auto refused = [](const std::string& text) {
    return error_of([&] { parse_stories(text, "a.txt"); });
  };
  for (const char* empty : {"", "\n \n"})
    CHECK(refused(empty) == "[data] 'a.txt' has no lines: expected stories with questions");
  CHECK(refused("Mary moved.\n") ==
        "[data] 'a.txt', line 1: 'Mary moved.' does not begin with a number and a space: expected "
        "`1 Mary moved to the bathroom.`");
  CHECK(refused("2 Mary moved.\n") == "[data] 'a.txt', line 1: number 2 where 1 was expected");
  CHECK(refused("1 It rains.\n\n3 Does it?\tyes\n") ==
        "[data] 'a.txt', line 3: number 3 where 2, or 1 for a new story, was expected");
  CHECK(refused("1 It rains.\n2 It snows.\n1 It rains.\n2 Does it?\tyes\n") ==
        "[data] 'a.txt', line 1: the story that begins here asks nothing: expected a line `number "
        "question<TAB>answer` in it");
  CHECK(refused("1 It rains.\n2 Does it?\tyes\n1 It rains.\n").find("line 3: the story") !=
        std::string::npos);
  CHECK(refused("1 It rains.\n2 Does it?\n") ==
        "[data] 'a.txt', line 2: the question 'Does it?' has no answer: it stands after a tab");
  CHECK(refused("1 It rains.\n2 Does it?\t \t1\n") ==
        "[data] 'a.txt', line 2: the answer of 'Does it?' is blank");
  CHECK(refused("1 \n") == "[data] 'a.txt', line 1: there is no text after the number");
  CHECK(refused("1\n") == "[data] 'a.txt', line 1: there is no text after the number");
  for (const char* support : {"0", "2", "3", "-1", "x", "1x", "99999999999999999999"})
    CHECK(refused(concat("1 It rains.\n2 Does it?\tyes\t", support, "\n")) ==
          concat("[data] 'a.txt', line 2: the supporting line '", support,
                 "' is not the number of a statement before the question"));
  CHECK(refused("1 It rains.\n2 Does it?\tyes\n3 Does it?\tyes\t2\n")
            .find("the supporting line '2'") != std::string::npos);
  CHECK(refused("0 It rains.\n").find("does not begin with a number") != std::string::npos);
}

TEST_CASE("stories: a folder of kinds, in the order of their numbers; validation by story") {
  const Scratch scratch;
  std::string train;
  for (int i = 0; i < 20; ++i) train += concat("1 Line ", i, ".\n2 Which?\t", i, "\t1\n");
  for (const char* name : {"qa10_last", "qa2_first", "qa2_second"}) {
    scratch.write(concat(name, "_train.txt"), train);
    scratch.write(concat(name, "_test.txt"), "1 A.\n2 B?\tc\n");
  }
  StoryData data = read_stories(scratch.path("."));
  CHECK(data.tasks == std::vector<std::string>{"qa2_first", "qa2_second", "qa10_last"});
  CHECK(data.train.size() == 3 * 18);
  CHECK(data.val.size() == 3 * 2);
  CHECK(data.test.size() == 3);
  CHECK(data.val[0].lines[1].answer == "18");  // the last tenth
  CHECK(data.val[5].task == 2);
  CHECK(data.test[1].lines[0].text == "A.");

  scratch.write("qa2_first_valid.txt", "1 A.\n2 B?\td\n");
  data = read_stories(scratch.path("."));
  CHECK(data.train.size() == 20 + 2 * 18);
  CHECK(data.val[0].lines[1].answer == "d");

  // One file is split in three.
  const StoryData one = read_stories(scratch.path("qa2_second_train.txt"));
  CHECK(one.tasks == std::vector<std::string>{"qa2_second_train"});
  CHECK(one.train.size() == 16);
  CHECK(one.test.front().lines[1].answer == "16");
  CHECK(one.val.front().lines[1].answer == "18");
  CHECK(error_of([&] {
          read_stories(scratch.path("qa2_first_test.txt"));
        }).find("has 1 stories: too few to train, validate and test") != std::string::npos);

  const Scratch empty;
  empty.write("notes.md", "x");
  CHECK(error_of([&] {
          read_stories(empty.path("."));
        }).find("'notes.md': expected files NAME_train.txt and NAME_test.txt, or give one file") !=
        std::string::npos);
}

TEST_CASE("questions of users: numbered lines, or sentences; the last one asks") {
  const auto plain = parse_questions("Mary went home. It is 3.5 miles. Where is Mary?");
  REQUIRE(plain.size() == 1);
  REQUIRE(plain[0].lines.size() == 3);
  CHECK(plain[0].lines[1].text == "It is 3.5 miles.");
  CHECK_FALSE(plain[0].lines[1].asks());
  CHECK(plain[0].lines[2].asks());
  const auto numbered = parse_questions(kTwo);
  REQUIRE(numbered.size() == 2);
  CHECK(numbered[0].lines[2].text == "Where is Mary?");
  CHECK(numbered[0].lines[2].answer == "?");
  CHECK(questions_in(numbered) == 3);
  CHECK(parse_questions("1 Mary went home\n2 where is Mary")[0].lines[1].asks());
  CHECK(parse_questions("where is Mary")[0].lines.size() == 1);
  CHECK(parse_questions("1 \n2 a\n")[0].lines.size() == 1);
  check_error("no lines: expected a story, and a question at its end",
              [] { parse_questions("\n \n"); });
}

TEST_CASE("the mean error counts every kind the same; more than 5 % fail") {
  Score score({"a", "b", "c"});
  for (int i = 0; i < 20; ++i) score.add(0, i != 0);  // 5 %: not failed
  for (int i = 0; i < 2; ++i) score.add(1, i != 0);   // 50 %
  CHECK(score.mean_error() == doctest::Approx(0.275));
  CHECK(score.failed() == 1);
  CHECK(score.metric().line() == "error 27.5 %, 1 of 2 tasks failed");
  CHECK_FALSE(score.metric().higher_is_better);
  CHECK(score.by_task().size() == 2);
  CHECK(score.by_task()[1].line() == "b 50.0 %");
}

/// Where people and things are, found again from the text of a story.
struct Seen {
  std::map<std::string, std::string> place, holder;
  void read(const std::string& text) {
    std::vector<std::string> words;
    for (size_t at = 0; at < text.size(); at = text.find_first_not_of(" .?", at)) {
      const size_t end = std::min(text.find_first_of(" .?", at), text.size());
      words.push_back(text.substr(at, end - at));
      at = end;
    }
    static const std::set<std::string> walks = {"walked", "hurried", "cycled", "strolled"},
                                       puts = {"put", "set", "unpacked"},
                                       gives = {"handed", "passed", "lent"};
    const std::string &who = words[0], &last = words.back();
    const auto the = std::find(words.begin(), words.end(), "the");
    if (walks.contains(words[1])) {
      place[who] = last;
    } else if (gives.contains(words[1])) {
      holder[*(the + 1)] = last;
    } else if (puts.contains(words[1])) {
      holder[last] = "nobody";
      place[last] = place[who];
    } else {
      holder[last] = who;
    }
  }
};

TEST_CASE("the small world tells nothing wrong: every answer follows from the lines before it") {
  const StoryData data = made_up_stories(20, {5, 0});
  CHECK(data.tasks.size() == 6);
  std::set<std::string> kinds;
  for (const std::vector<Story>* part : {&data.train, &data.val, &data.test})
    for (const Story& story : *part) {
      Seen seen;
      for (const Line& line : story.lines) {
        CAPTURE(line.text);
        if (!line.asks()) {
          seen.read(line.text);
          continue;
        }
        const std::string last =
            line.text.substr(line.text.rfind(' ') + 1, line.text.size() - line.text.rfind(' ') - 2);
        const std::string& kind = data.tasks[static_cast<size_t>(story.task)];
        std::string expected = line.answer;
        if (kind == "where is a person") expected = seen.place[last];
        if (kind == "who has it") expected = seen.holder[last];
        if (kind == "where is a thing")
          expected = seen.place[seen.holder[last] == "nobody" ? last : seen.holder[last]];
        CHECK(line.answer == expected);
        CHECK_FALSE(line.supports.empty());
        for (const int64_t support : line.supports)
          CHECK_FALSE(story.lines[static_cast<size_t>(support)].asks());
        kinds.insert(kind);
      }
    }
  CHECK(kinds.size() == 6);
  // The same for the same key, and another for another.
  const StoryData again = made_up_stories(20, {5, 0}), other = made_up_stories(20, {6, 0});
  CHECK(again.train[7].lines[3].text == data.train[7].lines[3].text);
  size_t same = 0;
  for (size_t i = 0; i < 20; ++i)
    same += other.train[i].lines[0].text == data.train[i].lines[0].text;
  CHECK(same < 20);
}

TEST_CASE("the bAbI tasks: 20 kinds, 1,000 questions each") {
  if (!have_data("question-answering")) return;
  const StoryData data = read_stories(data_file("question-answering").string());
  REQUIRE(data.tasks.size() == 20);
  CHECK(data.tasks[1] == "qa2_two-supporting-facts");
  CHECK(questions_in(data.train) + questions_in(data.val) == 20'000);
  CHECK(questions_in(data.test) == 20'000);
}

}  // namespace
}  // namespace tarsier::zoo::question_answering
