// The task "recommend": data, catalogue, batches, metrics, answers, resuming.
#include "zoo/recommend/task.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <set>
#include <sstream>

#include "tests/error_of.h"
#include "tests/threads.h"
#include "tests/zoo/scratch.h"
#include "zoo/data/tastes.h"
#include "zoo/recommend/catalogue.h"
#include "zoo/report/page.h"

namespace tarsier::zoo {
namespace {

/// A model that trains in milliseconds, with dropout, to test its random numbers as well.
const Changes kTinyRecommend = {{"width", "8"},      {"mlp_width", "8"},  {"layers", "1"},
                                {"heads", "2"},      {"batch_size", "8"}, {"steps", "12"},
                                {"dropout", "0.2"},  {"pairs", "5"},      {"warmup_steps", "2"},
                                {"eval_every", "6"}, {"max_length", "6"}};

/// 40 viewers in the form `user item item …`.
std::string lines_of_films() {
  const Interactions films = watched_films(40, {3, 0});
  std::string text;
  for (size_t user = 0; user < films.histories.size(); ++user) {
    text += concat("user", user);
    for (const int32_t item : films.histories[user])
      text += ' ' + films.items[static_cast<size_t>(item)];
    text += '\n';
  }
  return text;
}

/// MovieLens' two files: 20 users, each with six of eight films in a row.
std::string movie_lens(const Scratch& scratch) {
  std::string data, titles;
  for (int user = 0; user < 20; ++user)
    for (int t = 0; t < 6; ++t)
      data += concat(user, "\t", 1 + (user + t) % 8, "\t3\t", 100 + t, "\n");
  for (int film = 1; film <= 8; ++film)
    titles +=
        concat(film, "|", film == 3 ? "Heat" : concat("Film ", film), " (19", 80 + film, ")|x\n");
  scratch.write("u.item", titles);
  return scratch.write("u.data", data);
}

TEST_CASE("recommend: made-up viewers train, and are compared with counting") {
  const std::unique_ptr<Task> task = prepared_task("recommend", "", kTinyRecommend);
  CHECK(task->describe_data()["items"].as_array().size() == 240);
  const Scratch scratch;
  const TrainOutcome outcome = train_task(*task, "", scratch.path("run"));
  CHECK(outcome.step == 12);
  CHECK(outcome.metrics[0].name == "HR@10");
  CHECK(outcome.metrics[1].name == "NDCG@10");
  const std::string text = lines_of(task->evaluate());
  CHECK(text.starts_with("HR@10 0."));
  const std::string first = text.substr(0, text.find('\n'));
  CHECK(first.find(" NDCG@10 0.") != first.npos);
  for (const char* counted :
       {"\npopularity HR@10 0.", "\nitem-kNN HR@10 0.", "\nMarkov chain HR@10 0."})
    CHECK(text.find(counted) != text.npos);
  std::ostringstream sample;
  task->show_sample(sample);
  for (const char* part :
       {"HR@10", "recommend  ", "popularity", "item-kNN", "Markov chain", "may want"})
    CHECK(sample.str().find(part) != std::string::npos);
}

TEST_CASE(
    "recommend: a batch depends only on seed and number, and an epoch has every target once") {
  const Scratch scratch;
  const std::string data = scratch.write("a.txt", lines_of_films());
  const std::unique_ptr<Task> a = prepared_task("recommend", data, kTinyRecommend),
                              b = prepared_task("recommend", data, kTinyRecommend);
  b->batch(3, 1);  // in another order
  int64_t targets = 0;
  for (int64_t number = 1; number <= a->batches_per_epoch(); ++number) {
    const Batch x = a->batch(number, 1);
    CHECK(same_bits(x.tensors, b->batch(number, 1).tensors));
    CHECK(x["places"].numel() == x.items);
    CHECK(x["evidence"].shape() == Shape{x["cells"].numel(), 4});
    targets += x.items;
  }
  const int64_t events = a->describe_data()["events"].as_int();
  CHECK(targets == events - 3 * 40);  // two are left out of every history, and the first is none
}

TEST_CASE("recommend: MovieLens' files, with titles; predict takes titles, items and beginnings") {
  const Scratch scratch;
  const std::string data = movie_lens(scratch);
  const std::unique_ptr<Task> task = prepared_task("recommend", data, kTinyRecommend);
  train_task(*task, data, scratch.path("run"));
  const std::unique_ptr<Task> loaded = loaded_task(scratch.path("run"));
  const std::vector<std::string> lines =
      predicted_lines(*loaded, {"Film 2 (1982); Heat (1983)", "2;3", " film 2 ; HEAT;", ""});
  REQUIRE(lines.size() == 4);
  CHECK(lines[0] == lines[1]);
  CHECK(lines[0] == lines[2]);
  CHECK(lines[3].empty());
  CHECK(std::count(lines[0].begin(), lines[0].end(), ';') == 5);  // six films are left
  CHECK(lines[0].find("Heat") == std::string::npos);
  CHECK(lines[0].find(" %)") != std::string::npos);
  CHECK(predicted_lines(*task, {"2;3"}).front() == lines[0]);
  loaded->predict_options().set("count", "2");
  const std::string two = predicted_lines(*loaded, {"2;3"}).front();
  CHECK(lines[0].starts_with(two + "; "));

  const std::string fix =
      ". Give items as in the data, or their titles, with semicolons between them";
  CHECK(error_of([&] { predicted_lines(*loaded, {"2; Hat (1983)"}); }) ==
        "[predict] no item is called 'Hat (1983)': did you mean 'Heat (1983)'?" + fix);
  CHECK(error_of([&] { predicted_lines(*loaded, {"Hat"}); }) ==
        "[predict] no item is called 'Hat': did you mean 'Heat'?" + fix);
  CHECK(error_of([&] { predicted_lines(*loaded, {"film"}); }) ==
        "[predict] no item is called 'film': several begin so, such as 'Film 1 (1981)', "
        "'Film 2 (1982)', 'Film 4 (1984)', 'Film 5 (1985)' and 'Film 6 (1986)'" +
            fix);
  check_error("[predict] no items", [&] { predicted_lines(*loaded, {" ; ;"}); });
  // More items than the model looks back: it is said.
  std::ostringstream out, notes;
  loaded->predict({"1;2;3;4;5;6;7"}, out, &notes);
  CHECK(notes.str().find("7 items are more than max_length 6") != std::string::npos);
}

TEST_CASE("recommend: a title may contain semicolons; the longest name counts") {
  const Scratch scratch;
  const std::string data = movie_lens(scratch);
  std::string titles = scratch.read("u.item");
  titles.replace(titles.find("Film 5"), 6, "Heat (1983); again; Film");
  scratch.write("u.item", titles);
  const std::unique_ptr<Task> task = prepared_task("recommend", data, kTinyRecommend);
  task->model().eval();
  const auto answer = [&](const std::string& text) { return predicted_lines(*task, {text})[0]; };
  CHECK(answer("Heat (1983); again; film (1985)") == answer("5"));
  CHECK(answer(";2; heat (1983); Again; Film (1985) ;3;;") == answer("2;5;3"));
  CHECK(answer("Heat (1983); 2; Film 4") == answer("3;2;4"));
  check_error("no item is called 'again'", [&] { answer("Heat (1983); again"); });
}

TEST_CASE("recommend: items that are taken again are no hits, and eval says so") {
  const Scratch scratch;
  // All take one of eight items five times, but three users end with another one.
  std::string text;
  for (int user = 0; user < 20; ++user) {
    text += concat("u", user);
    for (int t = 0; t < 5; ++t) text += concat(' ', 1 + (user + (t == 4 && user < 3)) % 8);
    text += '\n';
  }
  const std::unique_ptr<Task> task =
      prepared_task("recommend", scratch.write("a.txt", text), kTinyRecommend);
  const std::string again = " wanted items were in the history, and cannot be hit)\n";
  CHECK(lines_of(task->validate()).starts_with("HR@10 0.0000 NDCG@10 0.0000  (20 of 20" + again));
  CHECK(value_of(task->evaluate(), "HR@10") == doctest::Approx(3.0 / 20));
  CHECK(lines_of(task->evaluate()).find("  (17 of 20" + again) != std::string::npos);
  Page page("run");
  task->report(page);
  CHECK(page.html().find("again, which is not recommended") != std::string::npos);
}

TEST_CASE("recommend: a sample shows the end of a long history") {
  const Scratch scratch;
  std::string text;
  for (int user = 0; user < 3; ++user) {
    text += concat("u", user);
    for (int t = 0; t < 40; ++t) text += concat(' ', t);
    text += '\n';
  }
  const std::unique_ptr<Task> task =
      prepared_task("recommend", scratch.write("a.txt", text), kTinyRecommend);
  task->model().eval();
  std::ostringstream out;
  task->show_sample(out);
  CHECK(out.str().find("  who took\n    … (28 earlier items)\n    28\n") != std::string::npos);
}

TEST_CASE(
    "recommend: other data have the numbers that the model knows; unknown items are refused") {
  const Scratch scratch;
  const std::unique_ptr<Task> task = prepared_task(
      "recommend", scratch.write("a.txt", "u 5 7 9 5 7\nv 9 7 5 9 5\n"), kTinyRecommend);
  task->load_data(scratch.write("b.txt", "x 9 7 9 7 9\n"));
  std::set<double> targets;
  for (const double target : task->batch(1, 1)["targets"].to_vector()) targets.insert(target);
  CHECK(targets == std::set<double>{1, 2});
  const std::string other = scratch.write("c.txt", "x 9 7 9 7\ny 5 8 7 9\n");
  CHECK(error_of([&] { task->load_data(other); }) ==
        "[data] '" + other + "', line 2: training has never seen the item '8'. Leave it out, or " +
            "train with it");
}

TEST_CASE("recommend: data that nobody can learn from are refused") {
  const Scratch scratch;
  const auto refused = [&](const std::string& text, const std::string& error) {
    check_error(error,
                [&] { prepared_task("recommend", scratch.write("a.txt", text), kTinyRecommend); });
  };
  refused("u 1 2\nv 2\n", "has no user with three items");
  refused("u 1 2 3\nv 2 1 4\n", "has no user with four items");
  check_error("heads=3 does not divide width=8", [&] {
    Changes changes = kTinyRecommend;
    changes.emplace_back("heads", "3");
    prepared_task("recommend", "", changes);
  });
}

TEST_CASE("recommend: a run stopped in the middle of an epoch resumes to the same bits") {
  const Scratch scratch;
  const std::string data = scratch.write("a.txt", lines_of_films());
  CHECK(resumes_exactly(scratch, "recommend", data, kTinyRecommend, 8));
}

TEST_CASE("recommend: the same bits with one thread and with four") {
  const Scratch scratch;
  const std::string data = scratch.write("a.txt", lines_of_films());
  const auto weights = [&](int threads) {
    const Threads guard(threads);
    const std::unique_ptr<Task> task = prepared_task("recommend", data, kTinyRecommend);
    train_task(*task, data, scratch.path(concat("run", threads)));
    return task->model().state_dict();
  };
  CHECK(same_bits(weights(1), weights(4)));
}

TEST_CASE("recommend: the page shows the comparison, histories, and what was recommended") {
  const std::unique_ptr<Task> task = prepared_task("recommend", "", kTinyRecommend);
  task->model().eval();
  Page page("run");
  task->report(page);
  const std::string html = page.html();
  for (const char* part :
       {"Against counting", "Markov chain", "What is recommended", "then came", "probability"})
    CHECK(html.find(part) != std::string::npos);
}

TEST_CASE("recommend: the step to study names the items") {
  const std::unique_ptr<Task> task = prepared_task("recommend", "", kTinyRecommend);
  const StudyInput input = task->study_input(4, 1);
  CHECK(input.batch["index"].shape() == Shape{1, 4});
  CHECK(input.description == "4 items");
  REQUIRE(input.labels.size() == 2);
  CHECK(input.labels[0].second.size() == 4);
  // What is next at a place is the item at the place after it.
  for (size_t t = 1; t < 4; ++t) CHECK(input.labels[1].second[t - 1] == input.labels[0].second[t]);
}

}  // namespace
}  // namespace tarsier::zoo
