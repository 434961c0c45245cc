// The captioning task: answers for pictures, measures, the page, resuming.
#include "zoo/captioning/task.h"

#include <doctest/doctest.h>

#include <sstream>

#include "tests/error_of.h"
#include "tests/threads.h"
#include "tests/zoo/captioned.h"
#include "zoo/captioning/captioned.h"
#include "zoo/captioning/picture_texts.h"
#include "zoo/picture/read.h"
#include "zoo/report/page.h"

namespace tarsier::zoo {
namespace {

TEST_CASE("captioning: a picture gets a caption, one of another size with a remark") {
  const Scratch scratch;
  write_scenes(scratch, "a", 12, {1, 0});
  const auto task = prepared_task("captioning", scratch.path("a"), kTinySight);
  task->model().eval();
  const std::string same = scratch.path("a/images/train0.png");
  write_picture(scratch.path("wide.png"),
                draw_scene({1, 0}, 1, {.height = 32, .width = 60}).picture);
  std::ostringstream out, notes;
  task->predict({same, scratch.path("wide.png")}, out, &notes);
  CHECK(out.str().starts_with(same + "  "));
  CHECK(notes.str() ==
        "'" + scratch.path("wide.png") + "' has 60 × 32 pixels: it is read as 32 × 17\n");
  CHECK(error_of([&] { task->predict({"nothing.png"}, out); }).find("nothing.png") !=
        std::string::npos);
}

TEST_CASE("captioning: --out writes the pictures with their captions as one sheet") {
  const Scratch scratch;
  write_scenes(scratch, "a", 12, {1, 0});
  const auto task = prepared_task("captioning", scratch.path("a"), kTinySight);
  task->model().eval();
  const std::string one = scratch.path("a/images/train0.png"), sheet = scratch.path("sheet.png");
  const std::vector<std::string> plain = predicted_lines(*task, {one});
  Settings options = task->predict_options();
  options.set("out", sheet);
  CHECK(predicted_lines(*task, {one, one, one, one, one}).front() == plain.front());
  CHECK(read_picture(sheet).width == 4 * (32 * 7 + 4) + 5 * 2);  // pictures of 32 pixels, 7 times
  options.set("out", "sheet.jpg");
  CHECK(error_of([&] { predicted_lines(*task, {one}); }) ==
        "[predict] --out is 'sheet.jpg': expected a name that ends in .png");
}

TEST_CASE("a picture with its caption: the picture in a frame, the words below in lines") {
  const Picture dark{1, 10, 30, std::vector<uint8_t>(300, 9)};
  const Picture one = captioning::captioned(dark, "a cat");
  CHECK(one.width == 30 * 8 + 4);
  CHECK(one.height == 10 * 8 + 4 + 14);
  CHECK(one.at(0, 0, 0) == 128);
  CHECK(one.at(2, 2, 2) == 9);
  CHECK(one.at(1, 84, 0) == 255);
  const auto ink = [](const Picture& picture, int64_t top, int64_t bottom) {
    int64_t count = 0;
    for (int64_t y = top; y < bottom; ++y)
      for (int64_t x = 0; x < picture.width; ++x) count += picture.at(0, y, x) == 0;
    return count;
  };
  CHECK(ink(one, 84, 98) > 50);
  const Picture two = captioning::captioned(dark, "a cat and another cat and a third cat");
  CHECK(two.height == one.height + 14);
  CHECK(ink(two, 98, 112) > 50);
  CHECK(captioning::captioned(dark, "").height == 84);
  const Picture photo{3, 300, 960, std::vector<uint8_t>(960 * 900, 50)};
  CHECK(captioning::captioned(photo, "").width == 484);
  CHECK(captioning::captioned(photo, "").height == 154);
}

TEST_CASE("captioning: a picture counts if any of its captions is written exactly") {
  const Scratch scratch;
  write_scenes(scratch, "a", 12, {1, 0});
  // A model that has seen one caption only says nothing else.
  std::string rows;
  for (int i = 0; i < 12; ++i) rows += concat("train", i, ".png\tone big Red star\n");
  scratch.write("a/train.tsv", rows);
  scratch.write("a/val.tsv", "val0.png\tone big Red star\nval1.png\tone big red star\n");
  scratch.write("a/test.tsv",
                "test0.png\tno star\ntest0.png\tone big Red star\ntest1.png\tno star\n"
                "test2.png\tone big Red\ntest3.png\tone big Red star\n");
  Changes changes = kTinySight;
  changes.insert(changes.end(), {{"learning_rate", "0.03"}, {"ema_decay", "0"}});
  changes[6].second = "40";
  const auto task = prepared_task("captioning", scratch.path("a"), changes);
  train_task(*task, scratch.path("a"), scratch.path("run"));
  task->model().eval();
  CHECK(value_of(task->validate(), "exact") == 50);  // capitals count
  const Metrics metrics = task->evaluate();
  CHECK(value_of(metrics, "exact") == 50);
  CHECK(value_of(metrics, "perplexity") > 1);
  CHECK(value_of(metrics, "BLEU") > 10);
  CHECK(value_of(metrics, "BLEU") < 99);
}

TEST_CASE("captioning: long captions are cut, and that is said") {
  const Scratch scratch;
  write_scenes(scratch, "a", 12, {1, 0});
  Changes changes = kTinySight;
  changes.emplace_back("max_length", "5");
  const auto task = prepared_task("captioning", scratch.path("a"), changes);
  bool said = false;
  for (const auto& [name, text] : task->facts())
    said = said || text.find("to max_length 5: ") != std::string::npos;
  CHECK(said);
  CHECK(task->batch(1, 1)["next"].size(1) == 5);
}

TEST_CASE("captioning: the page shows mistakes with the truth, and where each word looks") {
  const Scratch scratch;
  write_scenes(scratch, "a", 12, {1, 0});
  const auto task = prepared_task("captioning", scratch.path("a"), kTinySight);
  task->model().eval();
  Page page("x");
  task->report(page);
  const std::string html = page.html();
  CHECK(html.find("Of 4 pictures 0 have exactly one of their captions") != std::string::npos);
  CHECK(html.find("described as") != std::string::npos);
  CHECK(html.find("Where the decoder looks") != std::string::npos);
}

TEST_CASE("captioning and clip: a stopped run continues to the same bits, on any threads") {
  for (const char* model : {"captioning", "clip"}) {
    CAPTURE(model);
    const Scratch scratch;
    write_scenes(scratch, "a", 12, {1, 0});
    CHECK(resumes_exactly(scratch, model, scratch.path("a"), kTinySight, 5));
    std::vector<TensorDict> weights;
    for (const int threads : {1, 2}) {
      const Threads guard(threads);
      const auto task = prepared_task(model, scratch.path("a"), kTinySight);
      train_task(*task, scratch.path("a"), scratch.path(concat("threads", threads)));
      weights.push_back(task->model().state_dict());
    }
    CHECK(same_bits(weights[0], weights[1]));
  }
}

}  // namespace
}  // namespace tarsier::zoo
