#include "zoo/data/tastes.h"

#include <algorithm>
#include <array>
#include <utility>

#include "autograd/base/error.h"
#include "zoo/data/dice.h"

namespace tarsier::zoo {

namespace {

constexpr int64_t kSeries = 4, kParts = 5;
/// The genres of the ring, each with the first words of its series.
struct Genre {
  const char* name;
  std::array<const char*, kSeries> series;
};
constexpr std::array<Genre, 12> kGenres = {{
    {"western", {"Dust", "The Last Herd", "Copper Creek", "Six Riders"}},
    {"road film", {"Mile 300", "Southbound", "Two Tickets", "The Blue Van"}},
    {"comedy", {"Wrong Wedding", "Aunt Tilda", "Late Again", "The Lodgers"}},
    {"musical", {"Tap Street", "Sing It Twice", "The Understudy", "Brass Band"}},
    {"romance", {"Letters to Iris", "High Tide", "September Hotel", "Slow Dance"}},
    {"drama", {"The Orchard", "Three Sisters' House", "Winter Shift", "The Verdict"}},
    {"history", {"The Siege", "Queen of Salt", "Ninety Days", "The Cartographer"}},
    {"war film", {"Bridge at Dawn", "The Signal", "Cold Harbour", "Iron Rain"}},
    {"spy film", {"Grey Passport", "Double Key", "The Interpreter", "Station Nine"}},
    {"thriller", {"The Tenant Below", "No Witness", "Black Ice", "Dial Tone"}},
    {"horror", {"The Well", "Hollow Hill", "Night Nurse", "Moth"}},
    {"science fiction", {"Perihelion", "The Copy", "Rust Moon", "Far Signal"}},
}};
constexpr auto kRing = static_cast<int64_t>(kGenres.size());

/// A viewer: how many parts of each series they know, and in which order they came to them.
class Viewer {
 public:
  explicit Viewer(Dice dice)
      : dice_(dice), genre_(dice_.below(kRing)), direction_(dice_.roll() < 0.5 ? 1 : kRing - 1) {}

  std::vector<int32_t> history() {
    const int64_t length = 8 + dice_.below(17);
    std::vector<int32_t> films;
    while (static_cast<int64_t>(films.size()) < length) films.push_back(next());
    return films;
  }

 private:
  int32_t next() {
    if (dice_.roll() < 0.4)
      for (auto series = begun_.rbegin(); series != begun_.rend(); ++series)
        if (known(*series) < kParts) return watch(*series);
    if (dice_.roll() < 0.3) genre_ = (genre_ + direction_) % kRing;
    for (;; genre_ = (genre_ + direction_) % kRing)  // a genre may be finished
      for (int64_t tries = 0; tries < 20; ++tries) {
        // The lower of two: series 0 is begun by 7 of 16, series 3 by 1.
        const int64_t series =
            genre_ * kSeries + std::min(dice_.below(kSeries), dice_.below(kSeries));
        if (known(series) < kParts) return watch(series);
      }
  }
  int32_t watch(int64_t series) {
    std::erase(begun_, series);
    begun_.push_back(series);
    return static_cast<int32_t>(series * kParts + known(series)++);
  }
  int64_t& known(int64_t series) { return known_[static_cast<size_t>(series)]; }

  Dice dice_;
  int64_t genre_, direction_;
  std::array<int64_t, static_cast<size_t>(kRing* kSeries)> known_{};
  std::vector<int64_t> begun_;  // the latest last
};

}  // namespace

Interactions watched_films(int64_t users, RandomKey key) {
  check(users >= 0, "data", users, " viewers");
  Interactions all;
  for (const Genre& genre : kGenres)
    for (const char* series : genre.series)
      for (int64_t part = 1; part <= kParts; ++part) {
        all.items.push_back(concat(all.items.size() + 1));
        all.titles.push_back(concat(series, " ", part, " (", genre.name, ")"));
      }
  for (int64_t user = 0; user < users; ++user)
    all.histories.push_back(
        Viewer(Dice({key.seed, key.stream + static_cast<uint64_t>(user)})).history());
  return all;
}

Interactions films_data() { return watched_films(1500, {240, 0}); }

}  // namespace tarsier::zoo
