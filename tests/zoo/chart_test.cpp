// Charts and curves of the report: what is drawn, where, and with which labels.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "tests/zoo/markup.h"
#include "tests/zoo/scratch.h"
#include "zoo/report/curves.h"
#include "zoo/report/report.h"

namespace tarsier::zoo {
namespace {

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

}  // namespace
}  // namespace tarsier::zoo
