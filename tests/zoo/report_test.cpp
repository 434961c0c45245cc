// The page of a run: well formed for any data, complete, and self-contained.
#include "zoo/report/report.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "autograd/autograd.h"
#include "tests/zoo/markup.h"
#include "tests/zoo/scratch.h"
#include "zoo/report/parts.h"

namespace tarsier::zoo {
namespace {

TEST_CASE("the checker of these tests finds flaws") {
  CHECK(flaw("<p a=\"1\">x &amp; y<br/></p>").empty());
  for (const char* bad : {"<p>", "</p>", "<a><b></a></b>", "<p>a & b</p>", "<p>\x01</p>",
                          "<p>\xff</p>", "<p a=1>x</p>", "<p a=\"&\">x</p>", "<p>></p>"})
    CHECK_MESSAGE(!flaw(bad).empty(), bad);
}

TEST_CASE("text is escaped, and bytes that no page may have are replaced") {
  CHECK(escape("a<b>&\"'c") == "a&lt;b&gt;&amp;&quot;&#39;c");
  CHECK(escape("\x01\xffz\n\t") == "\xEF\xBF\xBD\xEF\xBF\xBDz\n\t");
  CHECK(escape("é漢😀") == "é漢😀");
  CHECK(shortened("é漢😀x", 3) == "é漢😀…");
  CHECK(shortened("é漢😀", 3) == "é漢😀");
  CHECK(visible("a b\n") == "a␣b⏎");
  CHECK(short_number(0.00123456) == "0.001235");
  CHECK(short_number(1234567) == "1,234,567");
  CHECK(short_number(kNan) == "–");
}

TEST_CASE("a page is well formed whatever its content") {
  Page page(kNasty);
  page.section(kNasty);
  page.paragraph(kNasty);
  page.table({kNasty, "n"}, {{kNasty, "1"}, {"x", "-2"}});
  page.pairs({{kNasty, kNasty}});
  page.preformatted(kNasty);
  page.charts({{line_chart({{kNasty, {1, 2}, {3, 4}}, {kNasty, {1, 2}, {4, 3}}},
                           {.label = kNasty, .x_label = kNasty}),
                kNasty}});
  const HeatMapOptions options{
      .label = kNasty, .row_title = kNasty, .column_title = kNasty, .texts = {kNasty, kNasty}};
  page.figure({heat_map({1, kNan}, 1, 2, {kNasty}, {kNasty, kNasty}, options), kNasty, true});
  page.figure({picture_with_patches({1, 1, 2, {0, 255}}, {1, kNan}, 1, 2, kNasty), kNasty});
  page.weighted_text({{}, kNasty}, {kNasty, " b"}, {kInf, 0.5});
  const std::string html = page.html();
  CHECK(flaw(html) == "");
  CHECK(count(html, "<svg ") == 3);
  CHECK(html.find("nan") == html.npos);
  CHECK(html.find("inf") == html.npos);
  CHECK_THROWS_AS(page.table({"a", "b"}, {{"1"}}), Error);
  // Columns of numbers are right-aligned; dates and words are not.
  Page numbers("t");
  numbers.table({"a", "b", "c", "d"}, {{"-1,234.5", "1975-12-19", "25.3.1952", "7"},
                                       {"1e-05", "1952-03-25", "1.2.1990", "x"},
                                       {"77.86 %", "–", "–", "8"}});
  CHECK(count(numbers.html(), "<td class=\"number\">") == 3);
  CHECK_THROWS_AS(page.weighted_text({}, {"a"}, {}), Error);
}

TEST_CASE("heat maps: a tooltip for each cell of a small one, shades for a large one") {
  const std::string small =
      heat_map({0, 0.5, 1, 0.25}, 2, 2, {"r1", "r2"}, {"c1", "c2"}, {.percent = true}).markup;
  CHECK(flaw(small) == "");
  CHECK(count(small, "<title>") == 4);
  CHECK(count(small, "<title>r2, c1: 100.0 %</title>") == 1);
  CHECK(count(small, "fill-opacity=\"0.50\"><title>r1, c2: 50.0 %") == 1);
  // The scale of the colours: from 0 to the largest value.
  CHECK(count(small, "height=\"9\" fill-opacity=") == 12);
  CHECK(count(small, ">0</text>") == 1);
  CHECK(count(small, ">100.0 %</text>") == 1);

  const std::string large =
      heat_map(std::vector<double>(10'000, 1), 100, 100, {}, {}, {.cell = 3}).markup;
  CHECK(flaw(large) == "");
  CHECK(count(large, "<title>") == 0);
  CHECK(count(large, "<path") == 1);
  CHECK(large.size() < 10'000);
  // Adjacent cells of one shade are merged: the row is 200 wide, then 100.
  CHECK(count(heat_map({1, 1, 0, 1}, 1, 4, {}, {}, {.cell = 100}).markup, "h200v100h-200z") == 1);

  // A bare map tells where each row is strongest.
  const std::string bare = heat_map({0, 0.5, 1, 0.25}, 2, 2, {"r1", "r2"}, {"c1", "c2"},
                                    {.cell = 3, .percent = true, .bare = true})
                               .markup;
  CHECK(flaw(bare) == "");
  CHECK(count(bare, "<text") == 0);
  CHECK(count(bare, "<title>") == 2);
  CHECK(count(bare, "<title>r1: most at c2, 50.0 %</title>") == 1);
  CHECK(count(bare, "<title>r2: most at c1, 100.0 %</title>") == 1);

  const std::string odd = heat_map({0.5, kNan, -1, kInf}, 2, 2, {}, {"a", "b"}).markup;
  CHECK(flaw(odd) == "");
  CHECK(count(odd, "fill-opacity=\"0.00\"><title>") == 3);
  CHECK(count(odd, "fill-opacity=\"1.00\"><title>") == 1);
  CHECK_THROWS_AS(heat_map({1}, 1, 2, {}, {}), Error);
  CHECK_THROWS_AS(heat_map({1}, 1, 1, {"a", "b"}, {}), Error);
  CHECK_THROWS_AS(heat_map({}, 0, 0, {}, {}), Error);
}

TEST_CASE("what colours show can be read as numbers") {
  Page page("t");
  add_percent(page, {0.123, 0, 1, 0.0001, 0.5, 0.25}, {"r1", "<r2>"}, {"c1", "c2", "c3"});
  page.weighted_text({{}, "caption"}, {"a", " b"}, {0.1, 0.25});
  const std::string html = page.html();
  CHECK(flaw(html) == "");
  CHECK(count(html, "<details><summary>In numbers</summary>") == 1);
  const auto line = [](const std::string& name, const std::vector<std::string>& numbers) {
    std::string text = "<tr><td>" + name + "</td>";
    for (const std::string& number : numbers) text += "<td class=\"number\">" + number + "</td>";
    return text + "</tr>";
  };
  CHECK(count(html, line("r1", {"12.3", "–", "100.0"})) == 1);
  CHECK(count(html, line("&lt;r2&gt;", {"–", "50.0", "25.0"})) == 1);
  // The scale of the words' colours.
  CHECK(count(html, ">0 %<span class=\"ramp\"></span>25.0 %</p>") == 1);
}

TEST_CASE("a confusion matrix has its counts in the cells, or a table of numbers under them") {
  for (const int64_t classes : {3, 20}) {
    ConfusionMatrix confusion(classes);
    confusion.add({0, 0, 0, 1}, {0, 0, 1, 1});
    std::vector<std::string> names;
    for (int64_t c = 0; c < classes; ++c) names.push_back(concat("n", c));
    Page page("t");
    add_confusion(page, confusion, names);
    const std::string html = page.html();
    CHECK(flaw(html) == "");
    CHECK(count(html, "<title>truth n0, prediction n1: ") == 1);
    CHECK(count(html, "In numbers") == (classes == 20 ? 1 : 0));
    CHECK(count(html, ">66.7</td>") == (classes == 20 ? 1 : 0));
    CHECK(count(html, ">2</text>") == (classes == 3 ? 1 : 0));
  }
}

TEST_CASE("large counts of a confusion matrix are rounded, so that they fit their cells") {
  ConfusionMatrix confusion(4);
  const auto add = [&](int64_t truth, int64_t predicted, int64_t count) {
    for (int64_t i = 0; i < count; ++i) confusion.add(truth, predicted);
  };
  add(0, 0, 9'999), add(0, 1, 10'000), add(1, 0, 999'499), add(1, 1, 999'500), add(2, 2, 14'500);
  Page page("t");
  add_confusion(page, confusion, {"a", "b", "c", "d"});
  for (const char* text : {"9999", "10k", "999k", "1M", "15k"})
    CHECK_MESSAGE(count(page.html(), concat(">", text, "</text>")) == 1, text);
}

TEST_CASE("a picture is a PNG inside the page") {
  // One red and one white pixel; Pillow reads the same from this.
  const std::string markup = picture_with_patches({3, 1, 2, {255, 255, 0, 255, 0, 255}}).markup;
  CHECK(flaw(markup) == "");
  const std::string data =
      "iVBORw0KGgoAAAANSUhEUgAAAAIAAAABCAIAAAB7QOjdAAAAFklEQVR4nO3dgQAA"
      "AACAoP2lm6REUhgL+wP98gWp0AAAAABJRU5ErkJggg==";
  CHECK(count(markup, "href=\"data:image/png;base64," + data + "\"") == 1);
  const std::string patches = picture_with_patches({1, 2, 2, {0, 1, 2, 3}}, {1, 3}, 2, 1).markup;
  CHECK(count(patches, "<image") == 2);
  CHECK(count(patches, "<title>75.0 %</title>") == 1);
  CHECK_THROWS_AS(picture_with_patches({1, 2, 2, {0, 1, 2, 3}}, {1, 3}, 3, 1), Error);
  CHECK_THROWS_AS(picture_with_patches({2, 1, 1, {0, 1}}), Error);
}

TEST_CASE("a picture with spans has a bar with its text under each") {
  const Picture picture{1, 2, 100, std::vector<uint8_t>(200)};
  const std::string markup =
      picture_with_spans(picture, {{"one", 10, 30, 0.975}, {"<two>", 40, 100, 1}}).markup;
  CHECK(markup.find("data:image/png;base64,") != markup.npos);
  CHECK(markup.find("x=\"20\" y=\"93\" width=\"40\"") != markup.npos);
  CHECK(markup.find("<title>one, 97.5 %</title>") != markup.npos);
  CHECK(markup.find("&lt;two&gt;</text>") != markup.npos);
  CHECK_THROWS_AS(picture_with_spans(picture, {{"x", 90, 101, 1}}), Error);
  CHECK_THROWS_AS(picture_with_spans(picture, {{"x", 5, 5, 1}}), Error);
  CHECK_THROWS_AS(picture_with_spans({2, 1, 1, {0, 1}}, {}), Error);
}

TEST_CASE("answers worth showing: sure mistakes first") {
  const std::vector<Answer> answers = {
      {0, 1, 1, 0.9}, {5, 0, 1, 0.6}, {2, 1, 0, 0.8}, {1, 0, 0, 0.7}, {3, 1, 0, 0.5}};
  std::vector<int64_t> order;
  for (const Answer& answer : worth_showing(answers, 2, 9)) order.push_back(answer.example);
  CHECK(order == std::vector<int64_t>{2, 5, 0, 1});
  CHECK(described(answers[1], {"cat", "dog"}) == "cat, read as dog (60 %)");
}

TEST_CASE("a classifier's score: as counted by hand") {
  ClassifierScore score(2);
  const Tensor logits = tensor({{0, std::log(3.0)}, {std::log(4.0), 0}, {0, 0.5}});
  score.add({7, 8, 9}, logits, tensor({1, 1, 1}, i64));
  REQUIRE(score.answers().size() == 3);
  CHECK(score.answers()[1].example == 8);
  CHECK_FALSE(score.answers()[1].right());
  CHECK(score.answers()[1].probability == doctest::Approx(0.8));
  const Metrics metrics = score.metrics("val_loss");
  REQUIRE(metrics.size() == 3);
  CHECK(metrics[0].name == "accuracy");
  CHECK(metrics[0].value == doctest::Approx(100 * 2.0 / 3));
  CHECK(metrics[1].value == doctest::Approx(100 * 0.4));  // F1 of 0.8 and of 0
  const double loss = -std::log(0.75) - std::log(0.2) + std::log(1 + std::exp(-0.5));
  CHECK(metrics[2].value == doctest::Approx(loss / 3));
  CHECK_THROWS_AS(score.add({1}, logits, tensor({1, 1, 1}, i64)), Error);
}

}  // namespace
}  // namespace tarsier::zoo
