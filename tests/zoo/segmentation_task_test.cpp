// Segmentation as a task: batches, augmentation, metrics, predict, resuming.
#include <doctest/doctest.h>

#include <sstream>

#include "tests/error_of.h"
#include "tests/threads.h"
#include "tests/zoo/masked.h"
#include "zoo/base/usage_error.h"
#include "zoo/picture/read.h"
#include "zoo/report/page.h"
#include "zoo/segmentation/examples.h"
#include "zoo/segmentation/showing.h"

namespace tarsier::zoo::segmentation {
namespace {

std::string squares(const Scratch& scratch) {
  write_masked(scratch, "data", "train", 10, 1);
  write_masked(scratch, "data", "val", 5, 2);
  write_masked(scratch, "data", "test", 4, 3);
  return scratch.path("data");
}

TEST_CASE("segmentation: augmentation moves the mask along with the pixels") {
  Dice dice({5, 0});
  const PictureChanges strong{
      .flip = true, .flip_vertical = true, .zoom = 0.5, .stretch = 0.2, .color = 0};
  int64_t compared = 0, outside = 0;
  for (int trial = 0; trial < 20; ++trial) {
    // The picture shows its mask: the class is how bright it is.
    Picture picture{1, 24, 36, {}}, mask{1, 24, 36, {}};
    const int64_t x0 = 5 + dice.below(20), y0 = 3 + dice.below(12);
    for (int64_t i = 0; i < 24 * 36; ++i) {
      const bool inside = i % 36 >= x0 && i / 36 >= y0;
      picture.pixels.push_back(inside ? 200 : 100);
      mask.pixels.push_back(inside ? 2 : 1);
    }
    const Sample sample = augmented(picture, mask, strong, dice);
    REQUIRE(sample.mask.size() == mask.pixels.size());
    for (size_t i = 0; i < sample.mask.size(); ++i) {
      const float bright = sample.pixels[i];
      outside += sample.mask[i] == kVoid;
      if (sample.mask[i] == kVoid || (bright > 101 && bright < 199)) continue;
      ++compared;
      CHECK((bright > 150 ? 2 : 1) == sample.mask[i]);
    }
  }
  CHECK(compared > 10000);
  CHECK(outside > 100);
  // Without any change both stay as they are.
  const PictureChanges none{.flip = false, .zoom = 0, .stretch = 0, .color = 0};
  const Picture picture{1, 2, 3, {1, 2, 3, 4, 5, 250}}, mask{1, 2, 3, {0, 1, 255, 3, 4, 5}};
  const Sample same = augmented(picture, mask, none, dice);
  for (size_t i = 0; i < 6; ++i) CHECK(same.pixels[i] == doctest::Approx(picture.pixels[i]));
  CHECK(same.mask == mask.pixels);
}

TEST_CASE("segmentation: pictures of other proportions are fitted, what is around them is void") {
  const std::vector<Example> examples{
      {"tall", {3, 8, 4, std::vector<uint8_t>(96, 7)}, {1, 16, 8, std::vector<uint8_t>(128, 1)}}};
  const FittedExamples fitted = fitted_examples(examples, {8, 8});
  CHECK(fitted.masks[0].at(0, 4, 1) == kVoid);
  CHECK(fitted.masks[0].at(0, 4, 2) == 1);
  CHECK(fitted.masks[0].at(0, 4, 5) == 1);
  CHECK(fitted.masks[0].at(0, 4, 6) == kVoid);
  const Batch batch = example_batch(fitted, {0}, {PixelScale::of(fitted.images)}, {0, 0.5});
  CHECK(batch.weight == 16);  // 32 pixels
  // To be looked at, they are as large as fits, in whole patches.
  const auto same = [](Pair a, Pair b) { return a.h == b.h && a.w == b.w; };
  CHECK(same(seen_size(480, 640, {48, 64}, 4), {48, 64}));
  CHECK(same(seen_size(640, 480, {48, 64}, 4), {48, 36}));
  CHECK(same(seen_size(10, 1000, {48, 64}, 4), {4, 64}));
  CHECK(same(seen_size(3, 4, {48, 64}, 4), {48, 64}));
}

TEST_CASE("segmentation: colours scaled by the picture's own do not depend on its light") {
  Colors colors{{{0.5, 0.5}, {0.25, 0.5}}, false};
  std::vector<float> plain{0, 255, 51, 102}, dark, red;
  colors.apply(plain, 2);
  CHECK(plain[0] == doctest::Approx(-2));
  CHECK(plain[3] == doctest::Approx(-0.2));
  colors.own = true;
  std::vector<float> bright{10, 30, 200, 100};
  for (const float p : bright) dark.push_back(p / 2);
  colors.apply(bright, 2);
  colors.apply(dark, 2);
  CHECK(bright == std::vector<float>{-1, 1, 1, -1});
  for (size_t i = 0; i < 4; ++i) CHECK(dark[i] == doctest::Approx(bright[i]));
  std::vector<float> even{7, 7};
  colors.apply(even, 2);
  CHECK(even == std::vector<float>{0, 0});
}

TEST_CASE("segmentation: the colour of the light makes each colour so many times as bright") {
  Dice dice({3, 0});
  const PictureChanges light{.color = 0, .cast = 0.5};
  double least = 10, most = 0;
  for (int trial = 0; trial < 200; ++trial) {
    std::vector<float> pixels{20, 40, 100, 60};
    recolor(pixels, 2, light, dice);
    CHECK(pixels[1] == doctest::Approx(2 * pixels[0]));
    CHECK(pixels[2] / pixels[3] == doctest::Approx(100.0 / 60));
    const double one = pixels[0] / 20, other = pixels[3] / 60;
    least = std::min({least, one, other}), most = std::max({most, one, other});
  }
  CHECK(least >= 1 / 1.5001);
  CHECK(least < 0.7);
  CHECK(most <= 1.5001);
  CHECK(most > 1.45);
}

TEST_CASE("segmentation: a batch depends only on seed and number") {
  const Scratch scratch;
  const std::string data = squares(scratch);
  const auto a = prepared_task("segmentation", data, kTinySegmenter),
             b = prepared_task("segmentation", data, kTinySegmenter);
  b->batch(3, 1);  // in another order
  for (const int64_t number : {1, 2, 9}) {
    const Batch x = a->batch(number, 1);
    CHECK(same_bits(x.tensors, b->batch(number, 1).tensors));
    CHECK(a->batch(number, 2)["images"].to_vector() != x["images"].to_vector());
  }
  CHECK(a->describe_data()["width"].as_int() == 16);
  CHECK(a->describe_data()["names"].dump() == R"(["0", "1", "2"])");
}

TEST_CASE("segmentation: trains, measures, shows, and predicts pictures of any size") {
  const Scratch scratch;
  const std::string data = squares(scratch);
  scratch.write("data/classes.txt", "ground\nred\ngreen\n");
  const auto task = prepared_task("segmentation", data, with(kTinySegmenter, {{"epochs", "2"}}));
  CHECK(task->facts()[1].second == "'" + data +
                                       "' (folders of pictures and masks): 10 images of 12 × 16 "
                                       "to train on, 5 to validate, 3 classes");
  const double before = value_of(task->validate(), "val_loss");
  const TrainOutcome outcome = train_task(*task, data, scratch.path("run"));
  CHECK(outcome.step == 6);
  CHECK(outcome.metrics[0].name == "mIoU");
  CHECK(value_of(outcome.metrics, "val_loss") < before);
  const Metrics test = task->evaluate();
  CHECK(value_of(test, "loss") != value_of(task->validate(), "val_loss"));
  const double mean =
      (value_of(test, "IoU ground") + value_of(test, "IoU red") + value_of(test, "IoU green")) / 3;
  CHECK(value_of(test, "mIoU") == doctest::Approx(mean));
  CHECK(value_of(test, "pixel accuracy") <= 1);
  CHECK(value_of(test, "class accuracy") >= value_of(test, "mIoU"));
  Page page("run");
  task->report(page);
  for (const char* part :
       {"Classes", "Confusion matrix", "Validation pictures", "Attention of the classes"})
    CHECK(page.html().find(part) != std::string::npos);

  // A tall picture: the answer has its size.
  const std::string file = scratch.path("large.png"), drawn = scratch.path("drawn.png");
  write_picture(file, {3, 120, 60, std::vector<uint8_t>(3 * 120 * 60, 90)});
  Settings options = task->predict_options();
  options.set("out", drawn);
  std::ostringstream out, notes;
  task->predict({file}, out, &notes);
  CHECK(out.str().starts_with(file + "  "));
  CHECK(out.str().find(" %") != std::string::npos);
  CHECK(notes.str() == "'" + file + "' has 60 × 120 pixels: it is read as 8 × 12\n");
  CHECK(read_picture(drawn).width == 240);
  CHECK(read_picture(drawn).height > 480);  // with the legend
  CHECK(error_of([&] {
          task->predict({file, file}, out);
        }) == "[predict] --out is one file, but there are 2 pictures");
  options.set("out", "drawn.jpg");
  check_error(".png", [&] { task->predict({file}, out); });
  options.set("out", "");
  check_error("no.png", [&] { task->predict({"no.png"}, out); });
}

TEST_CASE("segmentation: answers do not depend on which way round the picture is, if mirrored") {
  const Scratch scratch;
  const std::string data = squares(scratch);
  Dice dice({9, 0});
  Picture picture = draw_masked(dice, 3).picture, other = picture;
  for (int64_t c = 0; c < 3; ++c)
    for (int64_t y = 0; y < 12; ++y)
      for (int64_t x = 0; x < 16; ++x) other.at(c, y, x) = picture.at(c, y, 15 - x);
  write_picture(scratch.path("a.png"), picture);
  write_picture(scratch.path("b.png"), other);
  for (const bool mirrored : {true, false}) {
    const auto task = prepared_task(
        "segmentation", data, with(kTinySegmenter, {{"mirrored", mirrored ? "true" : "false"}}));
    task->model().eval();
    const std::string a = predicted_lines(*task, {scratch.path("a.png")})[0],
                      b = predicted_lines(*task, {scratch.path("b.png")})[0];
    const bool same = a.substr(a.find("  ")) == b.substr(b.find("  "));
    CHECK(same == mirrored);
  }
}

TEST_CASE("segmentation: a resumed run ends with the same bits as one that was never stopped") {
  const Scratch scratch;
  const std::string data = squares(scratch);
  CHECK(resumes_exactly(scratch, "segmentation", data, with(kTinySegmenter, {{"epochs", "2"}}), 4));
}

TEST_CASE("segmentation: the same bits with one, two and three threads") {
  const Scratch scratch;
  const std::string data = squares(scratch);
  std::vector<std::vector<double>> weights;
  for (const int threads : {1, 2, 3}) {
    const Threads guard(threads);
    const auto task = prepared_task("segmentation", data, with(kTinySegmenter, {{"epochs", "1"}}));
    train_task(*task, data, scratch.path(concat("run", threads)));
    weights.emplace_back();
    for (const auto& [name, tensor] : task->model().state_dict())
      for (const double x : tensor.to_vector()) weights.back().push_back(x);
  }
  CHECK(weights[0] == weights[1]);
  CHECK(weights[0] == weights[2]);
}

TEST_CASE("segmentation: the same pictures as Pascal VOC with palettes give the same batches") {
  const Scratch scratch;
  const std::string data = squares(scratch), voc = scratch.path("voc");
  for (const char* folder : {"JPEGImages", "SegmentationClass", "ImageSets/Segmentation"})
    std::filesystem::create_directories(voc + "/" + folder);
  for (const auto& [part, count] : {std::pair{"train", 10}, {"val", 5}, {"test", 4}}) {
    std::string list;
    for (int i = 0; i < count; ++i) {
      const std::string name = concat(part, i), from = concat("data/", part, "/", name);
      scratch.write("voc/JPEGImages/" + name + ".png", scratch.read(from + ".png"));
      scratch.write("voc/SegmentationClass/" + name + ".png",
                    palette_png(read_numbers(scratch.path(from + "-label.png"))));
      list += name + "\n";
    }
    scratch.write(concat("voc/ImageSets/Segmentation/", part, ".txt"), list);
  }
  const auto a = prepared_task("segmentation", data, kTinySegmenter),
             b = prepared_task("segmentation", voc, kTinySegmenter);
  CHECK(same_bits(a->batch(2, 1).tensors, b->batch(2, 1).tensors));
  a->model().eval();
  b->model().eval();
  CHECK(value_of(a->evaluate(), "mIoU") == value_of(b->evaluate(), "mIoU"));
  CHECK(a->describe_data()["fingerprint"].dump() == b->describe_data()["fingerprint"].dump());
}

TEST_CASE("segmentation: other data may lack classes, but have none that training has not seen") {
  const Scratch scratch;
  const auto task = prepared_task("segmentation", squares(scratch), kTinySegmenter);
  write_masked(scratch, "some", "train", 4, 5, 2);
  write_masked(scratch, "some", "val", 4, 6, 2);
  scratch.write("some/classes.txt", "0\n2\n");  // what is 1 here was 2
  task->load_data(scratch.path("some"));
  const Tensor masks = task->batch(1, 1)["masks"];
  CHECK(sum(masks == 2).item() > 0);
  CHECK(sum(masks == 1).item() == 0);
  scratch.write("some/classes.txt", "0\nblue\n");
  CHECK(error_of([&] { task->load_data(scratch.path("some")); }) ==
        "[data] '" + scratch.path("some") +
            "': training has never seen the class 'blue'; it knows '0', '1' and '2'");
}

TEST_CASE("segmentation: what is drawn and said of a picture's classes") {
  const std::vector<std::string> names{"a", "b", "c"};
  const Picture classes{1, 2, 4, {0, 0, 0, 2, 0, 2, 0, 0}};
  CHECK(shares(classes, names) == "a 75.0 %, c 25.0 %");
  const Picture picture{3, 2, 4, std::vector<uint8_t>(24, 100)};
  const Picture drawn = with_colors(picture, {1, 2, 4, {0, 0, 0, 2, 0, 2, 0, 255}});
  CHECK(drawn.at(0, 0, 0) == drawn.at(0, 0, 1));
  CHECK(drawn.at(0, 0, 0) != drawn.at(0, 0, 3));
  CHECK(drawn.at(1, 1, 3) == 40);
}

}  // namespace
}  // namespace tarsier::zoo::segmentation
