#include "zoo/segmentation/showing.h"

#include <algorithm>
#include <cmath>

#include "autograd/autograd.h"
#include "zoo/base/format.h"
#include "zoo/picture/drawing.h"
#include "zoo/picture/sheet.h"
#include "zoo/report/parts.h"
#include "zoo/segmentation/answers.h"

namespace tarsier::zoo::segmentation {

namespace {

constexpr size_t kShown = 16;  // pictures on the page of a run

/// How many pixels each class has.
std::vector<int64_t> counts_of(const Picture& classes, size_t names) {
  std::vector<int64_t> counts(names, 0);
  for (const uint8_t c : classes.pixels)
    if (c != kVoid) ++counts.at(c);
  return counts;
}

/// The classes that occur, the most frequent first.
std::vector<size_t> occurring(const std::vector<int64_t>& counts) {
  std::vector<size_t> order;
  for (size_t c = 0; c < counts.size(); ++c)
    if (counts[c] > 0) order.push_back(c);
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return counts[a] > counts[b]; });
  return order;
}

std::string percent_of(double share) { return concat(fixed(100 * share, 1), " %"); }

/// The share of pixels that are wrong, of those that count.
double wrong_share(const Found& found) {
  const Picture& mask = found.example->mask;
  double wrong = 0, all = 0;
  for (size_t i = 0; i < mask.pixels.size(); ++i) {
    if (mask.pixels[i] == kVoid) continue;
    ++all;
    wrong += mask.pixels[i] != found.classes.pixels[i];
  }
  return all > 0 ? wrong / all : 0;
}

}  // namespace

std::string shares(const Picture& classes, const std::vector<std::string>& names) {
  const std::vector<int64_t> counts = counts_of(classes, names.size());
  std::string out;
  for (const size_t c : occurring(counts))
    out += concat(
        out.empty() ? "" : ", ", names[c], " ",
        percent_of(static_cast<double>(counts[c]) / static_cast<double>(classes.pixels.size())));
  return out;
}

Picture with_colors(const Picture& picture, const Picture& classes) {
  Picture out =
      with_channels(with_channels(picture, 1), 3);  // the colours are those of the classes
  const Picture of = resized_mask(classes, out.height, out.width);
  for (int64_t y = 0; y < out.height; ++y)
    for (int64_t x = 0; x < out.width; ++x) {
      const uint8_t c = of.at(0, y, x);
      const Color color = c == kVoid ? Color{0, 0, 0} : color_of(c);
      for (int64_t k = 0; k < 3; ++k)
        out.at(k, y, x) =
            static_cast<uint8_t>((2 * out.at(k, y, x) + 3 * color[static_cast<size_t>(k)]) / 5);
    }
  return out;
}

Picture with_classes(const Picture& picture, const Picture& classes,
                     const std::vector<std::string>& names) {
  constexpr int64_t kLeast = 480;  // below that, letters hide what they name
  const int64_t scale = std::max<int64_t>(1, kLeast / std::max(picture.height, picture.width));
  const Picture mask = with_colors(
      resized(with_channels(picture, 3), scale * picture.height, scale * picture.width), classes);
  const int64_t points = std::max<int64_t>(2, std::max(mask.height, mask.width) / 240);
  struct Label {
    size_t name;
    int64_t x, y;
  };
  std::vector<Label> labels;
  const int64_t gap = 2 * points, line = text_size("", points).height + gap;
  int64_t x = gap, bottom = mask.height + gap + line;
  for (const size_t c : occurring(counts_of(classes, names.size()))) {
    const int64_t width = text_size(names[c], points).width;
    if (x > gap && x + width + gap > mask.width) x = gap, bottom += line;
    labels.push_back({c, x, bottom - line});
    x += width + gap;
  }
  Picture out{3, bottom, mask.width, {}};
  out.pixels.assign(static_cast<size_t>(out.numel()), 255);
  for (int64_t c = 0; c < 3; ++c)
    std::copy_n(mask.pixels.begin() + c * mask.height * mask.width, mask.height * mask.width,
                out.pixels.begin() + c * out.height * out.width);
  for (const Label& label : labels)
    draw_text(out, label.x, label.y, names[label.name], color_of(static_cast<int64_t>(label.name)),
              points);
  return out;
}

void add_masks(Page& page, const std::vector<Found>& all, const std::vector<std::string>& names) {
  ConfusionMatrix confusion(std::ssize(names));
  for (const Found& one : all) count_pixels(confusion, one.example->mask, one.classes);
  page.section("Classes");
  std::vector<std::vector<std::string>> rows;
  for (size_t i = 0; i < names.size(); ++i) {
    const auto c = static_cast<int64_t>(i);
    int64_t pixels = 0;
    for (int64_t p = 0; p < confusion.classes(); ++p) pixels += confusion.at(c, p);
    if (!confusion.occurs(c)) continue;
    rows.push_back(
        {names[i], percent_of(static_cast<double>(pixels) / static_cast<double>(confusion.total())),
         fixed(confusion.iou(c), 3), percent_of(confusion.recall(c)),
         percent_of(confusion.precision(c))});
  }
  rows.push_back(
      {"mean", "", fixed(confusion.mean_iou(), 3), percent_of(confusion.mean_recall()), ""});
  page.table({"class", "of the pixels", "IoU", "recall", "precision"}, rows);
  add_confusion(page, confusion, names);

  page.section("Validation pictures");
  page.paragraph(
      "From the left: the picture, the truth, what the model says; pictures with the most wrong "
      "pixels first. Black does not count.");
  page.figure({color_legend(names)});
  std::vector<std::pair<double, const Found*>> order;
  for (const Found& one : all) order.emplace_back(wrong_share(one), &one);
  std::stable_sort(order.begin(), order.end(),
                   [](const auto& a, const auto& b) { return a.first > b.first; });
  std::vector<Figure> figures;
  for (size_t i = 0; i < std::min(kShown, order.size()); ++i) {
    // The worst half, then an even choice of the others.
    const size_t half = kShown / 2, rest = order.size() - std::min(order.size(), half);
    const auto& [wrong, found] =
        order[i < half || order.size() <= kShown ? i : half + (i - half) * rest / half];
    const Picture& picture = found->example->picture;
    const std::string caption = concat(found->example->name, ": ", percent_of(wrong), " wrong");
    const int64_t scale = std::max<int64_t>(1, 200 / std::max(picture.height, picture.width));
    const Picture row = sheet(
        {picture, with_colors(picture, found->example->mask), with_colors(picture, found->classes)},
        3, scale);
    figures.push_back({picture_with_frames(row, {{}}, caption), caption});
  }
  page.figures(figures);
}

void add_class_attention(Page& page, const Example& example, const Tensor& attention, int64_t rows,
                         const Picture& classes, const std::vector<std::string>& names) {
  page.section("Attention of the classes");
  page.paragraph("Where the queries of the classes found in " + example.name +
                 " look in the last layer of the decoder, mean of its heads.");
  std::vector<Figure> figures;
  for (const size_t c : occurring(counts_of(classes, names.size()))) {
    const std::vector<double> weights = select(attention, 0, static_cast<int64_t>(c)).to_vector();
    figures.push_back(
        {picture_with_patches(example.picture, weights, rows, std::ssize(weights) / rows, names[c]),
         names[c]});
  }
  page.figures(figures);
}

}  // namespace tarsier::zoo::segmentation
