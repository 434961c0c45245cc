#include "zoo/question_answering/world.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "autograd/base/error.h"
#include "zoo/data/dice.h"

namespace tarsier::zoo::question_answering {

namespace {

using Names = std::vector<std::string>;
const Names kPeople = {"Ada", "Bruno", "Cleo", "Dario", "Esra"},
            kPlaces = {"library", "bakery", "harbour", "orchard", "station", "attic"},
            kThings = {"lantern", "violin", "kite", "compass"},
            kWalks = {"walked to", "hurried to", "cycled to", "strolled over to"},
            kTakes = {"picked up", "took along", "packed"},
            kPuts = {"put down", "set down", "unpacked"}, kGives = {"handed", "passed", "lent"},
            kNumbers = {"none", "one", "two", "three", "four"};

/// The kinds of questions.
enum Kind { place_of_person, place_of_thing, holder, yes_no, number, receiver };
const Names kKinds = {"where is a person", "where is a thing", "who has it",
                      "yes or no",         "how many",         "to whom"};

template <class T>
T& at(std::vector<T>& list, int64_t i) {
  return list[static_cast<size_t>(i)];
}
const std::string& name(const Names& names, int64_t i) { return names[static_cast<size_t>(i)]; }

constexpr int64_t kNobody = -1;

/// What is true in the world, and since which lines of the story.
struct Person {
  int64_t place = 0;
  std::optional<int64_t> came = {};   ///< the line that tells the place
  std::vector<int64_t> handled = {};  ///< the lines about the things that they had
};
struct Thing {
  int64_t place = 0;  ///< where it lies, unless somebody has it
  int64_t holder = kNobody;
  std::vector<int64_t> lines = {};    ///< that tell where it is; none: the story has not said
  std::optional<int64_t> given = {};  ///< the last line that gave it away
  int64_t to = kNobody;
};

/// Tells one story.
class Teller {
 public:
  Teller(Kind kind, RandomKey key) : kind_(kind), dice_(key) {
    people_.resize(kPeople.size());
    things_.resize(kThings.size());
    for (Person& person : people_) person.place = dice_.below(std::ssize(kPlaces));
    for (Thing& thing : things_) thing.place = dice_.below(std::ssize(kPlaces));
  }

  Story story() {
    constexpr int64_t kEvents = 12, kQuestions = 4;
    for (int64_t asked = 0; asked < kQuestions;) {
      for (int64_t i = 0; i < kEvents / kQuestions; ++i) happen();
      while (!ask()) happen();  // until something is known
      ++asked;
    }
    return {std::move(lines_)};
  }

 private:
  /// The numbers 0 … n − 1, from a random one on, so that no thing or person comes first.
  std::vector<int64_t> around(int64_t n) {
    const int64_t first = dice_.below(n);
    std::vector<int64_t> all;
    for (int64_t i = 0; i < n; ++i) all.push_back((first + i) % n);
    return all;
  }
  int64_t next_line() const { return std::ssize(lines_); }
  void tell(const std::string& text) { lines_.push_back({text}); }

  /// Somebody does something that is possible.
  void happen() {
    const int64_t who = dice_.below(std::ssize(people_));
    const double what = dice_.roll();
    if (what < 0.4 || !(what < 0.65 ? take(who) : what < 0.8 ? give(who) : put(who))) walk(who);
  }

  void walk(int64_t who) {
    Person& person = at(people_, who);
    person.place = (person.place + 1 + dice_.below(std::ssize(kPlaces) - 1)) % std::ssize(kPlaces);
    person.came = next_line();
    tell(concat(name(kPeople, who), " ", dice_.one_of(kWalks), " the ", name(kPlaces, person.place),
                "."));
  }

  /// Takes a thing that lies where `who` is.
  bool take(int64_t who) {
    Person& person = at(people_, who);
    for (const int64_t t : around(std::ssize(things_))) {
      Thing& thing = at(things_, t);
      if (!person.came || thing.holder != kNobody || thing.place != person.place) continue;
      thing.holder = who;
      thing.lines = {next_line()};
      person.handled.push_back(next_line());
      tell(concat(name(kPeople, who), " ", dice_.one_of(kTakes), " the ", name(kThings, t), "."));
      return true;
    }
    return false;
  }

