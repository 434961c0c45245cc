// `tarsier reproduce` with rows of this test, of a model that trains in milliseconds.
#include "zoo/task/reproduce.h"

#include <doctest/doctest.h>

#include <cmath>
#include <filesystem>
#include <iostream>
#include <sstream>

#include "tests/error_of.h"
#include "tests/zoo/scratch.h"
#include "zoo/base/usage_error.h"
#include "zoo/cli/commands.h"
#include "zoo/data/digits.h"

namespace tarsier::zoo {
namespace {

ReproduceRow tiny_row(const std::string& name, double mark) {
  ReproduceRow row{name,
                   "gpt",
                   "texts/data.txt",
                   {},
                   {{{.name = "val_loss", .value = mark, .digits = 3}, "none (this test)"}}};
  for (const auto& [key, value] : kTinySettings) row.settings.emplace_back(key, value);
  row.settings.emplace_back("steps", "8");
  return row;
}

/// The folder "texts" with data, and a Reproduction into "out".
struct Place : Scratch {
  Reproduction reproduction{path(""), path("out")};
  Place() {
    std::filesystem::create_directories(path("texts"));
    write("texts/data.txt", small_text());
  }
  std::optional<SeedResult> run(const ReproduceRow& row, uint64_t seed, int64_t stop_after = 0) {
    struct Counter : TrainObserver {
      int64_t step = 0;
      void on_step(const StepReport& report) override { step = report.step; }
    } counter;
    const std::unique_ptr<Task> task = reproduction.prepare(row, seed);
    return reproduction.run(
        row, *task, seed, [&] { return counter.step == stop_after; }, counter);
  }
};

/// The standard output of `f`.
std::string printed(const std::function<void()>& f) {
  std::ostringstream text;
  std::streambuf* const before = std::cout.rdbuf(text.rdbuf());
  try {
    f();
  } catch (...) {
    std::cout.rdbuf(before);
    throw;
  }
  std::cout.rdbuf(before);
  return text.str();
}

TEST_CASE("reproduce: mean, deviation, and when a mark is reached") {
  const RowResult one{{{1, {2.5}, 90}}};
  CHECK(one.of(0).mean() == 2.5);
  CHECK(one.of(0).deviation() == 0);
  CHECK(one.minutes() == 1.5);
  const RowResult three{{{1, {1, 10}, 60}, {2, {2, 20}, 120}, {3, {6, 30}, 180}}};
  CHECK(three.of(0).mean() == doctest::Approx(3));
  CHECK(three.of(0).deviation() == doctest::Approx(std::sqrt(7)));  // (4 + 1 + 9) / 2
  CHECK(three.of(1).mean() == doctest::Approx(20));
  CHECK(three.of(1).deviation() == doctest::Approx(10));
  CHECK(three.minutes() == doctest::Approx(2));
  const Metric most{
      .name = "accuracy", .value = 3, .digits = 1, .unit = "%", .higher_is_better = true},
      least{.name = "val_loss", .value = 3, .digits = 2};
  CHECK(three.of(0).text(most) == "3.0 ± 2.6 %");
  CHECK(one.of(0).text(least) == "2.50");
  CHECK(three.of(0).passes(most));
  CHECK(three.of(0).passes(least));
  CHECK_FALSE(one.of(0).passes(most));
  CHECK(one.of(0).passes(least));
  CHECK_FALSE(three.of(1).passes(least));
}

TEST_CASE("reproduce: a seed is trained, evaluated and kept; it is not trained again") {
  Place place;
  const ReproduceRow row = tiny_row("tiny", 100);
  CHECK_FALSE(place.reproduction.finished(row, 1));
  CHECK_FALSE(place.reproduction.result(row));
  const auto first = place.run(row, 1);
  REQUIRE(first);
  // The value is that of the saved model.
  const std::unique_ptr<Task> loaded = loaded_task(place.path("out/tiny/seed-1"));
  loaded->load_data(place.path("texts/data.txt"));
  CHECK(first->values.at(0) == value_of(loaded->evaluate(), "val_loss"));
  CHECK(first->seconds > 0);
  const auto read = place.reproduction.finished(row, 1);
  REQUIRE(read);
  CHECK(read->values == first->values);
  CHECK(read->seconds == first->seconds);
  // Another seed is another run; other settings are another result.
  CHECK_FALSE(place.reproduction.finished(row, 2));
  CHECK(place.run(row, 2)->values != first->values);
  CHECK(place.reproduction.result(row)->seeds.size() == 2);
  ReproduceRow longer = row;
  longer.settings.back().second = "9";
  CHECK_FALSE(place.reproduction.finished(longer, 1));
  check_error("holds a run with other settings or data", [&] { place.run(longer, 1); });
  place.write("texts/data.txt", small_text() + "more");
  std::filesystem::remove(place.path("out/tiny/seed-2/result.json"));
  check_error("holds a run with other settings or data", [&] { place.run(row, 2); });
  place.write("out/tiny/seed-1/result.json", "{\"metric\": \"val");
  check_error("result.json is damaged", [&] { place.reproduction.finished(row, 1); });
}

TEST_CASE("reproduce: an interrupted run continues to the same result") {
  Place place;
  const ReproduceRow whole = tiny_row("whole", 100), parts = tiny_row("parts", 100);
  const std::vector<double> values = place.run(whole, 1)->values;
  CHECK_FALSE(place.run(parts, 1, 5));
  CHECK_FALSE(place.reproduction.finished(parts, 1));
  CHECK(place.run(parts, 1)->values == values);
}

TEST_CASE("reproduce: the command prints each row with pass or fail, and writes the table") {
  Place place;
  const std::vector<ReproduceRow> rows = {tiny_row("easy", 100), tiny_row("hard", 0.001)};
  int code = -1;
  const std::string out =
      printed([&] { code = reproduce(place.reproduction, rows, rows, 2, /*quiet=*/true); });
  CHECK(code == 1);  // one mark is missed
  const RowResult easy = *place.reproduction.result(rows[0]);
  CHECK(easy.seeds.size() == 2);
  CHECK(out.find("easy: val_loss " + easy.of(0).text(rows[0].marks[0].bound) + ", 2 seeds") == 0);
  CHECK(out.find("mark val_loss ≤ 100.000: pass; published: none (this test)") != out.npos);
  CHECK(out.find("hard: ") != out.npos);
  CHECK(out.find("mark val_loss ≤ 0.001: FAIL") != out.npos);
  const std::string table = place.read("out/table.md");
  CHECK(table == place.reproduction.table(rows));
  CHECK(table.find("| easy | val_loss | " + easy.of(0).text(rows[0].marks[0].bound) + " | 2 | ") !=
        table.npos);
  CHECK(table.find("| ≤ 100.000 | yes | none (this test) |\n") != table.npos);
  CHECK(table.find("| ≤ 0.001 | no |") != table.npos);

  // Again: nothing is trained, the output is the same. A single row keeps the others in the table.
  std::filesystem::last_write_time(place.path("out/easy/seed-1/model.safetensors"), {});
  CHECK(printed([&] { reproduce(place.reproduction, rows, rows, 2, true); }) == out);
  printed([&] { code = reproduce(place.reproduction, {rows[0]}, rows, 2, true); });
  CHECK(code == 0);
  CHECK(place.read("out/table.md") == table);
  CHECK(std::filesystem::last_write_time(place.path("out/easy/seed-1/model.safetensors")) ==
        std::filesystem::file_time_type{});
}

TEST_CASE("reproduce: a row with two marks is trained once, and has a line for each") {
  Place place;
  ReproduceRow row = tiny_row("tiny", 100);
  row.settings.emplace_back("tokens", "bpe");  // so that `eval` has a second metric
  row.settings.emplace_back("vocab_size", "260");
  const auto first = place.run(row, 1);
  // A mark that was not measured is measured, with the weights that are there.
  const auto written =
      std::filesystem::last_write_time(place.path("out/tiny/seed-1/model.safetensors"));
  row.marks.push_back(
      {{.name = "val_loss_per_character", .value = 0.001, .digits = 3}, "none (this test)"});
  CHECK_FALSE(place.reproduction.finished(row, 1));
  const auto both = place.run(row, 1);
  REQUIRE(both->values.size() == 2);
  CHECK(both->values[0] == first->values[0]);
  CHECK(both->values[1] != both->values[0]);
  CHECK(both->seconds == first->seconds);
  CHECK(std::filesystem::last_write_time(place.path("out/tiny/seed-1/model.safetensors")) ==
        written);
  int code = -1;
  const std::string out =
      printed([&] { code = reproduce(place.reproduction, {row}, {row}, 1, true); });
  CHECK(code == 1);  // the second is missed
  CHECK(out.find("mark val_loss ≤ 100.000: pass") != out.npos);
  CHECK(out.find("mark val_loss_per_character ≤ 0.001: FAIL") != out.npos);
  const std::string table = place.read("out/table.md");
  CHECK(table.find("| tiny | val_loss | ") != table.npos);
  CHECK(table.find("| tiny | val_loss_per_character | ") != table.npos);
  // What `eval` does not say cannot be a mark.
  row.marks.back().bound.name = "BLEU";
  check_error("the evaluation says nothing of 'BLEU'", [&] { place.run(row, 1); });
}

TEST_CASE("reproduce: a row whose evaluation needs another row's run has it made first") {
  const Place place;
  write_idx(place, "idx", "train", draw_digits(40, {1, 0}, 8));
  write_idx(place, "idx", "t10k", draw_digits(10, {2, 0}, 8));
  const Changes tiny = {{"layers", "1"}, {"heads", "2"}, {"width", "8"}, {"mlp_width", "8"}};
  const std::vector<ReproduceRow> rows = {
      {"draws",
       "diffusion",
       "idx",
       with(tiny, {{"patch", "8"}, {"steps", "2"}}),
       {{{"recognised", 0, 2, "%", true}, "none (this test)"}},
       {{"reader", "reads"}}},
      {"reads",
       "vit",
       "idx",
       with(tiny, {{"patch_size", "8"}, {"stem", "patches"}, {"epochs", "1"}}),
       {{{"accuracy", 0, 2, "%", true}, "none (this test)"}}}};
  int code = -1;
  const std::string out =
      printed([&] { code = reproduce(place.reproduction, {rows[0]}, rows, 2, true); });
  CHECK(code == 0);
  CHECK(out.find("draws: recognised ") == 0);
  CHECK(out.find("reads: ") == out.npos);  // it was not asked for
  CHECK(place.reproduction.result(rows[0])->seeds.size() == 2);
  CHECK(place.reproduction.result(rows[1])->seeds.size() == 1);
  CHECK(place.read("out/table.md").find("| reads | accuracy | ") != std::string::npos);
  // Without it there is nothing to evaluate with.
  std::filesystem::remove_all(place.path("out/reads"));
  std::filesystem::remove(place.path("out/draws/seed-1/result.json"));
  const std::unique_ptr<Task> task = place.reproduction.prepare(rows[0], 1);
  TrainObserver silence;
  check_error("reads/seed-1", [&] {
    place.reproduction.run(
        rows[0], *task, 1, [] { return false; }, silence);
  });
}

TEST_CASE("reproduce: missing data are named before anything is trained") {
  const Place place;
  ReproduceRow row = tiny_row("tiny", 1);
  CHECK_NOTHROW(place.reproduction.check_data({row}));
  row.data = "elsewhere";
  check_error("does not hold elsewhere (tiny)", [&] { place.reproduction.check_data({row}); });
  const Reproduction nowhere("", place.path("out"));
  check_error("give the folder with --data DIR that holds elsewhere (tiny)",
              [&] { nowhere.check_data({row}); });
  CHECK_THROWS_AS(nowhere.check_data({row}), UsageError);
  row.data = "";
  CHECK_NOTHROW(nowhere.check_data({row}));
}

TEST_CASE("reproduce: every row of the zoo has a model, valid settings, and a bound") {
  CHECK(reproduce_rows().size() >= 5);
  for (const ReproduceRow& row : reproduce_rows()) {
    CAPTURE(row.name);
    const std::unique_ptr<Task> task = find_model(row.model).make();
    Settings settings = task->settings();
    for (const auto& [key, value] : row.settings) CHECK_NOTHROW(settings.set(key, value));
    CHECK_FALSE(row.marks.empty());
    for (const auto& [bound, published] : row.marks) {
      CHECK(bound.value > 0);
      CHECK_FALSE(published.empty());
      CHECK(bound.higher_is_better == (bound.name != "val_loss" && bound.name != "WER" &&
                                       bound.name != "nats" && bound.name != "error"));
    }
  }
}

}  // namespace
}  // namespace tarsier::zoo
