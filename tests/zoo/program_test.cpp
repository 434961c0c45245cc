// The program as a user sees it: output and exit codes.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <map>
#include <sstream>
#include <string>

#include "autograd/io/json.h"
#include "nn/nn.h"
#include "tests/zoo/boxes.h"
#include "tests/zoo/captioned.h"
#include "tests/zoo/masked.h"
#include "tests/zoo/program.h"
#include "zoo/audio/spoken_digits.h"
#include "zoo/data/digits.h"
#include "zoo/data/text.h"

namespace tarsier::zoo {
namespace {

TEST_CASE("help and list show the commands and models") {
  const Scratch scratch;
  for (const char* ask : {"--help", "-h", "help"}) {
    const Result help = tarsier(scratch, ask);
    CHECK(help.code == 0);
    for (const char* part :
         {"list", "train MODEL", "eval DIR", "predict DIR", "export DIR", "reproduce [ROW]"})
      CHECK(has(help.out, part));
    CHECK(help.err.empty());
  }
  CHECK(has(tarsier(scratch, "--version").out, "tarsier 0."));
  CHECK(tarsier(scratch, "").code == 2);
  const Result train = tarsier(scratch, "train --help");
  for (const char* part : {"--data PATH", "--resume DIR", "--set KEY=VALUE", "--quiet"})
    CHECK(has(train.out, part));
  CHECK(tarsier(scratch, "help train").out == train.out);
  CHECK(has(tarsier(scratch, "train gpt-baby --help").out, "n_layer=6 "));
  CHECK(has(tarsier(scratch, "predict --help").out, "--temperature X"));
  CHECK(has(tarsier(scratch, "predict --help").out, "--beams N"));
  CHECK(has(tarsier(scratch, "list").out, "gpt-baby\n"));
  // No line is longer than 80 columns.
  for (const char* ask :
       {"--help", "list", "list --help", "train gpt --help", "train translation --help",
        "train vit --help", "train sentiment --help", "eval --help", "predict --help",
        "export --help", "reproduce --help", "reproduce --list"}) {
    std::istringstream lines(tarsier(scratch, ask).out);
    for (std::string text; std::getline(lines, text);)
      CHECK_MESSAGE(decode_utf8(text, "help").size() <= 80, text);
  }
}

TEST_CASE("train, eval and predict work together") {
  const Place place;
  const Result train =
      tarsier(place, concat("train gpt --data data.txt --steps 20 --seed 7", kTiny));
  REQUIRE_MESSAGE(train.code == 0, train.err);
  for (const char* part : {"1 layer, 2 heads", "parameters", "step 20/20", "runs/gpt",
                           "time     about 0:0", "\nval_loss ", "A sample", "predict runs/gpt",
                           "threads  1, with the instruction set ", "memory   about "})
    CHECK_MESSAGE(has(train.out, part), part);
  CHECK_FALSE(has(train.out, "\r"));  // no terminal, no live line

  const Result eval = tarsier(place, "eval runs/gpt");
  CHECK(eval.code == 0);
  CHECK(eval.err.empty());
  const size_t at = train.out.find("\nval_loss ") + 10;
  CHECK(eval.out == "val_loss " + train.out.substr(at, 6) + "\n");

  const Result predict = tarsier(place, "predict runs/gpt 'the cat' sat --tokens 10 --seed 3");
  CHECK(predict.code == 0);
  CHECK(predict.out.starts_with("the cat sat"));
  CHECK(predict.out.size() == std::string("the cat sat").size() + 10 + 1);
  place.write("stdin", "the cat sat\n");
  CHECK(tarsier(place, "predict runs/gpt --tokens 10 --seed 3 < stdin").out == predict.out);
  CHECK(tarsier(place, "predict runs/gpt --tokens 5 </dev/null").out.size() == 6);
  const Result greedy = tarsier(place, "predict runs/gpt the --temperature 0 --seed 1");
  CHECK(greedy.out == tarsier(place, "predict runs/gpt the --top-k 1 --seed 2").out);
  CHECK(greedy.out == tarsier(place, "predict runs/gpt the --top-p 0 --seed 3").out);

  // A second run gets a new folder.
  const Result second =
      tarsier(place, concat("train gpt --data data.txt --steps 2 --quiet", kTiny));
  CHECK(second.code == 0);
  CHECK(second.out.starts_with("val_loss "));
  CHECK(second.out.ends_with("  runs/gpt-2\n"));
}

/// The value that a line of `eval` begins with: "accuracy 77.86 %" for "accuracy".
double printed_value(const std::string& out, const std::string& metric) {
  std::istringstream lines(out);
  for (std::string name, rest; lines >> name && std::getline(lines, rest);)
    if (name == metric) return std::stod(rest);
  return std::nan("");
}

TEST_CASE(
    "a run that goes on beyond its end says that the learning rate jumps, and what else to do") {
  const Place place(true);  // 4 steps, all done
  const Result copied = tarsier(place, "list > /dev/null && cp -r run copy");
  REQUIRE(copied.code == 0);
  const Result longer = tarsier(place, "train --resume run --steps 8");
  CHECK_MESSAGE(longer.code == 0, longer.err);
  CHECK(has(longer.out, "The learning rate jumps, from "));
  CHECK(has(longer.out, "the cosine schedule now ends after 8 steps instead of 4"));
  CHECK(has(longer.out, "train --resume run --steps 8 --set decay_steps=4"));
  CHECK(has(longer.out, "train again from the start with --steps 8"));
  // The suggested option keeps the rate where the curve ended, and is stored.
  const Result kept = tarsier(place, "train --resume copy --steps 8 --set decay_steps=4");
  CHECK_MESSAGE(kept.code == 0, kept.err);
  CHECK_FALSE(has(kept.out, "jumps"));
  CHECK(has(place.read("copy/metrics.jsonl"), "\"step\": 8, "));
  CHECK(has(place.read("copy/metrics.jsonl"), "\"lr\": 1e-04, "));
  CHECK_FALSE(has(tarsier(place, "train --resume copy --steps 9").out, "jumps"));
  // Nothing else can be set, and continuing as planned prints no warning.
  const Result other = tarsier(place, "train --resume run --set n_layer=2");
  CHECK(other.code == 2);
  CHECK(has(other.err, "--set n_layer=2 does not go with --resume"));
  CHECK(has(other.err, "except decay_steps"));
  CHECK_FALSE(has(tarsier(place, "train --resume run").out, "jumps"));
}

const std::string kSizes = " --set width=8 --set heads=2 --set layers=1 --set mlp_width=8";
const std::string kPatches = " --set stem=patches --set patch_size=16";

TEST_CASE("every model trains, resumes, evaluates and predicts" * doctest::test_suite("long")) {
  // On built-in data, or on a few pictures: sanitizers take minutes to draw thousands of scenes.
  struct Case {
    std::string model, settings, input, metric;
  };
  for (const Case& c : {
           Case{"transformer", kSizes, "'Friday, Nov 20th 2026'", "exact"},
           Case{"text-classifier", kSizes, "'Tensor x = randn({2, 3});'", "accuracy"},
           Case{"vit", kSizes + " --set stem=patches --set patch_size=14", "one.pgm", "accuracy"},
           Case{"detection", " --data boxes" + kSizes + " --set decoder_layers=1 --set queries=8",
                "one.pgm", "AP50"},
           Case{"segmentation", " --data masks" + kSizes + " --set decoder_layers=1 --set detail=2",
                "one.pgm", "mIoU"},
           Case{"captioning", " --data captions" + kSizes + kPatches, "one.pgm", "exact"},
           Case{"clip", " --data captions" + kSizes + kPatches, "one.pgm", "loss"},
           Case{"recommend", kSizes, "'Dust 1 (western); dust 2'", "HR@10"},
           Case{"summarize", kSizes + " --set summary_length=5", "'The number of rows.'", "ROUGE"},
           Case{"question-answering",
                " --set width=8 --set heads=2 --set depth=2 --set mlp_width=8 --set epochs=0",
                "'Ada walked to the attic. Where is Ada?'", "error"},
           Case{"speech", kSizes + " --set channels=2 --set mels=8", "one.wav", "accuracy"},
       }) {
    CAPTURE(c.model);
    const Scratch scratch;
    scratch.write("one.pgm", "P2 2 2 9\n0 9 0 9\n");
    write_wav(scratch.path("one.wav"), speak_digit(1, {1, 1}, 1));
    write_scenes(scratch, "captions", 12, {1, 1});
    for (const std::string part : {"train", "val", "test"})
      write_squares(scratch, "boxes", part, 6, 1, {"red", "green"});
    for (const std::string part : {"train", "val", "test"})
      write_masked(scratch, "masks", part, 6, 1);
    const Result train = tarsier(
        scratch, "train " + c.model + " --steps 3 --set batch_size=4 --threads 1" + c.settings);
    REQUIRE_MESSAGE(train.code == 0, train.err);
    for (const std::string& part :
         {"Training " + c.model, "runs/" + c.model, std::string("step 3/3"),
          std::string("A sample"), std::string("predict runs/")})
      CHECK_MESSAGE(has(train.out, part), part);
    const Result eval = tarsier(scratch, "eval runs/" + c.model);
    CHECK_MESSAGE(eval.code == 0, eval.err);
    CHECK_MESSAGE(printed_value(eval.out, c.metric) >= 0, eval.out);
    CHECK(printed_value(eval.out, c.metric) <= 100);

    // An input on the command line, and each line of standard input, gets a line of answer.
    const Result one = tarsier(scratch, "predict runs/" + c.model + " " + c.input);
    CHECK_MESSAGE(one.code == 0, one.err);
    CHECK(std::count(one.out.begin(), one.out.end(), '\n') == 1);
    const std::string line =
        c.input.starts_with("'") ? c.input.substr(1, c.input.size() - 2) : c.input;
    scratch.write("two", line + "\r\n" + line);
    CHECK(tarsier(scratch, "predict runs/" + c.model + " < two").out == one.out + one.out);
    CHECK(tarsier(scratch, "predict runs/" + c.model + " </dev/null").out.empty());
    scratch.write("three", line + "\n \t\n" + line + "\n\n");
    CHECK(tarsier(scratch, "predict runs/" + c.model + " < three").out ==
          one.out + "\n" + one.out + "\n");
    CHECK(tarsier(scratch, "predict runs/" + c.model + " ''").out == "\n");
    const Result hot = tarsier(scratch, "predict runs/" + c.model + " x --temperature 1");
    CHECK(hot.code == 2);
    CHECK(has(complaint(hot),
              "--temperature is for gpt, music, image-gpt; " + c.model + " has no such option"));

    const Result more =
        tarsier(scratch, "train --resume runs/" + c.model + " --steps 4 --quiet --threads 1");
    CHECK_MESSAGE(more.code == 0, more.err);
    CHECK(std::count(more.out.begin(), more.out.end(), '\n') == 1);
    CHECK(more.out.ends_with("  runs/" + c.model + "\n"));
  }
}

TEST_CASE("models that see train on thousands of generated scenes" * doctest::test_suite("long")) {
  for (const std::string& model :
       {std::string("detection --set decoder_layers=1"), std::string("segmentation --set detail=2"),
        "captioning" + kPatches, "clip" + kPatches}) {
    CAPTURE(model);
    const Result train =
        tarsier(Scratch(), "train " + model + kSizes + " --steps 1 --set batch_size=4 --threads 1");
    CHECK_MESSAGE(train.code == 0, train.err);
  }
}

TEST_CASE("music trains on its built-in data, resumes, evaluates and writes files") {
  const Scratch scratch;
  const Result train = tarsier(scratch,
                               "train music --steps 3 --set batch_size=2 --threads 1 --set width=8 "
                               "--set heads=2 --set layers=1 --set mlp_width=8 --set window=32");
  REQUIRE_MESSAGE(train.code == 0, train.err);
  CHECK(has(train.out, "A sample"));
  CHECK(has(scratch.read("runs/music/report.html"), "Eight bars from nothing."));
  const Result eval = tarsier(scratch, "eval runs/music");
  CHECK_MESSAGE(printed_value(eval.out, "nats") > 0, eval.out);
  CHECK(printed_value(eval.out, "nats") < 5);
  const Result text = tarsier(scratch, "predict runs/music '' --bars 1");
  CHECK(std::count(text.out.begin(), text.out.end(), ',') == 3 * 16);
  CHECK(tarsier(scratch, "predict runs/music --bars 1 </dev/null").out == text.out);
  CHECK(tarsier(scratch, "predict runs/music '' --bars 1 --out a.mid").out == "a.mid: 1 bar\n");
  CHECK(tarsier(scratch, "predict runs/music a.mid --bars 0 --out a.wav").code == 0);
  CHECK(scratch.read("a.wav").starts_with("RIFF"));
  CHECK(tarsier(scratch, "predict runs/music a.wav").code == 1);
  CHECK(tarsier(scratch, "train --resume runs/music --steps 4 --quiet --threads 1").code == 0);
}

TEST_CASE("image-gpt: the program trains it, draws and completes with it" *
          doctest::test_suite("long")) {
  const Scratch scratch;
  const Result train = tarsier(
      scratch,
      "train image-gpt --steps 2 --threads 1 --set width=8 --set heads=2 --set layers=1 --set "
      "mlp_width=8");
  REQUIRE_MESSAGE(train.code == 0, train.err);
  CHECK(has(train.out, "196 blocks of 2 × 2 pixels"));
  const Result eval = tarsier(scratch, "eval runs/image-gpt");
  CHECK_MESSAGE(printed_value(eval.out, "nats") > 0, eval.out);
  const std::string draw = "predict runs/image-gpt --count 1";
  const Result text = tarsier(scratch, draw + " ''");
  CHECK(std::count(text.out.begin(), text.out.end(), '\n') == 15);
  CHECK(tarsier(scratch, draw + " </dev/null").out == text.out);
  CHECK(tarsier(scratch, draw + " '' --out a.png").out == "a.png: 1 picture\n");
  CHECK(scratch.read("a.png").starts_with("\x89PNG"));
  CHECK(tarsier(scratch, draw + " a.png --out b.png").out == "b.png: 3 pictures\n");
  const Result wrong = tarsier(scratch, draw + " '' --out a.gif");
  CHECK(wrong.code == 2);
  CHECK(has(wrong.err, "expected a name that ends in .png"));
}

TEST_CASE("diffusion: the program trains it, measures and draws with it, and a vit reads that") {
  const Scratch scratch;
  write_idx(scratch, "idx", "train", draw_digits(40, {1, 0}, 8));
  write_idx(scratch, "idx", "t10k", draw_digits(10, {2, 0}, 8));
  const std::string sizes =
      " --data idx --threads 1 --set width=8 --set heads=2 --set layers=1 --set mlp_width=8";
  const Result train = tarsier(scratch, "train diffusion --steps 4 --set patch=4" + sizes);
  REQUIRE_MESSAGE(train.code == 0, train.err);
  CHECK(train.err.empty());  // no warning of weights that wait for others
  CHECK(has(train.out, "4 patches of 4 × 4 pixels"));
  REQUIRE(tarsier(scratch, "train vit --steps 2 --set stem=patches" + sizes).code == 0);
  const std::string eval = "eval runs/diffusion --likelihood 2 --steps 1 --method euler";
  const Result alone = tarsier(scratch, eval), read = tarsier(scratch, eval + " --reader runs/vit");
  CHECK_MESSAGE(printed_value(alone.out, "bits") > 3, alone.out);
  CHECK_FALSE(has(alone.out, "recognised"));
  CHECK_MESSAGE(printed_value(read.out, "recognised") <= 100, read.out);
  CHECK(has(tarsier(scratch, "eval runs/vit --reader runs/vit").err,
            "--reader is for diffusion; vit has no such option"));
  CHECK(tarsier(scratch, eval + " --guidance -1").code == 2);
  const std::string draw = "predict runs/diffusion --steps 1 --count 2";
  CHECK(has(tarsier(scratch, draw + " --class 3 --out a.png ''").out, "a.png: 2 pictures\n"));
  CHECK(has(tarsier(scratch, draw + " --out b.png a.png").out, "b.png: 3 pictures\n"));
  CHECK(tarsier(scratch, draw + " --class x ''").code == 2);
  CHECK(tarsier(scratch, "predict runs/vit --guidance 2 a.png").code == 2);
}

TEST_CASE("the facts before training fit the terminal, broken between words") {
  const Place place;
  const std::string name = "a text with a name of many words, so that the line is longer.txt";
  place.write(name, small_text());
  const Result train = tarsier(place, concat("train gpt --data '", name, "' --steps 1", kTiny));
  REQUIRE_MESSAGE(train.code == 0, train.err);
  const std::string facts = train.out.substr(0, train.out.find("\n\n"));
  std::istringstream lines(facts);
  int wrapped_lines = 0;
  std::string joined;
  for (std::string line; std::getline(lines, line);) {
    CHECK_MESSAGE(decode_utf8(line, "facts").size() <= 80, line);
    if (line.starts_with("           ")) ++wrapped_lines, line.erase(0, 10);
    joined += line;
  }
  CHECK(wrapped_lines >= 1);
  CHECK_MESSAGE(has(joined, "'" + name + "': 1,081 characters to train on, 121 to validate"),
                joined);
}

TEST_CASE("training that stops early reports why, and which weights are kept") {
  const Place place;
  // With a rate of 0 nothing improves.
  const Result early = tarsier(
      place, concat("train gpt --data data.txt --steps 40 --set eval_every=2 --set patience=3"
                    " --set learning_rate=0 --set min_learning_rate=0",
                    kTiny));
  REQUIRE_MESSAGE(early.code == 0, early.err);
  CHECK(has(early.out, "after step 2, the best, which is kept.\n"));
  CHECK(has(early.out, "Stopped early, after step 8 of 40: 3 validations without improvement"));
}

TEST_CASE("list shows for every model what it learns, from which data, how well and how fast") {
  const Scratch scratch;
  const std::string list = tarsier(scratch, "list").out;
  std::istringstream lines(list);
  std::map<std::string, int> rows;
  for (std::string line; std::getline(lines, line);) {
    for (const char* row : {"learns", "data", "reaches", "takes"})
      if (line.starts_with(std::string("  ") + row)) {
        ++rows[row];
        CHECK_MESSAGE(line.find_first_not_of(' ', 11) != line.npos, line);
      }
  }
  for (const char* row : {"learns", "data", "reaches", "takes"}) CHECK(rows[row] == rows["learns"]);
  CHECK(rows["learns"] >= 7);
}

TEST_CASE("reproduce lists its rows, and asks for data before it begins") {
  const Scratch scratch;
  const Result list = tarsier(scratch, "reproduce --list");
  CHECK(list.code == 0);
  for (const char* part : {"translation\n", "BLEU ≥ 36.10", "DIR/multi30k", "val_loss ≤ 1.9000"})
    CHECK_MESSAGE(has(list.out, part), part);
  const Result all = tarsier(scratch, "reproduce");
  CHECK(all.code == 2);
  CHECK(has(complaint(all), "give the folder with --data DIR that holds multi30k (translation)"));
  const Result row = tarsier(scratch, "reproduce vti");
  CHECK(row.code == 2);
  CHECK(has(complaint(row), "did you mean 'vit'?"));
  CHECK(has(complaint(tarsier(scratch, "reproduce vit --data .")), "does not hold mnist (vit)"));
  CHECK_FALSE(std::filesystem::exists(scratch.path("runs")));
}

}  // namespace
}  // namespace tarsier::zoo
