#pragma once
// Stories with questions, in the format of the bAbI tasks.
//
//   1 Mary moved to the bathroom.
//   2 John went to the hallway.
//   3 Where is Mary? <TAB>bathroom<TAB>1
//   4 Daniel went back to the hallway.
//   5 Where is Daniel? <TAB>hallway<TAB>4
//   1 Sandra travelled to the kitchen.
//
// A line has a number and a text. The numbers count 1, 2, 3, …; with 1 a new story begins. A line
// with a tab is a question: its answer follows, and, where they are known, after another tab the
// numbers of the lines that the answer follows from. A question is about the lines before it.
//
// Source: Weston et al. 2015, "Towards AI-complete question answering: a set of prerequisite toy
// tasks".

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tarsier::zoo::question_answering {

/// A line of a story: a statement, or a question with its answer.
struct Line {
  std::string text;
  std::string answer = "";             ///< "" for a statement
  std::vector<int64_t> supports = {};  ///< of a question: the indices of lines before it
  bool asks() const { return !answer.empty(); }
};

struct Story {
  std::vector<Line> lines;  ///< at least one of them asks
  int64_t task = 0;         ///< the index of the kind of question
};

/// The number of questions in `stories`.
int64_t questions_in(const std::vector<Story>& stories);

/// The stories of a text. Throws Error("data") with `path` and the line for a line without a
/// number or a text, a number that neither follows the one before nor is 1, a question without an
/// answer or with a supporting line that is no statement before it, a story without a question,
/// and a text without lines.
std::vector<Story> parse_stories(std::string_view text, const std::string& path);

/// The stories of a text that asks: lines as above, where questions need no answer, or sentences
/// without numbers. The last line is a question; others are if they end in a question mark. The
/// answer of all is "?". Throws Error("predict") for a text without lines.
std::vector<Story> parse_questions(std::string_view text);

/// Stories to learn from, to choose by, and to be judged by.
struct StoryData {
  std::vector<std::string> tasks;  ///< the names of the kinds of questions
  std::vector<Story> train, val, test;
};

/// The kinds of questions in a folder, one file each: NAME_train.txt, where there is one
/// NAME_valid.txt, and NAME_test.txt. Or one file. The last tenth of the training stories of a file
/// without NAME_valid.txt validates; without NAME_test.txt the tenth before it tests.
/// qa2_name_train.txt comes before qa10_name_train.txt.
/// Throws Error("data") as parse_stories(), for a folder without such files, and for fewer than
/// three stories where a file is to be split.
StoryData read_stories(const std::string& path);

/// The splits of the stories of one kind that have none: nine tenths train and the last tenth
/// validates; if `tests`, eight tenths train and the tenth before the last one tests. `source` is
/// for messages.
void split_stories(std::vector<Story> stories, bool tests, const std::string& source,
                   StoryData& data);

}  // namespace tarsier::zoo::question_answering
