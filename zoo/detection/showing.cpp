#include "zoo/detection/showing.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>

#include "zoo/base/format.h"
#include "zoo/boxes/suppression.h"
#include "zoo/picture/drawing.h"

namespace tarsier::zoo::detection {

namespace {

constexpr size_t kShown = 16;  // pictures on the page of a run

std::string percent_of(double score) { return concat(fixed(100 * score, 0), " %"); }

/// The detections of at least that score.
std::vector<Detection> surest(const std::vector<Detection>& found, double threshold) {
  std::vector<Detection> out;
  std::copy_if(found.begin(), found.end(), std::back_inserter(out),
               [&](const Detection& one) { return one.score >= threshold; });
  return out;
}

/// In pixels of the example's picture, which may be smaller than the file's.
PictureFrame frame_of(const Detection& found, const Example& example,
                      const std::vector<std::string>& names, bool with_score) {
  const double across =
                   static_cast<double>(example.picture.width) / static_cast<double>(example.width),
               down = static_cast<double>(example.picture.height) /
                      static_cast<double>(example.height);
  const auto& [box, label, score] = found;
  const std::string& name = names[static_cast<size_t>(label)];
  return {across * box.x1, down * box.y1, across * box.x2,
          down * box.y2,   label,         with_score ? concat(name, " ", percent_of(score)) : name};
}

std::string shown(const std::optional<double>& ap) { return ap ? fixed(*ap, 3) : "–"; }

}  // namespace

std::string listed(const std::vector<Detection>& found, const std::vector<std::string>& names) {
  std::string out = found.empty() ? "nothing" : counted(std::ssize(found), "object");
  for (size_t i = 0; i < found.size(); ++i) {
    const auto& [box, label, score] = found[i];
    out += concat(i == 0 ? ": " : ", ", names[static_cast<size_t>(label)], " ", percent_of(score),
                  " (", fixed(box.x1, 1), ", ", fixed(box.y1, 1), ", ", fixed(box.x2, 1), ", ",
                  fixed(box.y2, 1), ")");
  }
  return out;
}

std::vector<Detection> worth_showing(const std::vector<Detection>& found, double threshold,
                                     double overlap) {
  const std::vector<Detection> sure = surest(found, threshold);
  std::map<int64_t, std::vector<size_t>> by_label;
  for (size_t i = 0; i < sure.size(); ++i) by_label[sure[i].label].push_back(i);
  std::vector<bool> stays(sure.size(), false);
  for (const auto& [label, members] : by_label) {
    std::vector<Box> boxes;
    std::vector<double> scores;
    for (const size_t i : members) {
      boxes.push_back(sure[i].box);
      scores.push_back(sure[i].score);
    }
    for (const int64_t k : nms(boxes, scores, overlap))
      stays[members[static_cast<size_t>(k)]] = true;
  }
  std::vector<Detection> out;
  for (size_t i = 0; i < sure.size(); ++i)
    if (stays[i]) out.push_back(sure[i]);
  return out;
}

Picture with_boxes(const Picture& picture, int64_t height, int64_t width,
                   const std::vector<Detection>& found, const std::vector<std::string>& names) {
  constexpr int64_t kLeast = 480;  // below that, letters hide what they name
  const int64_t scale = std::max<int64_t>(1, kLeast / std::max(picture.height, picture.width));
  Picture out = with_channels(picture, 3);
  if (scale > 1) out = resized(out, scale * picture.height, scale * picture.width);
  const double across = static_cast<double>(out.width) / static_cast<double>(width),
               down = static_cast<double>(out.height) / static_cast<double>(height);
  const int64_t points = std::max<int64_t>(1, std::max(out.height, out.width) / 240);
  for (size_t i = found.size(); i-- > 0;) {  // the surest on top
    const auto& [box, label, score] = found[i];
    const Color color = color_of(label);
    const int64_t x1 = std::llround(box.x1 * across), y1 = std::llround(box.y1 * down);
    draw_frame(out, x1, y1, std::llround(box.x2 * across), std::llround(box.y2 * down), color,
               points);
    if (names.empty()) continue;
    const std::string text = concat(names[static_cast<size_t>(label)], " ", fixed(100 * score, 0));
    const TextSize size = text_size(text, points);
    draw_text(out, std::clamp<int64_t>(x1, 0, std::max<int64_t>(0, out.width - size.width)),
              y1 >= size.height ? y1 - size.height : y1, text, color, points);
  }
  return out;
}

Faults faults_of(const std::vector<TrueObject>& truth, const std::vector<Detection>& found,
                 double threshold) {
  std::vector<bool> taken(truth.size(), false);
  Faults out;
  for (const Detection& one : surest(found, threshold)) {
    double best = 0.5;
    size_t match = truth.size();
    for (size_t g = 0; g < truth.size(); ++g)
      if (!taken[g] && truth[g].label == one.label && iou(truth[g].box, one.box) >= best)
        best = iou(truth[g].box, one.box), match = g;
    if (match < truth.size())
      taken[match] = true;
    else
      ++out.wrong;
  }
  for (size_t g = 0; g < truth.size(); ++g) out.missed += !taken[g] && !truth[g].crowd;
  return out;
}

void add_detections(Page& page, const std::vector<Found>& all,
                    const std::vector<std::string>& names, double threshold) {
  AveragePrecision score(std::ssize(names));
  std::vector<int64_t> objects(names.size(), 0);
  for (const auto& [example, detections] : all) {
    score.add(example->objects, detections);
    for (const TrueObject& object : example->objects) ++objects[static_cast<size_t>(object.label)];
  }
  page.section("Average precision");
  std::vector<std::vector<std::string>> rows;
  for (size_t c = 0; c < names.size(); ++c) {
    const auto label = static_cast<int64_t>(c);
    double sum = 0;
    for (size_t t = 0; t < AveragePrecision::thresholds().size(); ++t)
      sum += score.ap(label, t).value_or(0);
    rows.push_back({names[c], with_commas(objects[c]), shown(score.ap(label, 0)),
                    shown(score.ap(label, 5)), objects[c] == 0 ? "–" : fixed(sum / 10, 3)});
  }
  rows.push_back(
      {"mean", "", shown(score.mean_ap(0)), shown(score.mean_ap(5)), shown(score.mean_ap())});
  page.table({"class", "objects", "AP at IoU 0.5", "at 0.75", "at 0.5 … 0.95"}, rows);

  page.section("Validation pictures");
  page.paragraph(concat("Left the truth, right what the model found with a score of at least ",
                        fixed(100 * threshold, 0), " %; pictures with the most faults first."));
  page.figure({color_legend(names)});
  std::vector<std::pair<Faults, const Found*>> order;
  for (const Found& one : all)
    order.emplace_back(faults_of(one.example->objects, one.detections, threshold), &one);
  std::stable_sort(order.begin(), order.end(),
                   [](const auto& a, const auto& b) { return a.first.all() > b.first.all(); });
  std::vector<Figure> figures;
  for (size_t i = 0; i < std::min(kShown, order.size()); ++i) {
    // The worst half, then an even choice of the others.
    const size_t half = kShown / 2, rest = order.size() - std::min(order.size(), half);
    const auto& [faults, found] =
        order[i < half || order.size() <= kShown ? i : half + (i - half) * rest / half];
    const Example& example = *found->example;
    std::vector<PictureFrame> truth, guesses;
    for (const TrueObject& object : example.objects)
      truth.push_back(frame_of({object.box, object.label, 1}, example, names, false));
    for (const Detection& one : surest(found->detections, threshold))
      guesses.push_back(frame_of(one, example, names, true));
    const std::string caption = concat(example.name, ": ", faults.missed, " missed, ", faults.wrong,
                                       " wrong of ", example.objects.size());
    figures.push_back({picture_with_frames(example.picture, {truth, guesses}, caption), caption,
                       faults.all() > 0});
  }
  page.figures(figures);
}

void add_query_attention(Page& page, const Found& found, const Picture& fitted,
                         const std::vector<std::vector<double>>& weights, int64_t rows,
                         const std::vector<std::string>& names) {
  page.section("Attention of queries");
  page.paragraph("Where the queries of some detections of " + found.example->name +
                 " look in the last layer of the decoder, mean of its heads.");
  std::vector<Figure> figures;
  for (size_t i = 0; i < weights.size(); ++i) {
    const Detection& one = found.detections[i];
    const std::string caption =
        concat(names[static_cast<size_t>(one.label)], " ", percent_of(one.score), " at (",
               fixed(one.box.x1, 0), ", ", fixed(one.box.y1, 0), ")");
    figures.push_back(
        {picture_with_patches(fitted, weights[i], rows, std::ssize(weights[i]) / rows, caption),
         caption});
  }
  page.figures(figures);
}

}  // namespace tarsier::zoo::detection
