// The page of a run: well formed for any data, complete, and self-contained.
#include "zoo/report/report.h"

#include <doctest/doctest.h>
#include <sys/wait.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <string_view>

#include "autograd/autograd.h"
#include "tests/zoo/scratch.h"
#include "zoo/data/unicode.h"
#include "zoo/report/curves.h"
#include "zoo/report/parts.h"

namespace tarsier::zoo {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr double kInf = std::numeric_limits<double>::infinity();
const char* const kNasty = "<b onload='x'>&\"\x01\xff\n</svg>]]>";

int count(std::string_view text, std::string_view part) {
  int n = 0;
  for (size_t at = 0; (at = text.find(part, at)) != text.npos; at += part.size()) ++n;
  return n;
}

/// What is wrong with markup, read as XML: "" if every tag is closed in turn, every attribute
/// quoted, every & the beginning of an entity, and no byte is invalid.
std::string flaw(std::string_view text) {
  std::vector<std::string> open;
  const auto entity_ok = [](std::string_view rest) {
    for (const char* name : {"&amp;", "&lt;", "&gt;", "&quot;", "&#39;"})
      if (rest.starts_with(name)) return true;
    return false;
  };
  if (text.starts_with("<!DOCTYPE html>")) text.remove_prefix(15);
  for (size_t i = 0; i < text.size();) {
    const NextCharacter next = next_character(text.substr(i));
    const bool replaced = next.character == 0xFFFD && next.bytes == 1;
    if (replaced || (next.character < 0x20 && text[i] != '\n' && text[i] != '\t'))
      return concat("byte ", static_cast<int>(static_cast<unsigned char>(text[i])), " at ", i);
    if (text[i] == '&' && !entity_ok(text.substr(i))) return concat("bare & at ", i);
    if (text[i] == '>') return concat("bare > at ", i);
    if (text[i] != '<') {
      i += next.bytes;
      continue;
    }
    const size_t end = text.find('>', i);
    if (end == text.npos) return "a tag without end";
    std::string_view tag = text.substr(i + 1, end - i - 1);
    i = end + 1;
    if (tag.starts_with('/')) {
      if (open.empty() || open.back() != tag.substr(1))
        return concat("</", tag.substr(1), "> closes ", open.empty() ? "nothing" : open.back());
      open.pop_back();
      continue;
    }
    const bool closed = tag.ends_with('/');
    if (closed) tag.remove_suffix(1);
    const std::string name(tag.substr(0, tag.find(' ')));
    tag.remove_prefix(name.size());
    while (!tag.empty()) {  // ' name="value"'
      const size_t quote = tag.find("=\"");
      const size_t after = quote == tag.npos ? tag.npos : tag.find('"', quote + 2);
      if (tag[0] != ' ' || after == tag.npos) return concat("attributes of <", name, ">: ", tag);
      const std::string_view value = tag.substr(quote + 2, after - quote - 2);
      if (value.find('<') != value.npos) return concat("< in an attribute of <", name, ">");
      for (size_t at = 0; (at = value.find('&', at)) != value.npos; ++at)
        if (!entity_ok(value.substr(at))) return concat("bare & in an attribute of <", name, ">");
      tag.remove_prefix(after + 1);
    }
    if (closed) continue;
    open.push_back(name);
    if (name == "style") {  // not markup inside
      i = text.find("</style>", i);
      if (i == text.npos) return "a style without end";
    }
  }
  return open.empty() ? "" : concat("<", open.back(), "> is not closed");
}

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

TEST_CASE("a chart has all series, whatever their numbers") {
  const auto drawn = [](const std::vector<Series>& series, bool log = false) {
    const std::string markup = line_chart(series, {.label = "c", .log_y = log}).markup;
    CHECK(flaw(markup) == "");
    for (const char* bad : {"nan", "inf", "e+", "-0\""}) CHECK(markup.find(bad) == markup.npos);
    return markup;
  };
  const std::string two = drawn({{"one", {1, 2, 3}, {5, 6, 4}}, {"two", {1, 3}, {1e-3, 2e5}}});
  CHECK(count(two, "<circle") == 5);
  CHECK(count(two, ">one</text>") == 1);  // in the legend
  CHECK(count(two, ">two</text>") == 1);
  CHECK(count(two, "<title>one 6 at step 2</title>") == 1);

  CHECK(count(drawn({{"dot", {7}, {3}}}), "<circle") == 1);
  CHECK(count(drawn({{"flat", {1, 2}, {0, 0}}}), "<circle") == 2);
  // A gap where there is no number: two pieces.
  const std::string gap = drawn({{"gap", {1, 2, 3, 4, 5}, {1, 2, kNan, 4, 5}}});
  CHECK(count(gap, "<circle") == 4);
  const size_t path = gap.find("class=\"line s0\" d=\"");
  CHECK(count(gap.substr(path, gap.find("<title>", path) - path), "M") == 2);
  for (const auto& y : {std::vector<double>{kNan, kInf}, {}, {1e300, -1e300}}) {
    std::vector<double> x(y.size(), 1);
    CHECK(count(drawn({{"none", x, y}}), "nothing to draw yet") == 1);
  }
  CHECK(count(drawn({}), "nothing to draw yet") == 1);
  CHECK(count(drawn({{"log", {1, 2, 3}, {0.01, 0, 100}}}, true), "<circle") == 2);
  CHECK_THROWS_AS(line_chart({{"x", {1}, {}}}), Error);
}

TEST_CASE("ticks are round numbers inside the chart") {
  for (const auto& [low, high] : {std::pair{0.0, 1.0},
                                  {1.37, 9.81},
                                  {-3e-7, 2e-7},
                                  {0.0, 7e6},
                                  {12345.0, 12346.0},
                                  {1e-9, 2e9}}) {
    const std::string chart = line_chart({{"y", {0, 10}, {low, high}}}).markup;
    const int ticks = count(chart, "class=\"grid\"");
    CHECK_MESSAGE(ticks >= 6, low, " ", high, " ", ticks);
    CHECK_MESSAGE(ticks <= 13, low, " ", high, " ", ticks);
  }
  const std::string chart = line_chart({{"y", {0, 10}, {0, 1}}}).markup;
  for (const char* label : {">0.0<", ">0.2<", ">0.8<", ">1.0<", ">10<"})
    CHECK_MESSAGE(count(chart, label) == 1, label);
}

/// The labels of an axis: those that end left of the lines, or are under them.
std::vector<std::string> tick_labels(const std::string& chart, const std::string& kind) {
  std::vector<std::string> labels;
  const std::string mark = "class=\"muted " + kind + "\">";
  for (size_t at = 0; (at = chart.find(mark, at)) != chart.npos;) {
    at += mark.size();
    labels.push_back(chart.substr(at, chart.find('<', at) - at));
  }
  return labels;
}

TEST_CASE("an axis shows no more than its values") {
  // One value: one tick, not a range around it such as 3.6 … 4.4, or 110 %.
  const std::vector<std::string> one{"4"}, hundred{"100"};
  CHECK(tick_labels(line_chart({{"y", {7}, {4}}}).markup, "end") == one);
  CHECK(tick_labels(line_chart({{"y", {7}, {4}}}).markup, "middle") ==
        std::vector<std::string>{"7", "step"});
  CHECK(tick_labels(line_chart({{"y", {1, 2}, {100, 100}}}).markup, "end") == hundred);
  CHECK(tick_labels(line_chart({{"y", {1, 2}, {4, 4}}}, {.log_y = true}).markup, "end") == one);
  // Steps are whole.
  CHECK(tick_labels(line_chart({{"y", {1, 2}, {0, 9}}}).markup, "middle") ==
        std::vector<std::string>{"1", "2", "step"});
}

TEST_CASE("a line across a chart has its name, and room") {
  const std::string chart =
      line_chart({{"loss", {1, 2}, {1, 2}}}, {.mark = 4.5, .mark_label = "guessing"}).markup;
  CHECK(flaw(chart) == "");
  CHECK(count(chart, "class=\"mark\"") == 1);
  CHECK(count(chart, ">guessing</text>") == 1);
  const std::vector<std::string> labels = tick_labels(chart, "end");
  CHECK(std::count(labels.begin(), labels.end(), "4") == 1);
  // Its name does not overlap the labels of the axis below, wherever the line is.
  for (const double mark : {0.1, 4.5}) {
    const std::string drawn =
        line_chart({{"loss", {1, 2}, {1, 2}}}, {.mark = mark, .mark_label = "guessing"}).markup;
    const size_t tag = drawn.rfind("<text", drawn.find(">guessing<"));
    CHECK(std::stod(drawn.substr(drawn.find(" y=\"", tag) + 4)) < 250 - 36);
  }
}

/// "" if all texts of a drawing are inside it; vertical ones are not checked.
std::string outside(const std::string& drawing) {
  const auto number = [&](const std::string& name, size_t from) {
    return std::stod(drawing.substr(drawing.find(name + "=\"", from) + name.size() + 2));
  };
  const double width = number("width", 0);
  for (size_t at = 0; (at = drawing.find("<text ", at)) != drawing.npos; ++at) {
    const size_t end = drawing.find('>', at);
    const std::string tag = drawing.substr(at, end - at);
    const std::string text = drawing.substr(end + 1, drawing.find('<', end) - end - 1);
    const bool leaning = count(tag, "rotate(-50 ") > 0;
    if (count(tag, "transform") > 0 && !leaning) continue;
    // Digits of DejaVu Sans are 0.636 of its size, the capital W is 0.989.
    double size = 0;
    for (const char c : text) size += 12 * (c == 'W' ? 0.989 : c == ',' ? 0.318 : 0.636);
    const double x = number("x", at);
    const double left = count(tag, "end") > 0      ? x - size
                        : count(tag, "middle") > 0 ? x - size / 2
                                                   : x;
    const double right = left + size * (leaning ? 0.643 : 1);  // cos 50°
    if (left < -0.05 || right > width + 0.05)
      return concat("'", text, "' from ", left, " to ", right, " of ", width);
    if (leaning && number("y", at) - 0.766 * size < 0) return concat("'", text, "' begins above");
  }
  return "";
}

TEST_CASE("labels are not cut off, even in a wide font") {
  CHECK(outside(line_chart({{"y", {0, 2000}, {0, 200'000}}}).markup) == "");
  CHECK(outside(line_chart({{"y", {0, 10'000'000}, {0, 0.00013}}}).markup) == "");
  const std::vector<std::string> wide{"WWWW", "WWWWWWWW"};
  CHECK(outside(heat_map({0, 1, 1, 0}, 2, 2, wide, {"a", "b"}).markup) == "");
  CHECK(outside(heat_map({0, 1, 1, 0}, 2, 2, {}, {"a", "b"}).markup) == "");
  const std::vector<std::string> leaning(9, "WWWWWWWW");
  CHECK(outside(heat_map(std::vector<double>(9, 1), 1, 9, {"a"}, leaning).markup) == "");
}

TEST_CASE("a long run is thinned, and keeps its ends and its peaks") {
  Series series{"y", {}, {}, true};
  for (int i = 0; i < 100'000; ++i) {
    series.x.push_back(i);
    series.y.push_back(std::sin(0.01 * i));
  }
  series.y[54'321] = 50;
  series.y[54'322] = -50;
  const Series thin = thinned(series, 500);
  CHECK(thin.x.size() <= 1002);
  CHECK(thin.x.size() > 900);
  CHECK(thin.faint);
  CHECK(std::is_sorted(thin.x.begin(), thin.x.end()));
  CHECK(thin.x.front() == 0);
  CHECK(thin.x.back() == 99'999);
  CHECK(*std::max_element(thin.y.begin(), thin.y.end()) == 50);
  CHECK(*std::min_element(thin.y.begin(), thin.y.end()) == -50);
  for (size_t i = 0; i < thin.x.size(); ++i)
    CHECK(series.y[static_cast<size_t>(thin.x[i])] == thin.y[i]);
  CHECK(thinned(thin, 501).x == thin.x);
  CHECK(line_chart({thin}).markup.size() < 30'000);
}

TEST_CASE("curves come from metrics.jsonl, damaged lines or not") {
  const auto curves = read_curves(
      "{\"step\":1,\"train_loss\":3.5,\"lr\":0.1}\nrubbish\n{\"train_loss\":9}\n"
      "{\"step\":3,\"train_loss\":2.5,\"lr\":0.2,\"val_loss\":7,\"note\":\"x\"}\n{\"step\":4,\"tr");
  REQUIRE(curves.size() == 3);
  CHECK(curves[0].name == "train_loss");
  CHECK(curves[0].x == std::vector<double>{1, 3});
  CHECK(curves[0].y == std::vector<double>{3.5, 2.5});
  CHECK(curves[2].name == "val_loss");
  CHECK(curves[2].x == std::vector<double>{3});
  CHECK(read_curves("").empty());

  // A constant stays the same from the first point on.
  for (const double y : smoothed({"c", {1, 2, 3}, {4, 4, 4}}, 10).y) CHECK(y == doctest::Approx(4));
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

TEST_CASE("a picture is a BMP inside the page") {
  // One red and one white pixel: the row has 6 bytes, blue first, and 2 bytes of padding.
  const std::string markup = picture_with_patches({3, 1, 2, {255, 255, 0, 255, 0, 255}}).markup;
  CHECK(flaw(markup) == "");
  const std::string data =
      "Qk0+AAAAAAAAADYAAAAoAAAAAgAAAAEAAAABABgAAAAAAAgAAAATCwAAEwsAAAAAAAAAAAAA"
      "AAD/////AAA=";
  CHECK(count(markup, "href=\"data:image/bmp;base64," + data + "\"") == 1);
  const std::string patches = picture_with_patches({1, 2, 2, {0, 1, 2, 3}}, {1, 3}, 2, 1).markup;
  CHECK(count(patches, "<image") == 2);
  CHECK(count(patches, "<title>75.0 %</title>") == 1);
  CHECK_THROWS_AS(picture_with_patches({1, 2, 2, {0, 1, 2, 3}}, {1, 3}, 3, 1), Error);
  CHECK_THROWS_AS(picture_with_patches({2, 1, 1, {0, 1}}), Error);
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

// ------------------------------------------------------------------------------------ whole runs

/// The page of the tiny GPT after some of 8 steps.
std::string page_of_run(const Scratch& scratch, int64_t stop_after) {
  const std::string data = scratch.write("data.txt", small_text());
  const std::unique_ptr<Task> task = tiny_task(data, 8);
  const RunFolder folder = new_run(*task, data, scratch.path("run"));
  TrainOptions options;
  int64_t steps = 0;
  options.interrupted = [&] { return ++steps == stop_after; };
  TrainObserver silence;
  const TrainOutcome outcome = train(*task, folder, options, silence);
  write_report(*task, folder, outcome, {"tarsier eval '<run>'"});
  return scratch.read("run/report.html");
}

TEST_CASE("report.html of a run, whole or interrupted, is one file with all its parts") {
  for (const int64_t stop_after : {0, 2}) {
    const Scratch scratch;
    const std::string html = page_of_run(scratch, stop_after);
    CHECK(flaw(html) == "");
    CHECK(count(html, stop_after == 0 ? "All 8 steps are done." : "Stopped after step 2 of 8.") ==
          1);
    for (const char* part :
         {">loss<", ">learning rate<", ">norm of the gradient", "per second<", "n_embd",
          "eval &#39;&lt;run&gt;&#39;", "Where it looks", "layer 2, head 2, to ", "In numbers",
          "prefers-color-scheme", "width=device-width"})
      CHECK_MESSAGE(count(html, part) > 0, part);
    CHECK(count(html, "class=\"chart\"") == 4);
    // The loss of guessing among the 16 characters of the text.
    CHECK(count(html, "2.77 = ln 16") == 2);
    CHECK(count(html, ">guessing</text>") == 1);
    CHECK((count(html, "as one between ") == 1) == (stop_after == 0));
    CHECK(count(html, "<title>gpt: run</title>") == 1);
    CHECK(count(html, " at step 1</title>") == 4);  // of the loss, the rate, the norm, the speed
    CHECK((count(html, ">val loss</text>") == 1) == (stop_after == 0));
    for (const char* outside : {"http:", "https:", "src=", "url(", "@import", "<link", "<script"})
      CHECK_MESSAGE(count(html, outside) == 0, outside);
    CHECK(count(html, "href=") == count(html, "href=\"data:image/bmp;base64,"));
    CHECK(html.size() < 400'000);
  }
}

TEST_CASE(
    "if a model's own part fails, the page is written without it, and the error is reported") {
  const Scratch scratch;
  page_of_run(scratch, 0);
  const RunFolder folder = RunFolder::open(scratch.path("run"));
  const std::unique_ptr<Task> task = tiny_task(scratch.path("data.txt"), 8);
  std::filesystem::remove(folder.file("model.safetensors"));
  std::filesystem::remove(folder.file("report.html"));
  CHECK_THROWS_AS(write_report(*task, folder, {.step = 8}, {}), Error);
  const std::string html = scratch.read("run/report.html");
  CHECK(flaw(html) == "");
  CHECK(count(html, "This part could not be made") == 1);
  CHECK(count(html, ">loss<") == 1);
  CHECK(count(html, ">Settings<") == 1);
}

TEST_CASE("a run without a step has a page as well") {
  const Scratch scratch;
  page_of_run(scratch, 2);
  scratch.write("run/metrics.jsonl", "");
  const std::unique_ptr<Task> task = tiny_task(scratch.path("data.txt"), 8);
  write_report(*task, RunFolder::open(scratch.path("run")), {.interrupted = true}, {});
  const std::string html = scratch.read("run/report.html");
  CHECK(flaw(html) == "");
  CHECK(count(html, "No step is done yet.") == 1);
  // A folder with the name of its model is not shown as a second name.
  std::filesystem::rename(scratch.path("run"), scratch.path("gpt"));
  write_report(*task, RunFolder::open(scratch.path("gpt")), {.interrupted = true}, {});
  CHECK(count(scratch.read("gpt/report.html"), "<title>gpt</title>") == 1);
}

TEST_CASE("headless Chromium opens the page without a complaint") {
  if (std::system("command -v chromium >/dev/null 2>&1") != 0) {
    MESSAGE("skipped: there is no chromium (Debian: apt install chromium)");
    return;
  }
  const Scratch scratch;
  const std::string html = page_of_run(scratch, 0);
  const std::string command =
      "timeout 120 chromium --headless --no-sandbox --disable-gpu --enable-logging=stderr --v=0"
      " --user-data-dir='" +
      scratch.path("profile") + "' --dump-dom 'file://" + scratch.path("run/report.html") + "' >'" +
      scratch.path("dom") + "' 2>'" + scratch.path("log") + "'";
  const int status = std::system(command.c_str());
  const std::string dom = scratch.read("dom"), log = scratch.read("log");
  REQUIRE_MESSAGE((WIFEXITED(status) && WEXITSTATUS(status) == 0), log);
  // Chromium also prints errors of its own; those of the page have this mark.
  CHECK_MESSAGE(log.find("CONSOLE") == log.npos, log);
  CHECK(count(dom, "<svg ") == count(html, "<svg "));
  CHECK(count(dom, "<svg ") == 4 + 1 + 4);  // curves, the last layer, two layers of two heads
  CHECK(count(dom, "<path ") == count(html, "<path "));
}

}  // namespace
}  // namespace tarsier::zoo
