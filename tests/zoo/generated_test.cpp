// Generated data: dates, digits from strokes, snippets of the source text, viewers of films.
#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <set>

#include "tests/error_of.h"
#include "zoo/data/dates.h"
#include "zoo/data/digits.h"
#include "zoo/data/snippets.h"
#include "zoo/data/tastes.h"

namespace tarsier::zoo {
namespace {

using Strings = std::vector<std::string>;

// ------------------------------------------------------------------------------------------- dates

TEST_CASE("a date is written in many forms") {
  std::set<std::string> texts;
  for (int form = 0; form < date_forms(); ++form) {
    const DateExample example = write_date(28082, form);
    CHECK(example.iso == "2026-11-20");
    texts.insert(example.text);
  }
  CHECK(static_cast<int>(texts.size()) == date_forms());
  for (const char* text :
       {"Friday, Nov 20th 2026", "20 November 2026", "11/20/26", "20.11.2026", "20-Nov-26",
        "the twentieth of November 2026", "friday 20 november 2026", "Nov 20 '26"})
    CHECK(texts.contains(text));
  // One digit, ordinals, the first and the last day, a leap day.
  CHECK(write_date(0, 0).text == "Sunday, Jan 1st 1950");
  CHECK(write_date(kDays - 1, 0).text == "Friday, Dec 31st 2049");
  CHECK(write_date(kDays - 1, 0).iso == "2049-12-31");
  CHECK(write_date(18321, 0).text == "Tuesday, Feb 29th 2000");
  const char* const days[] = {"2nd", "3rd", "4th", "11th", "12th", "13th", "21st", "22nd", "23rd"};
  const int numbers[] = {2, 3, 4, 11, 12, 13, 21, 22, 23};
  for (size_t i = 0; i < 9; ++i)
    CHECK(write_date(numbers[i] - 1, 11).text == std::string(days[i]) + " of January 1950");
}

TEST_CASE("no text stands for two dates") {
  std::map<std::string, std::string> iso_of;
  for (int64_t day = 18'000; day < 18'000 + 800; ++day)
    for (int form = 0; form < date_forms(); ++form) {
      const DateExample example = write_date(day, form);
      const auto [entry, is_new] = iso_of.try_emplace(example.text, example.iso);
      if (!is_new) CHECK(entry->second == example.iso);
    }
}

TEST_CASE("each day is in one split, most of them in training") {
  std::map<DatePart, std::set<std::string>> seen;
  for (uint64_t i = 0; i < 3000; ++i)
    for (DatePart part : {DatePart::train, DatePart::val, DatePart::test})
      seen[part].insert(date_example({1, 2}, i, part).iso);
  for (const std::string& iso : seen[DatePart::val]) {
    CHECK(!seen[DatePart::train].contains(iso));
    CHECK(!seen[DatePart::test].contains(iso));
  }
  int64_t train = 0;
  for (int64_t day = 0; day < kDays; ++day) train += part_of_date(day) == DatePart::train;
  CHECK(std::abs(train - kDays * 8 / 10) < 400);  // five standard deviations: 5·√(n·0.8·0.2) = 382
}

TEST_CASE("a date depends only on seed, stream and index") {
  const auto text = [](RandomKey key, uint64_t index) {
    return date_example(key, index, DatePart::train).text;
  };
  CHECK(text({1, 2}, 3) == text({1, 2}, 3));
  CHECK(text({1, 2}, 3) != text({1, 2}, 4));
  CHECK(text({1, 2}, 3) != text({1, 3}, 3));
  CHECK(text({1, 2}, 3) != text({2, 2}, 3));
  std::set<std::string> forms;
  for (uint64_t i = 0; i < 500; ++i) {
    std::string form = text({1, 2}, i);
    for (char& c : form)
      if (c >= '0' && c <= '9') c = '9';
    forms.insert(form);
  }
  CHECK(forms.size() > 100);
  CHECK_THROWS_AS(write_date(-1, 0), Error);
  CHECK_THROWS_AS(write_date(kDays, 0), Error);
  CHECK_THROWS_AS(write_date(0, date_forms()), Error);
  CHECK_THROWS_AS(write_date(0, -1), Error);
}

// ------------------------------------------------------------------------------------------ digits

TEST_CASE("digits are bright strokes on a dark background, inside the picture") {
  for (int64_t size : {8, 28, 41}) {
    const Images images = draw_digits(500, {1, 2}, size);
    CHECK(images.size() == 500);
    CHECK(images.height == size);
    for (int64_t i = 0; i < images.size(); ++i) {
      CHECK(images.labels[static_cast<size_t>(i)] == i % 10);
      const uint8_t* image = images.image(i);
      const auto bright = std::count_if(image, image + size * size, [](int p) { return p > 100; });
      if (size >= 28) {
        CAPTURE(i);
        CHECK(bright > size * size / 50);
        CHECK(bright < size * size / 3);
        // The outermost pixels have at most the fading edge of the pen, and noise.
        int brightest = 0;
        for (int64_t k = 0; k < size; ++k)
          for (int64_t p : {k, (size - 1) * size + k, k * size, k * size + size - 1})
            brightest = std::max<int>(brightest, image[p]);
        CHECK(brightest < 255 / 2 + 255 * 8 / 100 + 1);
      }
    }
  }
}

TEST_CASE("pictures of one digit are more alike than those of different digits") {
  // The mean picture of each digit tells most of new ones apart.
  const Images train = draw_digits(1000, {1, 0}), test = draw_digits(200, {2, 0});
  std::vector<std::vector<double>> means(10, std::vector<double>(784, 0));
  for (int64_t i = 0; i < train.size(); ++i)
    for (size_t p = 0; p < 784; ++p)
      means[static_cast<size_t>(i % 10)][p] += train.image(i)[p] / 100.0;
  int correct = 0;
  for (int64_t i = 0; i < test.size(); ++i) {
    std::vector<double> distances;
    for (const auto& mean : means) {
      double sum = 0;
      for (size_t p = 0; p < 784; ++p)
        sum += (mean[p] - test.image(i)[p]) * (mean[p] - test.image(i)[p]);
      distances.push_back(sum);
    }
    correct += std::min_element(distances.begin(), distances.end()) - distances.begin() == i % 10;
  }
  CHECK(correct > 120);  // 20 by chance
  CHECK(correct < 200);  // but there is something to learn
}

TEST_CASE("a digit depends only on key and index") {
  CHECK(draw_digit(3, {1, 2}, 5).pixels == draw_digit(3, {1, 2}, 5).pixels);
  CHECK(draw_digit(3, {1, 2}, 5).pixels != draw_digit(3, {1, 2}, 6).pixels);
  CHECK(draw_digit(3, {1, 2}, 5).pixels != draw_digit(3, {1, 3}, 5).pixels);
  CHECK(draw_digits(30, {4, 1}).pixels == [] {
    std::vector<uint8_t> all = draw_digits(40, {4, 1}).pixels;
    all.resize(30 * 784);
    return all;
  }());
  CHECK_THROWS_AS(draw_digit(10, {1, 2}, 5), Error);
  CHECK_THROWS_AS(draw_digit(-1, {1, 2}, 5), Error);
  CHECK_THROWS_AS(draw_digit(1, {1, 2}, 5, 7), Error);
}

// ---------------------------------------------------------------------------------------- snippets

TEST_CASE("snippets are lines of a file without blank ones and those that name the folder") {
  const std::vector<EmbeddedFile> files = {
      {"a/x.h", "#include \"b/y.h\"\n1\n\n2\nnamespace n {\n3\nsee b/y.h\n4\n5\n6\n7"},
      {"b/y.h", "8\n9\r\n"},
      {"CMakeLists.txt", "project(x)\n"}};
  const LabelledData data = source_snippets(files, 3, {1, 0});
  CHECK(data.labels.names() == Strings{"a", "b"});
  CHECK(data.train.texts == Strings{"1\n2\n3", "4\n5\n6", "8\n9"});  // 7 alone is too short
  CHECK(data.train.labels == std::vector<int64_t>{0, 0, 1});
  CHECK(data.val.size() == 0);
  CHECK_THROWS_AS(source_snippets({files[0], files[2]}, 3, {1, 0}), Error);
  CHECK_THROWS_AS(source_snippets({}, 3, {1, 0}), Error);
  CHECK_THROWS_AS(source_snippets(files, 0, {1, 0}), Error);
}

TEST_CASE("validation and test have separate files, drawn from the seed") {
  Strings paths, texts;
  for (const char* folder : {"a", "b"})
    for (int i = 0; i < (folder[0] == 'a' ? 20 : 3); ++i) {
      paths.push_back(std::string(folder) + '/' + std::to_string(i));
      texts.push_back(folder + std::to_string(i) + "\n" + folder + std::to_string(i) + "\n");
    }
  std::vector<EmbeddedFile> files;
  for (size_t i = 0; i < paths.size(); ++i) files.push_back({paths[i], texts[i]});
  const LabelledData data = source_snippets(files, 1, {1, 0});
  CHECK(data.train.size() == 2 * (16 + 1));
  CHECK(data.val.size() == 2 * (2 + 1));
  CHECK(data.test.size() == 2 * (2 + 1));
  const std::set<std::string> train(data.train.texts.begin(), data.train.texts.end());
  for (const std::string& text : data.val.texts) CHECK(!train.contains(text));
  for (const std::string& text : data.test.texts) CHECK(!train.contains(text));
  CHECK(source_snippets(files, 1, {1, 0}).val.texts == data.val.texts);
  CHECK(source_snippets(files, 1, {2, 0}).val.texts != data.val.texts);
}

TEST_CASE("the project's own text has snippets of every folder in every split") {
  const LabelledData data = source_snippets(embedded_files(), 8, {1, 0});
  CHECK(data.labels.names() == Strings{"autograd", "bench", "nn", "optim", "tests", "zoo"});
  for (const LabelledText* part : {&data.train, &data.val, &data.test}) {
    const std::set<int64_t> labels(part->labels.begin(), part->labels.end());
    CHECK(labels.size() == 6);
  }
  CHECK(data.train.size() > 1000);
}

// ------------------------------------------------------------------------------------------- films

TEST_CASE("viewers watch the parts of a series in order, none twice, and drift in one direction") {
  const Interactions films = watched_films(200, {5, 0});
  CHECK(films.size() == 240);
  CHECK(std::set<std::string>(films.titles.begin(), films.titles.end()).size() == 240);
  CHECK(films.titles[0] == "Dust 1 (western)");
  CHECK(films.titles[239] == "Far Signal 5 (science fiction)");
  std::set<int64_t> moves;  // between genres: on, or back
  for (const std::vector<int32_t>& history : films.histories) {
    CHECK(history.size() >= 8);
    CHECK(history.size() <= 24);
    std::map<int32_t, int32_t> known;  // by series
    std::set<int32_t> genres;
    std::set<int64_t> own;
    int32_t genre = history[0] / 20;
    for (const int32_t film : history) {
      CHECK(film % 5 == known[film / 5]++);
      if (!genres.contains(film / 20) && !genres.empty()) own.insert((film / 20 - genre + 12) % 12);
      if (genres.insert(film / 20).second) genre = film / 20;
    }
    for (const int64_t move : own) CHECK((move <= 3 || move >= 9));  // rarely more than one at once
    CHECK((own.empty() || *own.begin() > 6 || *own.rbegin() < 6));
    moves.insert(own.begin(), own.end());
  }
  CHECK(moves.contains(1));
  CHECK(moves.contains(11));
}

TEST_CASE("viewers depend only on their key and their number") {
  CHECK(watched_films(3, {5, 0}).histories == watched_films(3, {5, 0}).histories);
  CHECK(watched_films(3, {5, 0}).histories != watched_films(3, {6, 0}).histories);
  const auto four = watched_films(4, {5, 0}).histories;
  CHECK(std::vector(four.begin(), four.end() - 1) == watched_films(3, {5, 0}).histories);
}

}  // namespace
}  // namespace tarsier::zoo
