#pragma once
// A small model of every family, with data.

#include <sstream>
#include <string>

#include "tests/zoo/boxes.h"
#include "tests/zoo/captioned.h"
#include "tests/zoo/masked.h"
#include "tests/zoo/scratch.h"
#include "tests/zoo/sounds.h"
#include "zoo/data/digits.h"

namespace tarsier::zoo {

/// A small model of each family, two data sets from which it learns different things, and a twin
/// of the first: as many examples, from which it learns the same, in another order.
struct Sample {
  Changes changes;
  std::string data, other, twin;
};

inline std::string reversed_lines(const std::string& table) {
  const size_t head = table.starts_with("de\t") ? table.find('\n') + 1 : 0;
  std::string out;
  std::istringstream lines(table.substr(head));
  for (std::string line; std::getline(lines, line);) out = line + "\n" + out;
  return table.substr(0, head) + out;
}

inline Sample sample_of(const std::string& family, const Scratch& scratch) {
  if (family == "gpt")
    return {{{"n_layer", "1"}, {"n_head", "2"}, {"n_embd", "8"}, {"block_size", "8"}},
            scratch.write("a.txt", small_text()),
            scratch.write("b.txt", small_text().substr(0, 24) + std::string(600, 't')),
            scratch.write("c.txt", small_text().substr(1) + small_text()[0])};
  Changes changes = {{"layers", "1"}, {"heads", "2"}, {"width", "8"}, {"mlp_width", "8"}};
  if (family == "music") {
    changes.insert(changes.end(), {{"window", "16"}, {"batch_size", "2"}});
    std::string a = "72,67,60,48 72,67,60,48 74,67,62,47\n", b = "72,64,55,48 71,62,55,50\n", c;
    for (int i = 0; i < 6; ++i) {
      a += concat(72 + i % 3, ",67,60,48 74,67,", 60 + i % 2, ",47 72,64,60,48\n");
      b += concat(72, ",64,55,48 71,62,", 55 + i % 2, ",50\n");
    }
    return {changes, scratch.write("a.txt", a), scratch.write("b.txt", b),
            scratch.write("c.txt", reversed_lines(a))};
  }
  if (family == "vit") {
    write_idx(scratch, "a", "train", draw_digits(60, {1, 0}));
    write_idx(scratch, "a", "t10k", draw_digits(20, {2, 0}));
    write_idx(scratch, "b", "train", draw_digits(80, {3, 0}));
    write_idx(scratch, "b", "t10k", draw_digits(20, {4, 0}));
    write_idx(scratch, "c", "train", draw_digits(60, {5, 0}));
    write_idx(scratch, "c", "t10k", draw_digits(20, {2, 0}));
    changes.insert(changes.end(), {{"stem", "patches"}, {"patch_size", "14"}});
    return {changes, scratch.path("a"), scratch.path("b"), scratch.path("c")};
  }
  if (family == "diffusion") {
    for (const auto& [folder, seed, count] : {std::tuple{"a", 1, 60}, {"b", 3, 80}, {"c", 5, 60}}) {
      const auto key = static_cast<uint64_t>(seed);
      write_idx(scratch, folder, "train", draw_digits(count, {key, 0}, 8));
      write_idx(scratch, folder, "t10k", draw_digits(10, {key, 1}, 8));
    }
    return {changes, scratch.path("a"), scratch.path("b"), scratch.path("c")};
  }
  if (family == "image-gpt") {
    for (const auto& [folder, seed, count] : {std::tuple{"a", 1, 60}, {"b", 3, 80}, {"c", 5, 60}})
      write_idx(scratch, folder, "train", draw_digits(count, {static_cast<uint64_t>(seed), 0}, 8));
    return {changes, scratch.path("a"), scratch.path("b"), scratch.path("c")};
  }
  if (family == "detection") {  // the other data lack a class
    for (const auto& [name, seed] :
         {std::pair<const char*, uint64_t>{"a", 1}, {"b", 3}, {"c", 5}}) {
      const std::vector<std::string> labels =
          seed == 3 ? std::vector<std::string>{"red"} : std::vector<std::string>{"red", "green"};
      write_squares(scratch, name, "train", seed == 3 ? 9 : 12, seed, labels);
      write_squares(scratch, name, "val", 3, 2, labels);
    }
    return {kTinyDetector, scratch.path("a"), scratch.path("b"), scratch.path("c")};
  }
  if (family == "segmentation") {  // the other data lack a class
    for (const auto& [name, seed] :
         {std::pair<const char*, uint64_t>{"a", 1}, {"b", 3}, {"c", 5}}) {
      write_masked(scratch, name, "train", seed == 3 ? 9 : 12, seed, seed == 3 ? 2 : 3);
      write_masked(scratch, name, "val", 3, 2, seed == 3 ? 2 : 3);
    }
    return {kTinySegmenter, scratch.path("a"), scratch.path("b"), scratch.path("c")};
  }
  if (family == "speech") {
    for (const bool twin : {false, true})
      for (const char* part : {"train", "val"})
        write_tones(scratch, twin ? "c" : "a", part, {"low", "mid", "high"}, 12, twin);
    write_tones(scratch, "b", "train", {"deep", "low"}, 10);
    write_tones(scratch, "b", "val", {"low"}, 3);
    return {kTinySpeech, scratch.path("a"), scratch.path("b"), scratch.path("c")};
  }
  if (family == "recommend") {  // users who go round in circles; the other data lack an item
    std::string a, b;
    for (int user = 0; user < 20; ++user) {
      a += concat("u", user), b += concat("u", user);
      for (int t = 0; t < 6; ++t)
        a += concat(" ", (user + t) % 9), b += concat(" ", (user + t) % 8);
      a += "\n", b += "\n";
    }
    changes.emplace_back("batch_size", "8");
    return {changes, scratch.write("a.txt", a), scratch.write("b.txt", b),
            scratch.write("c.txt", reversed_lines(a))};
  }
  if (family == "question-answering") {
    const auto story = [](int i, const char* verb) {
      return concat("1 Ann ", verb, " ", i % 3, ".\n2 Bob ", verb, " ", i % 5,
                    ".\n3 Where is Ann?\t", i % 3, "\t1\n");
    };
    std::string a, b, c = story(1, "left") + story(0, "left");
    for (int i = 0; i < 20; ++i) {
      a += story(i, "left"), b += story(i % 2, "sat");
      if (i > 1) c += story(i, "left");
    }
    return {{{"depth", "2"}, {"heads", "2"}, {"width", "8"}, {"mlp_width", "8"}, {"steps", "6"}},
            scratch.write("a.txt", a),
            scratch.write("b.txt", b),
            scratch.write("c.txt", c)};
  }
  changes.insert(changes.end(), {{"min_count", "1"}, {"batch_size", "8"}});
  if (family == "captioning" || family == "clip") {
    changes.insert(changes.end(), {{"patch_size", "16"}, {"stem", "patches"}});
    write_scenes(scratch, "a", 20, {1, 0});
    write_scenes(scratch, "b", 12, {2, 0});
    write_scenes(scratch, "c", 20, {1, 0}, /*reversed=*/true);
    return {changes, scratch.path("a"), scratch.path("b"), scratch.path("c")};
  }
  if (family == "bert") {
    changes.emplace_back("examples", "lines");
    std::string a, b;
    for (int i = 0; i < 60; ++i)
      a += concat("the one ", i % 3, " sat\n"), b += concat("another one ", i % 2, "\n");
    return {changes, scratch.write("a.txt", a), scratch.write("b.txt", b),
            scratch.write("c.txt", reversed_lines(a))};
  }
  std::string a, b;
  if (family == "transformer") {
    changes.insert(changes.end(), {{"source", "de"}, {"target", "en"}, {"tokens", "words"}});
    a = b = "de\ten\n";
    for (int i = 0; i < 40; ++i) {
      a += concat("ein hund ", i % 4, "\ta dog ", i % 4, "\n");
      b += concat("zwei hunde ", i % 3, "\ttwo dogs ", i % 3, "\n");
    }
  } else if (family == "summarize") {
    for (int i = 0; i < 40; ++i) {
      a += concat("it is dog ", i % 4, " of many\ta dog\n");
      b += concat("they are two dogs ", i % 3, "\tdogs\n");
    }
  } else {
    for (int i = 0; i < 60; ++i) {
      a += concat(i % 3 == 0 ? "air" : i % 3 == 1 ? "earth" : "sea", "\tthe one ", i % 3, "\n");
      b += concat(i % 2 == 0 ? "sea" : "air", "\tanother one ", i % 2, "\n");
    }
  }
  return {changes, scratch.write("a.tsv", a), scratch.write("b.tsv", b),
          scratch.write("c.tsv", reversed_lines(a))};
}

}  // namespace tarsier::zoo