  bool put(int64_t who) {
    Person& person = at(people_, who);
    for (const int64_t t : around(std::ssize(things_))) {
      Thing& thing = at(things_, t);
      if (thing.holder != who || !person.came) continue;
      thing = {.place = person.place,
               .lines = {next_line(), *person.came},
               .given = thing.given,
               .to = thing.to};
      person.handled.push_back(next_line());
      tell(concat(name(kPeople, who), " ", dice_.one_of(kPuts), " the ", name(kThings, t), "."));
      return true;
    }
    return false;
  }

  /// Gives a thing to somebody in the same place.
  bool give(int64_t who) {
    for (const int64_t t : around(std::ssize(things_)))
      for (const int64_t other : around(std::ssize(people_))) {
        Thing& thing = at(things_, t);
        if (other == who || thing.holder != who ||
            at(people_, other).place != at(people_, who).place)
          continue;
        thing.holder = thing.to = other;
        thing.given = next_line();
        thing.lines = {next_line()};
        at(people_, who).handled.push_back(next_line());
        at(people_, other).handled.push_back(next_line());
        tell(concat(name(kPeople, who), " ", dice_.one_of(kGives), " the ", name(kThings, t),
                    " to ", name(kPeople, other), "."));
        return true;
      }
    return false;
  }

  /// Asks about somebody or something at random; false if the story has not told the answer.
  bool ask() {
    const int64_t who = dice_.below(std::ssize(people_)), t = dice_.below(std::ssize(things_));
    const Person& person = at(people_, who);
    const Thing& thing = at(things_, t);
    const std::string &by = name(kPeople, who), &it = name(kThings, t);
    switch (kind_) {
      case place_of_person:
        if (!person.came) return false;
        return question(concat("Where is ", by, "?"), name(kPlaces, person.place), {*person.came});
      case yes_no: {
        if (!person.came) return false;
        const int64_t place = dice_.roll() < 0.5 ? person.place : dice_.below(std::ssize(kPlaces));
        return question(concat("Is ", by, " in the ", name(kPlaces, place), "?"),
                        place == person.place ? "yes" : "no", {*person.came});
      }
      case place_of_thing: {
        if (thing.lines.empty()) return false;
        const bool carried = thing.holder != kNobody;
        const Person& with = at(people_, carried ? thing.holder : 0);
        if (carried && !with.came) return false;
        std::vector<int64_t> supports = thing.lines;
        if (carried) supports.push_back(*with.came);
        return question(concat("Where is the ", it, "?"),
                        name(kPlaces, carried ? with.place : thing.place), supports);
      }
      case holder:
        if (thing.lines.empty()) return false;
        return question(concat("Who has the ", it, "?"),
                        thing.holder == kNobody ? "nobody" : name(kPeople, thing.holder),
                        {thing.lines.front()});
      case number: {
        const auto count = std::count_if(things_.begin(), things_.end(),
                                         [&](const Thing& one) { return one.holder == who; });
        if (person.handled.empty()) return false;
        return question(concat("How many things does ", by, " have?"), name(kNumbers, count),
                        person.handled);
      }
      case receiver:
        if (!thing.given) return false;
        return question(concat("Who was the last to be given the ", it, "?"),
                        name(kPeople, thing.to), {*thing.given});
    }
    return false;
  }

  bool question(const std::string& text, const std::string& answer, std::vector<int64_t> supports) {
    lines_.push_back({text, answer, std::move(supports)});
    return true;
  }

  Kind kind_;
  Dice dice_;
  std::vector<Person> people_;
  std::vector<Thing> things_;
  std::vector<Line> lines_;
};

}  // namespace

StoryData made_up_stories(int64_t count, RandomKey key) {
  StoryData data;
  for (int64_t kind = 0; kind < std::ssize(kKinds); ++kind) {
    data.tasks.push_back(name(kKinds, kind));
    std::vector<Story> stories;
    for (int64_t i = 0; i < count; ++i)
      stories.push_back(Teller(static_cast<Kind>(kind),
                               {key.seed, key.stream + static_cast<uint64_t>(kind * count + i)})
                            .story());
    split_stories(std::move(stories), true, "made-up stories", data);
  }
  return data;
}

StoryData world_data() { return made_up_stories(200, {260, 0}); }

}  // namespace tarsier::zoo::question_answering
