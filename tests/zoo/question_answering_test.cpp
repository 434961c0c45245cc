// The Universal Transformer, what it reads, and the swapping of names.
#include <doctest/doctest.h>

#include <algorithm>
#include <set>

#include "autograd/check/gradcheck.h"
#include "nn/init.h"
#include "optim/optim.h"
#include "tests/error_of.h"
#include "zoo/question_answering/answers.h"
#include "zoo/question_answering/renaming.h"
#include "zoo/question_answering/world.h"

namespace tarsier::zoo::question_answering {
namespace {

const std::string kStories =
    "1 Ann went to the park.\n2 Bob sat down.\n3 Where is Ann?\tpark\t1\n4 Ann went home.\n"
    "5 Where is Ann?\thome\t4\n6 Where is Bob?\tpark\t2\n"
    "1 Bob went home.\n2 Where is Bob?\thome\t1\n";

struct Small {
  std::vector<Story> stories = parse_stories(kStories, "small");
  Language language{stories};
  Readings readings{stories, language, {}};

  std::vector<const Reading*> all() const {
    std::vector<const Reading*> pointers;
    for (const Reading& one : readings.all) pointers.push_back(&one);
    return pointers;
  }
  Config config(bool halting) const {
    return {.words = language.words().size(),
            .answers = std::ssize(language.answers()),
            .width = 4,
            .steps = 3,
            .heads = 2,
            .mlp_width = 5,
            .dropout = 0,
            .halting = halting};
  }
};

Tensor loss_of(UniversalReader& model, const Batch& batch) {
  const Thought thought = model(batch["words"], input_of(batch));
  const Tensor loss = cross_entropy(thought.scores, batch["targets"]);
  return thought.ponder.defined() ? loss + 0.1 * thought.ponder : loss;
}

TEST_CASE("the gradient of every weight of the Universal Transformer is right, also with halting") {
  for (const bool halting : {false, true}) {
    CAPTURE(halting);
    const Small small;
    Generator generator(3);
    UniversalReader model(small.config(halting), generator);
    model.to(f64);
    for (const Tensor& parameter : model.parameters()) nn::normal_(parameter, 0, 0.4, generator);
    const Batch batch = story_batch(small.all(), Unknown::counts, {0.3, {1, 2}});
    if (halting) {  // positions that stop at different steps, none near a jump
      const std::vector<double> steps = model(batch["words"], input_of(batch)).steps.to_vector();
      CHECK(*std::max_element(steps.begin(), steps.end()) == 3);
    }
    CHECK_NOTHROW(gradcheck([&](const std::vector<Tensor>&) { return loss_of(model, batch); },
                            model.parameters()));
  }
}

TEST_CASE("the Universal Transformer memorises one batch") {
  for (const bool halting : {false, true}) {
    CAPTURE(halting);
    const Small small;
    Config config = small.config(halting);
    config.width = 16;
    config.mlp_width = 32;
    Generator generator(6);
    UniversalReader model(config, generator);
    optim::AdamW optimizer(model.named_parameters(), {.lr = 1e-2, .weight_decay = 0});
    const Batch batch = story_batch(small.all(), Unknown::counts);
    double loss = 0;
    for (int step = 0; step < 160; ++step) {
      optimizer.zero_grad();
      const Tensor y =
          cross_entropy(model(batch["words"], input_of(batch)).scores, batch["targets"]);
      y.backward();
      optimizer.step();
      loss = y.item();
    }
    CHECK(loss < 0.02);
  }
}

TEST_CASE("neither padding, nor other stories, nor later lines, nor questions change an answer") {
  const Small small;
  Generator generator(4);
  UniversalReader model(small.config(false), generator);
  for (const Tensor& parameter : model.parameters()) nn::normal_(parameter, 0, 0.3, generator);
  model.to(f64);
  model.eval();
  const NoGrad no_grad;
  const auto scores = [&](const std::vector<const Reading*>& readings) {
    const Batch batch = story_batch(readings, Unknown::counts);
    return model(batch["words"], input_of(batch)).scores;
  };
  const Tensor both = scores(small.all());  // the second story is padded
  const Reading &first = small.readings.all[0], &second = small.readings.all[1];
  CHECK(allclose(slice(both, 0, 3, 4), scores({&second}), 1e-12));
  CHECK(allclose(slice(both, 0, 0, 3), scores({&first}), 1e-12));
  Reading cut = first;
  cut.lines.resize(4);  // up to the first question, with the empty line
  CHECK(allclose(slice(both, 0, 0, 1), scores({&cut}), 1e-12));
  Reading without = first;
  without.lines.erase(without.lines.begin() + 3);
  CHECK(allclose(slice(both, 0, 1, 3), scores({&without}), 1e-12));
  // The order of the statements counts.
  Reading other = first;
  std::swap(other.lines[1].words, other.lines[4].words);
  CHECK_FALSE(allclose(slice(both, 0, 1, 2), slice(scores({&other}), 0, 1, 2), 1e-6));
}

TEST_CASE("the Universal Transformer refuses sizes that do not fit, and names them") {
  check_error("heads=3 does not divide width=64", [] { UniversalReader({.heads = 3}); });
  check_error("a size is 0", [] { UniversalReader({.steps = 0}); });
}

TEST_CASE("reading: times count statements, and gaps lengthen them") {
  const Small small;
  const Batch batch = story_batch(small.all(), Unknown::counts);
  CHECK(batch.weight == 4);
  CHECK(batch.items == 7 + 3);
  CHECK(batch["lines"].shape() == Shape{2, 7});
  const std::vector<double> times = batch["times"].to_vector();
  CHECK(std::vector<double>(times.begin(), times.begin() + 7) ==
        std::vector<double>{0, 1, 2, 3, 3, 4, 4});
  CHECK(batch["places"].to_vector<int64_t>() == std::vector<int64_t>{3, 5, 6, 9});
  CHECK(batch["words"].size(0) == 7);  // "Bob went home" and both "Where is" occur twice or more
  const Batch late = story_batch(small.all(), Unknown::counts, {1, {}});
  CHECK(late["times"].to_vector()[6] == 4 + 7);
  CHECK(sum(batch["present"]).item() == 10);
}

TEST_CASE("reading: long stories in parts, long lines cut, unknown answers") {
  std::string text;
  for (int i = 0; i < 12; ++i)
    text += i % 3 == 2 ? concat(i + 1, " Who?\tann\n") : concat(i + 1, " Ann sat here ", i, ".\n");
  const std::vector<Story> stories = parse_stories(text, "long");
  const Language language(stories);
  const Readings whole(stories, language, {});
  CHECK(whole.size() == 1);
  CHECK_FALSE(whole.lines.any());
  const Readings parts(stories, language, {.max_lines = 6, .max_words = 3});
  CHECK(parts.size() == 3);
  CHECK(parts.lines.examples == 4);
  CHECK(parts.lines.cut_examples == 2);  // the first two stand in the first part
  CHECK(parts.words.cut_examples == 8);
  int64_t counted = 0;
  for (const Reading& part : parts.all) {
    CHECK(part.lines.size() == 7);
    for (const ReadLine& line : part.lines) {
      counted += line.counts;
      CHECK(line.words.size() <= 4);
    }
  }
  CHECK(counted == 4);

  const auto other = parse_stories("1 Ann sat.\n2 Who?\tbob\n3 Who?\tann\n", "other");
  const Readings asked(other, language, {});
  CHECK(story_batch({&asked.all[0]}, Unknown::left_out).weight == 1);
  const Batch both = story_batch({&asked.all[0]}, Unknown::counts);
  CHECK(both.weight == 2);
  CHECK(language.unknown("Ann saw Bob.") == std::vector<std::string>{"saw", "bob"});
  CHECK(language.answer("bob") == kUnknownAnswer);
}

// ---- names ----

/// The words of a class, sorted.
std::set<std::string> named(const Language& language, const std::vector<int32_t>& members) {
  std::set<std::string> names;
  for (const int32_t word : members) names.insert(language.words()[word]);
  return names;
}

TEST_CASE("renaming finds people, places and things, but not what only looks alike") {
  // The hungry go to the kitchen and the tired to the attic: neither pair may be swapped.
  std::string text;
  for (int i = 0; i < 400; ++i) {
    const char* who = (i / 2) % 2 == 0 ? "Ann" : "Bob";
    const bool hungry = i % 2 == 0;
    text += concat("1 ", who, " is ", hungry ? "hungry" : "tired", ".\n2 Where does ", who,
                   " go?\t", hungry ? "kitchen" : "attic", "\n3 ", who, " walks to the ",
                   hungry ? "kitchen" : "attic", ".\n4 Why does ", who, " go there?\t",
                   hungry ? "hungry" : "tired", "\n");
  }
  const std::vector<Story> stories = parse_stories(text, "moods");
  const Language moods(stories);
  const Renaming renaming(Readings(stories, moods, {}), moods);
  REQUIRE(renaming.classes(0).size() == 1);
  CHECK(named(moods, renaming.classes(0)[0]) == std::set<std::string>{"ann", "bob"});

  const StoryData world = made_up_stories(200, {7, 0});
  const Language language(world.train);
  const Readings readings(world.train, language, {});
  const Renaming names(readings, language);
  std::set<std::set<std::string>> found;
  for (const auto& members : names.classes(1)) found.insert(named(language, members));
  CHECK(found.contains({"lantern", "violin", "kite", "compass"}));
  CHECK(found.contains({"library", "bakery", "harbour", "orchard", "station", "attic"}));

  // A renamed story keeps its sense: the answer of "where is a person" is still the place of the
  // last line with that person.
  Dice dice({1, 1});
  int64_t changed = 0;
  for (const Reading& story : readings.all) {
    if (story.task != 0) continue;
    const Reading other = names.renamed(story, dice);
    REQUIRE(other.lines.size() == story.lines.size());
    for (size_t q = 0; q < other.lines.size(); ++q) {
      const ReadLine& question = other.lines[q];
      changed += question.words != story.lines[q].words;
      if (!question.asks) continue;
      const int32_t who = question.words.back();
      std::string place;
      for (size_t l = 1; l < q; ++l) {
        const ReadLine& line = other.lines[l];
        const auto to = language.words().id_of("to");
        const bool walks =
            std::find(line.words.begin(), line.words.end(), to) + 2 == line.words.end() - 1;
        if (!line.asks && line.words[1] == who && walks)
          place = language.words()[line.words.back()];
      }
      CHECK(language.answers()[static_cast<size_t>(question.answer)] == place);
    }
  }
  CHECK(changed > 500);
}

}  // namespace
}  // namespace tarsier::zoo::question_answering
