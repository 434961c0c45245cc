// The task "summarize": documents and their own words, data files, metrics, answers, resuming.
#include "zoo/summarize/task.h"

#include <doctest/doctest.h>

#include <sstream>

#include "tests/error_of.h"
#include "tests/threads.h"
#include "tests/zoo/scratch.h"
#include "zoo/report/page.h"
#include "zoo/summarize/beginnings.h"
#include "zoo/summarize/documents.h"

namespace tarsier::zoo {
namespace {

using summarize::Document;
using summarize::read_document;
using Strings = std::vector<std::string>;
using Ids = std::vector<int32_t>;

/// A model that trains in milliseconds, with dropout, to test its random numbers as well.
const Changes kTinySummarize = {{"width", "8"},     {"mlp_width", "8"},    {"layers", "1"},
                                {"heads", "2"},     {"batch_size", "8"},   {"steps", "12"},
                                {"dropout", "0.2"}, {"warmup_steps", "2"}, {"eval_every", "6"},
                                {"min_count", "2"}, {"max_length", "20"},  {"epochs", "0"},
                                {"coverage", "0.1"}};

/// Documents about programs, one of whose words only occurs once.
std::string table_of_programs(int count) {
  std::string text;
  for (int i = 0; i < count; ++i)
    text += concat("Prog", i, " is a program that reads ", i % 3 == 0 ? "mail" : "news",
                   ". It is fast.\tprogram to read ", i % 3 == 0 ? "mail" : "news", "\n");
  return text;
}

std::unique_ptr<Tokenizer> words_of_programs() {
  return Tokenizer::train({"a program that reads mail. a program that reads mail."}, {});
}

// ---- documents ----

TEST_CASE("a document's own words have numbers beyond the vocabulary, the same at each place") {
  const auto tokenizer = words_of_programs();
  const auto V = static_cast<int32_t>(tokenizer->size());
  const Document document =
      read_document("Mutt, a program, is not pine. MUTT reads mail", *tokenizer, 30);
  CHECK(document.own == Strings{"mutt", "￭,", "is", "not", "pine"});
  CHECK(document.ids[0] == V);
  CHECK(document.ids[1] == V + 1);
  CHECK(document.ids[2] == tokenizer->encode("a")[0]);
  CHECK(document.ids[4] == V + 1);
  CHECK(document.ids[9] == V);  // MUTT
  CHECK(document.ids.back() == kEnd);
  CHECK(document.cut == 0);
  int64_t cut = 0;
  const Ids summary =
      summarize::read_summary("Pine program, by elm", document, *tokenizer, 30, cut);
  CHECK(summary ==
        Ids{kBegin, V + 4, tokenizer->encode("program")[0], V + 1, kUnknown, kUnknown, kEnd});
  CHECK(cut == 0);
}

TEST_CASE("a summary has the document's capitals, except of words that begin sentences") {
  const auto tokenizer = words_of_programs();
  const auto written = [&](const std::string& document, const std::string& summary) {
    const Document read = read_document(document, *tokenizer, 50);
    int64_t cut = 0;
    Ids ids = summarize::read_summary(summary, read, *tokenizer, 50, cut);
    return tokenizer->join(
        summarize::words_of(Ids(ids.begin() + 1, ids.end() - 1), read, *tokenizer));
  };
  CHECK(written("Programs like GNU Emacs. Reads gRPC mail", "gnu emacs reads grpc mail") ==
        "GNU Emacs reads gRPC mail");
  CHECK(written("OpenGL. Kites fly", "opengl kites") == "OpenGL kites");
  CHECK(written("x", "a program that reads mail.") == "a program that reads mail.");
}

TEST_CASE("long documents and summaries are cut, and it is counted") {
  const auto tokenizer = words_of_programs();
  const Document document = read_document("one two three four mail", *tokenizer, 4);
  CHECK(document.ids.size() == 4);
  CHECK(document.own == Strings{"one", "two", "three"});
  CHECK(document.cut == 2);
  int64_t cut = 0;
  const Ids summary =
      summarize::read_summary("four one mail mail mail", document, *tokenizer, 4, cut);
  // "four" is beyond the cut, so it is unknown; a summary that is cut does not end.
  CHECK(summary == Ids{kBegin, kUnknown, static_cast<int32_t>(tokenizer->size()),
                       tokenizer->encode("mail")[0], tokenizer->encode("mail")[0]});
  CHECK(cut == 2);
  const summarize::SummaryPairs pairs({.name = "",
                                       .source = {"one two three four mail", "a"},
                                       .target = {"mail", "a"},
                                       .left_out = 0},
                                      *tokenizer, 4);
  CHECK(pairs.cut.text("pairs") == "1 of 2 pairs, which lose 2 of 12 tokens");
}

TEST_CASE("a batch of pairs cut for study knows no words beyond the cut") {
  const auto tokenizer = words_of_programs();
  const auto V = static_cast<double>(tokenizer->size());
  const summarize::SummaryPairs pairs(
      {.name = "", .source = {"one two mail three"}, .target = {"three one"}, .left_out = 0},
      *tokenizer, 30);
  const Batch whole = pairs.batch({0}), cut = pairs.batch({0}, 2);
  CHECK(whole["next"].to_vector() == std::vector<double>{V + 2, V, kEnd});
  CHECK(whole["places"].to_vector() == std::vector<double>{0, 1, 2});
  CHECK(cut["source"].to_vector() == std::vector<double>{V, V + 1});
  CHECK(cut["target"].to_vector() == std::vector<double>{kBegin, kUnknown});
  CHECK(cut["next"].to_vector() == std::vector<double>{kUnknown, V});
  CHECK(cut["places"].to_vector() == std::vector<double>{0, 1});
}

TEST_CASE("beginnings of documents as summaries") {
  CHECK(summarize::first_sentence("One e.g.x 2.5 here. Two.") == "One e.g.x 2.5 here.");
  CHECK(summarize::first_sentence("Really? Yes") == "Really?");
  CHECK(summarize::first_sentence("line.\nnext") == "line.");
  CHECK(summarize::first_sentence("no end.") == "no end.");
  CHECK(summarize::first_sentence("").empty());
  CHECK(summarize::first_words("a  b c d", 3) == "a  b c");
  CHECK(summarize::first_words("a b", 8) == "a b");
  CHECK(summarize::first_words("", 8).empty());
  const auto all =
      summarize::baselines({.name = "", .source = {"A b. C"}, .target = {"a b c"}, .left_out = 0});
  REQUIRE(all.size() == 2);
  CHECK(all[0].name == "first sentence");
  CHECK(all[0].rouge.rouge_1 == doctest::Approx(80));
  CHECK(all[1].rouge.rouge_1 == doctest::Approx(100));
}

// ---- the task ----

TEST_CASE("summarize: the project's own comments train, and are compared with beginnings") {
  const std::unique_ptr<Task> task = prepared_task("summarize", "", kTinySummarize);
  CHECK(task->training_examples() > 500);
  CHECK_NOTHROW(task->loss(task->batch(1, 1)).backward());
  CHECK(task->facts()[1].second.find("comments of tarsier's declarations") != std::string::npos);
}

TEST_CASE("summarize: a table trains, whichever column has the summaries; eval has one line") {
  const Scratch scratch;
  const std::string data = scratch.write("a.tsv", table_of_programs(60));
  const std::unique_ptr<Task> task = prepared_task("summarize", data, kTinySummarize);
  const TrainOutcome outcome = train_task(*task, data, scratch.path("run"));
  CHECK(outcome.step == 12);
  CHECK(outcome.metrics[0].name == "ROUGE");
  CHECK(loss_of(outcome.metrics) > 0);
  const std::string text = lines_of(task->evaluate());
  CHECK(text.starts_with("ROUGE "));
  std::istringstream line(text.substr(0, text.find('\n')));
  std::string name;
  double one = -1, two = -1, l = -1;
  line >> name >> one >> two >> l;
  CHECK(one >= l);
  CHECK(l >= two);
  CHECK(two >= 0);
  CHECK(line.rdbuf()->in_avail() == 0);
  for (const char* other : {"\nfirst sentence ROUGE ", "\nfirst 8 words ROUGE ", "\nperplexity "})
    CHECK(text.find(other) != text.npos);
  std::ostringstream sample;
  task->show_sample(sample);
  for (const char* part : {"document  ", "reference  ", "model  ", "ROUGE-2", "first sentence"})
    CHECK(sample.str().find(part) != std::string::npos);

  // The same pairs in the other order, and in CSV with a header and a further column.
  std::istringstream lines(table_of_programs(60));
  std::string swapped, csv = "id,Summary,Document\n";
  for (std::string row; std::getline(lines, row);) {
    const size_t tab = row.find('\t');
    swapped += row.substr(tab + 1) + "\t" + row.substr(0, tab) + "\n";
    csv += concat("1,\"", row.substr(tab + 1), "\",\"", row.substr(0, tab), "\"\n");
  }
  for (const std::string& path : {scratch.write("b.tsv", swapped), scratch.write("c.csv", csv)}) {
    const auto other = prepared_task("summarize", path, kTinySummarize);
    CHECK(other->describe_data()["fingerprint"] == task->describe_data()["fingerprint"]);
    CHECK(same_bits(other->batch(2, 5).tensors, task->batch(2, 5).tensors));
  }
  Changes named = kTinySummarize;
  named.insert(named.end(), {{"document", "summary"}, {"summary", "document"}});
  CHECK(prepared_task("summarize", scratch.path("c.csv"), named)->describe_data() !=
        task->describe_data());
}

TEST_CASE("summarize: resuming gives the bits of a run that was not interrupted, on any threads") {
  const Scratch scratch;
  const std::string data = scratch.write("a.tsv", table_of_programs(40));
  TensorDict weights[3];
  for (const int64_t threads : {1, 2}) {
    const Threads guard(static_cast<int>(threads));
    const auto task = prepared_task("summarize", data, kTinySummarize);
    train_task(*task, data, scratch.path(concat("run", threads)));
    weights[threads] = task->model().state_dict();
  }
  const std::string half = scratch.path("half");
  train_task(*prepared_task("summarize", data, kTinySummarize), data, half, 7);
  const auto resumed = prepared_task("summarize", data, kTinySummarize);
  train_task(*resumed, data, half, 0, /*resume=*/true);
  weights[0] = resumed->model().state_dict();
  CHECK(same_bits(weights[1], weights[2]));
  CHECK(same_bits(weights[0], weights[1]));
}

TEST_CASE("summarize: a text or a file is summed up; long ones are cut with a note") {
  const Scratch scratch;
  const std::string data = scratch.write("a.tsv", table_of_programs(40));
  const auto task = prepared_task("summarize", data, kTinySummarize);
  task->model().eval();
  std::string text = "Prog7 is a program that\nreads mail.";
  const std::string file = scratch.write("document.txt", text);
  text[text.find('\n')] = ' ';
  std::ostringstream by_text, by_file, notes;
  task->predict({text, "  "}, by_text, &notes);
  task->predict({file, ""}, by_file, &notes);
  CHECK(by_text.str() == by_file.str());
  CHECK(by_text.str().ends_with("\n\n"));
  CHECK(notes.str().empty());
  check_error("[predict] there is no file 'documents.txt': give the name of a file",
              [&] { task->predict({"documents.txt"}, by_text); });
  check_error("is empty", [&] { task->predict({scratch.write("empty.txt", "")}, by_text); });
  check_error("is not UTF-8 text",
              [&] { task->predict({scratch.write("a.bin", "reads \xC6\x01")}, by_text); });
  CHECK_NOTHROW(task->predict({"word"}, by_text));
  std::string twice = text + " " + text + " " + text;
  task->predict({twice}, by_text, &notes);
  CHECK(notes.str().starts_with("tarsier: note: only the first 20 of 25 tokens of 'Prog7 is"));

  const auto answer = [&](const Changes& changes) {
    Settings options = task->predict_options();
    for (const auto& [name, value] : changes) options.set(name, value);
    std::ostringstream out;
    task->predict({text}, out);
    return out.str();
  };
  const auto words = [](const std::string& line) {
    std::istringstream in(line);
    return std::distance(std::istream_iterator<std::string>(in), {});
  };
  const Changes short_one = {{"beams", "1"}, {"max-length", "1"}};
  CHECK(words(answer(short_one)) <= 1);
  const std::string long_one =
      answer({{"beams", "2"}, {"max-length", "12"}, {"min-length", "12"}, {"no-repeat", "1"}});
  CHECK(words(long_one) >= 6);  // 12 different tokens, of which some are punctuation
}

TEST_CASE("summarize: empty documents and broken lines") {
  const Scratch scratch;
  std::string table = table_of_programs(30) + "\tsummary of nothing\nno summary\t \n";
  const auto task = prepared_task("summarize", scratch.write("a.tsv", table), kTinySummarize);
  CHECK(task->facts()[1].second.ends_with("2 left out, of which a side is blank"));
  // A score is over all documents of a test set.
  scratch.write("train.tsv", table_of_programs(30));
  scratch.write("val.tsv", table_of_programs(12));
  scratch.write("test.tsv", table_of_programs(4) + "\tsummary of nothing\n");
  const auto folder = prepared_task("summarize", scratch.path(""), kTinySummarize);
  folder->model().eval();
  const std::string text = lines_of(folder->evaluate());
  CHECK(text.substr(0, text.find('\n')).ends_with("(1 empty document with an empty summary)"));

  const auto error_with = [&](const std::string& content, const Changes& more = {}) {
    Changes changes = kTinySummarize;
    changes.insert(changes.end(), more.begin(), more.end());
    const std::string path = scratch.write("bad.tsv", content);
    return error_of([&] { prepared_task("summarize", path, changes); });
  };
  CHECK(error_with("").find("is empty") != std::string::npos);
  CHECK(error_with("\t\n \t \n").find("has no pairs") != std::string::npos);
  CHECK(error_with(table_of_programs(3)).find("too few to split") != std::string::npos);
  CHECK(error_with(table_of_programs(12) + "only a document\n").find("line 13 has 1 field") !=
        std::string::npos);
  CHECK(error_with("\tsummary\n\tanother\n").find("in all 2 pairs") != std::string::npos);
  CHECK(
      error_with(table_of_programs(12), {{"summary", "gist"}}).find("there is no column 'gist'") !=
      std::string::npos);
  CHECK(error_with("a\xFF\tb\n").find("UTF-8") != std::string::npos);
}

TEST_CASE("summarize: the page shows what was copied; study names the words of the document") {
  const Scratch scratch;
  const std::string data = scratch.write("a.tsv", table_of_programs(40));
  Changes changes = kTinySummarize;
  changes.emplace_back("min_length", "3");
  const auto task = prepared_task("summarize", data, changes);
  task->model().eval();
  Page page("x");
  task->report(page);
  for (const char* part : {"Against beginnings", "first sentence", "Validation documents",
                           "What is copied", "coloured: what was copied", "The pointer"})
    CHECK(page.html().find(part) != std::string::npos);
  const StudyInput input = task->study_input(4, 1);
  CHECK(input.batch["source"].size(1) == 4);
  REQUIRE(input.labels.size() == 3);
  CHECK(input.labels[0].first == "source");
  CHECK(input.labels[0].second[0].starts_with("prog"));
  CHECK(task->loss(input.batch).item() < 100);  // no word that nothing can give
}

}  // namespace
}  // namespace tarsier::zoo
