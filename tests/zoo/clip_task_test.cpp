// The clip task: classes by text, search, measures, the page.
#include "zoo/clip/task.h"

#include <doctest/doctest.h>

#include <sstream>

#include "tests/error_of.h"
#include "tests/zoo/captioned.h"
#include "zoo/clip/model.h"
#include "zoo/report/page.h"

namespace tarsier::zoo {
namespace {

/// What predict() gives with these options.
std::string answer(Task& task, const std::string& input, const Changes& options) {
  Settings settings = task.predict_options();
  for (const auto& [name, value] : options) settings.set(name, value);
  std::ostringstream out;
  task.predict({input}, out);
  return out.str();
}

TEST_CASE("clip: texts as classes, captions as classes, pictures for a text") {
  const Scratch scratch;
  write_scenes(scratch, "a", 12, {1, 0});
  write_scenes(scratch, "b", 3, {2, 0});
  const auto task = prepared_task("clip", scratch.path("a"), kTinySight);
  task->model().eval();
  const std::string picture = scratch.path("a/images/val0.png");
  const std::string chosen =
      answer(*task, picture, {{"texts", "a red circle; ;two stars ;a 7"}, {"top", "2"}});
  CHECK(chosen.starts_with(picture + "  "));
  CHECK(std::count(chosen.begin(), chosen.end(), '%') == 2);
  // All the probability.
  CHECK(answer(*task, picture, {{"texts", "a 7"}, {"top", "5"}}) == picture + "  a 7 (100.0 %)\n");
  // Without texts: three captions of training.
  const std::string known = answer(*task, picture, {{"texts", ""}, {"top", "3"}});
  CHECK(std::count(known.begin(), known.end(), '%') == 3);

  const Changes among = {{"among", scratch.path("b")}, {"top", "2"}};
  const std::string found = answer(*task, "a red circle", among);
  CHECK(found.starts_with("a red circle  " + scratch.path("b/images/train")));
  CHECK(std::count(found.begin(), found.end(), ';') == 1);
  CHECK(answer(*task, picture, among).find(" %)") != std::string::npos);
  CHECK(error_of([&] {
          answer(*task, "a red circle", {{"among", ""}});
        }).find("is no picture. To find pictures for a text") != std::string::npos);
  CHECK(error_of([&] {
          answer(*task, picture, {{"texts", " ; "}});
        }).find("has no text") != std::string::npos);
}

TEST_CASE("clip: both directions are measured, and the mean decides") {
  const Scratch scratch;
  write_scenes(scratch, "a", 30, {1, 0});
  const auto task = prepared_task("clip", scratch.path("a"), kTinySight);
  task->model().eval();
  const Metrics test = task->evaluate(), val = task->validate();
  for (const char* name : {"image-to-text R@1", "text-to-image R@1"}) {
    CHECK(value_of(test, name) >= 0);
    CHECK(value_of(test, name) <= 1);
  }
  CHECK(value_of(test, "image-to-text R@5") >= value_of(test, "image-to-text R@1"));
  CHECK(val.front().name == "R@1");
  CHECK(val.front().higher_is_better);
  CHECK(value_of(val, "val_loss") > 0);
}

TEST_CASE("clip: after a step the scale is back in its bounds") {
  const Scratch scratch;
  write_scenes(scratch, "a", 12, {1, 0});
  const auto task = prepared_task("clip", scratch.path("a"), kTinySight);
  for (auto& [name, parameter] : task->model().named_parameters())
    if (name == "logit_scale") nn::constant_(parameter, 5);
  train_task(*task, scratch.path("a"), scratch.path("run"));
  CHECK(task->model().state_dict()["logit_scale"].item() <= clip::kMostScale + 1e-6);
}

TEST_CASE("clip: the page shows what is found for pictures and texts, and the similarities") {
  const Scratch scratch;
  write_scenes(scratch, "a", 12, {1, 0});
  const auto task = prepared_task("clip", scratch.path("a"), kTinySight);
  task->model().eval();
  Page page("x");
  task->report(page);
  const std::string html = page.html();
  for (const char* part : {"Among all 4 captions of validation", "the nearest picture first",
                           "The learnt scale is 14"})
    CHECK_MESSAGE(html.find(part) != std::string::npos, part);
}

}  // namespace
}  // namespace tarsier::zoo
