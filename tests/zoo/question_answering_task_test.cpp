// The task "question-answering": data, metrics, answers, resuming, threads, the page.
#include "zoo/question_answering/task.h"

#include <doctest/doctest.h>

#include <sstream>

#include "tests/error_of.h"
#include "tests/threads.h"
#include "tests/zoo/scratch.h"
#include "zoo/question_answering/world.h"
#include "zoo/report/page.h"

namespace tarsier::zoo {
namespace {

/// A model that trains in milliseconds, with everything that is drawn at random.
const Changes kTinyReader = {{"width", "8"},      {"mlp_width", "8"},   {"depth", "2"},
                             {"heads", "2"},      {"batch_size", "4"},  {"epochs", "0"},
                             {"steps", "8"},      {"dropout", "0.2"},   {"gaps", "0.3"},
                             {"eval_every", "4"}, {"warmup_steps", "2"}};

/// Two kinds of questions about the small world, as a folder.
std::string small_folder(const Scratch& scratch) {
  using namespace question_answering;
  const StoryData data = made_up_stories(12, {3, 0});
  for (const int64_t task : {0, 3}) {
    std::string text;
    for (const Story& story : data.train) {
      if (story.task != task) continue;
      for (size_t l = 0; l < story.lines.size(); ++l) {
        const Line& line = story.lines[l];
        text += concat(l + 1, " ", line.text, line.asks() ? "\t" + line.answer + "\t1" : "", "\n");
      }
    }
    scratch.write(concat("kind", task, "_train.txt"), text);
    scratch.write(concat("kind", task, "_test.txt"), text);
  }
  return scratch.path(".");
}

TEST_CASE("question-answering: the small world trains; eval prints its mark in one line") {
  const std::unique_ptr<Task> task = prepared_task("question-answering", "", kTinyReader);
  const Scratch scratch;
  const TrainOutcome outcome = train_task(*task, "", scratch.path("run"));
  CHECK(outcome.step == 8);
  CHECK(outcome.metrics[0].name == "error");
  const std::string text = lines_of(task->evaluate());
  const std::string first = text.substr(0, text.find('\n'));
  CHECK(first.starts_with("error "));
  CHECK(first.ends_with(" of 6 tasks failed"));
  CHECK(first.find(" %, ") != first.npos);
  CHECK(text.find("\nwhere is a person ") != text.npos);
  CHECK(text.find("\nerror ") == text.npos);
  std::ostringstream sample;
  task->show_sample(sample);
  CHECK(sample.str().find("?  ") != std::string::npos);
}

TEST_CASE("question-answering: a batch depends only on seed and number; an epoch asks everything") {
  const Scratch scratch;
  const std::string data = small_folder(scratch);
  const std::unique_ptr<Task> a = prepared_task("question-answering", data, kTinyReader),
                              b = prepared_task("question-answering", data, kTinyReader);
  b->batch(3, 1);  // in another order
  double questions = 0;
  for (int64_t number = 1; number <= a->batches_per_epoch(); ++number) {
    const Batch x = a->batch(number, 1);
    CHECK(same_bits(x.tensors, b->batch(number, 1).tensors));
    questions += x.weight;
  }
  CHECK(questions == 4 * a->training_examples());
  // Names are swapped in another way each time, and not at all without `rename`.
  CHECK_FALSE(same_bits(a->batch(1, 1).tensors, a->batch(1 + a->batches_per_epoch(), 1).tensors));
}

TEST_CASE("question-answering: predict takes sentences, numbered lines and files") {
  const Scratch scratch;
  const std::string data = small_folder(scratch);
  const std::unique_ptr<Task> task = prepared_task("question-answering", data, kTinyReader);
  train_task(*task, data, scratch.path("run"));
  const std::unique_ptr<Task> loaded = loaded_task(scratch.path("run"));
  const std::string file =
      scratch.write("story.txt",
                    "1 Ada walked to the attic.\n2 Where is Ada?\n3 Bruno hurried to the bakery.\n"
                    "4 Is Bruno in the attic?\tno\t3\n");
  const std::vector<std::string> lines =
      predicted_lines(*loaded, {"Ada walked to the attic. Where is Ada?",
                                "1 Ada walked to the attic.\n2 Where is Ada?", file, ""});
  REQUIRE(lines.size() == 5);
  CHECK(lines[0] == lines[1]);
  CHECK(lines[2] == "Where is Ada? " + lines[0]);
  CHECK(lines[3].starts_with("Is Bruno in the attic? "));
  CHECK(lines[4].empty());
  CHECK(predicted_lines(*task, {"Ada walked to the attic. Where is Ada?"}).front() == lines[0]);

  // What is not read, or not known, is said.
  std::ostringstream out, notes;
  loaded->predict({"Zoe went to the attic. Where is Zoe?"}, out, &notes);
  CHECK(notes.str().find("words that training has never seen: zoe, went\n") != std::string::npos);
  check_error("[predict] there is no file 'story.txt': give the name of a file",
              [&] { loaded->predict({"story.txt"}, out, &notes); });
  check_error("is not UTF-8 text",
              [&] { loaded->predict({scratch.write("a.bin", "1 Ada \xC6\x01?")}, out, &notes); });
  Changes changes = kTinyReader;
  changes.insert(changes.end(), {{"max_lines", "4"}, {"max_words", "3"}});
  const std::unique_ptr<Task> shorter = prepared_task("question-answering", data, changes);
  CHECK(lines_of(shorter->evaluate()).find("cut to max_lines 4: ") != std::string::npos);
  std::string story;
  for (int i = 0; i < 6; ++i) story += "Ada walked to the attic. ";
  std::ostringstream cut;
  shorter->predict({story + "Where is Ada?"}, out, &cut);
  CHECK(cut.str().substr(0, cut.str().find('\n')) ==
        "tarsier: note: 1 of 1 questions, which lose 3 of 6 lines: only the last ones are read "
        "(max_lines=4)");
  CHECK(cut.str().find("max_words=3") != std::string::npos);
}

TEST_CASE("question-answering: a run stopped in the middle resumes to the same bits") {
  const Scratch scratch;
  for (const char* halting : {"false", "true"}) {
    CAPTURE(halting);
    const Scratch runs;
    Changes changes = kTinyReader;
    changes.emplace_back("halting", halting);
    CHECK(resumes_exactly(runs, "question-answering", small_folder(scratch), changes, 5));
  }
}

TEST_CASE("question-answering: the same bits with one thread and with four") {
  const Scratch scratch;
  const std::string data = small_folder(scratch);
  const auto weights = [&](int threads) {
    const Threads guard(threads);
    const std::unique_ptr<Task> task = prepared_task("question-answering", data, kTinyReader);
    train_task(*task, data, scratch.path(concat("run", threads)));
    return task->model().state_dict();
  };
  CHECK(same_bits(weights(1), weights(4)));
}

TEST_CASE("question-answering: the page shows kinds, and looks next to supporting facts") {
  const std::unique_ptr<Task> task = prepared_task("question-answering", "", kTinyReader);
  task->model().eval();
  Page page("run");
  task->report(page);
  const std::string html = page.html();
  for (const char* part : {"Kinds of questions", "where is a thing", "Where it looks", "step 2",
                           "●", "the right answer is"})
    CHECK_MESSAGE(html.find(part) != std::string::npos, part);
}

TEST_CASE("question-answering: the step to study names lines and answers") {
  const std::unique_ptr<Task> task = prepared_task("question-answering", "", kTinyReader);
  const StudyInput input = task->study_input(16, 1);
  REQUIRE(input.labels.size() == 2);
  const std::vector<std::string>& lines = input.labels[0].second;
  CHECK(std::ssize(lines) == input.batch["lines"].size(1));
  CHECK(lines[0] == "—");
  CHECK(input.description == concat(lines.size() - 1, " lines"));
  CHECK(input.batch["targets"].numel() >= 1);
}

TEST_CASE("question-answering: sizes that do not fit are named") {
  Changes changes = kTinyReader;
  changes.emplace_back("heads", "3");
  check_error("heads=3 does not divide width=8",
              [&] { prepared_task("question-answering", "", changes); });
}

}  // namespace
}  // namespace tarsier::zoo
