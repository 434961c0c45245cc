#include "zoo/metrics/average_precision.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "autograd/base/error.h"

namespace tarsier::zoo {

namespace {

/// The most detections of a class that count in a picture.
constexpr int64_t kMost = 100;

bool has_size(double area, ObjectSize size) {
  constexpr double kSmall = 32 * 32, kLarge = 96 * 96, kHuge = 1e10;
  switch (size) {
    case ObjectSize::all:
      return area <= kHuge;
    case ObjectSize::small:
      return area <= kSmall;
    case ObjectSize::medium:
      return area >= kSmall && area <= kLarge;
    case ObjectSize::large:
      return area >= kLarge && area <= kHuge;
  }
  fail("metric", "unknown size of objects");
}

/// IoU; of a crowd the share of the detection that lies in it.
double agreement(const Detection& found, const TrueObject& object) {
  if (!object.crowd) return iou(found.box, object.box);
  const double area = found.box.area();
  return area > 0 ? intersection(found.box, object.box).area() / area : 0;
}

/// What became of a detection.
enum class Verdict { right, wrong, left_out };

struct Judged {
  double score;
  Verdict verdict;
};

/// The verdicts on the first `most` detections of a class in a picture, which are sorted by score.
/// Objects that count come first, so that one that does not is only taken if no other is near.
std::vector<Judged> judged(std::vector<TrueObject> truth, const std::vector<Detection>& found,
                           double threshold, ObjectSize size, int64_t most) {
  const auto left_out = [&](const TrueObject& object) {
    return object.crowd || !has_size(object.area.value_or(object.box.area()), size);
  };
  const auto counting = std::stable_partition(
      truth.begin(), truth.end(), [&](const TrueObject& object) { return !left_out(object); });
  const auto count = static_cast<size_t>(counting - truth.begin());
  std::vector<bool> taken(truth.size(), false);
  std::vector<Judged> out;
  const size_t end = std::min(found.size(), static_cast<size_t>(most));
  for (size_t d = 0; d < end; ++d) {
    double best = std::min(threshold, 1 - 1e-10);
    size_t match = truth.size();
    for (size_t g = 0; g < truth.size(); ++g) {
      if (g == count && match < count) break;  // an object that counts goes before others
      if (taken[g] && !truth[g].crowd) continue;
      // ≥: of equal ones the later object, as in pycocotools.
      if (const double value = agreement(found[d], truth[g]); value >= best)
        best = value, match = g;
    }
    if (match == truth.size()) {
      out.push_back({found[d].score,
                     has_size(found[d].box.area(), size) ? Verdict::wrong : Verdict::left_out});
    } else {
      taken[match] = true;
      out.push_back({found[d].score, match < count ? Verdict::right : Verdict::left_out});
    }
  }
  return out;
}

/// The mean of the values that exist.
class Mean {
 public:
  void add(const std::optional<double>& value) {
    if (value) sum_ += *value, ++count_;
  }
  std::optional<double> value() const {
    return count_ > 0 ? std::optional(sum_ / count_) : std::nullopt;
  }

 private:
  double sum_ = 0;
  int count_ = 0;
};

}  // namespace

/// After each detection by falling score.
struct AveragePrecision::Curve {
  std::vector<double> recall, precision;

  double found() const { return recall.empty() ? 0 : recall.back(); }

  double average_precision() const {
    std::vector<double> best = precision;  // at this recall or a higher one
    for (size_t i = best.size(); i-- > 1;) best[i - 1] = std::max(best[i - 1], best[i]);
    double sum = 0;
    for (int i = 0; i <= 100; ++i) {
      // i · 0.01 and not i / 100: the grid of NumPy's linspace, on which 0.7 is slightly more.
      const double wanted = i == 100 ? 1.0 : i * 0.01;
      const auto at = std::lower_bound(recall.begin(), recall.end(), wanted);
      if (at != recall.end()) sum += best[static_cast<size_t>(at - recall.begin())];
    }
    return sum / 101;
  }
};

AveragePrecision::AveragePrecision(int64_t classes) : scenes_(static_cast<size_t>(classes)) {
  check(classes > 0, "metric", "average precision of ", classes, " classes: it needs one at least");
}

void AveragePrecision::add(std::vector<TrueObject> truth, std::vector<Detection> found) {
  std::vector<Scene> parts(scenes_.size());
  const auto part = [&](int64_t label) -> Scene& {
    check(label >= 0 && label < static_cast<int64_t>(parts.size()), "metric", "label ", label,
          " of ", parts.size(), " classes");
    return parts[static_cast<size_t>(label)];
  };
  for (TrueObject& object : truth) part(object.label).truth.push_back(object);
  for (Detection& one : found) {
    check(!std::isnan(one.score), "metric", "the score of a detection is NaN");
    part(one.label).found.push_back(one);
  }
  for (size_t c = 0; c < parts.size(); ++c) {
    Scene& scene = parts[c];
    if (scene.truth.empty() && scene.found.empty()) continue;
    std::stable_sort(scene.found.begin(), scene.found.end(),
                     [](const Detection& a, const Detection& b) { return a.score > b.score; });
    if (scene.found.size() > kMost) scene.found.resize(kMost);
    scenes_[c].push_back(std::move(scene));
  }
}

const std::array<double, 10>& AveragePrecision::thresholds() {
  // As NumPy's linspace computes them: the threshold 0.9 is slightly less.
  static const std::array<double, 10> all = [] {
    std::array<double, 10> values{};
    constexpr double kStep = (0.95 - 0.5) / 9;
    for (size_t i = 0; i < 9; ++i) values[i] = static_cast<double>(i) * kStep + 0.5;
    values[9] = 0.95;
    return values;
  }();
  return all;
}

std::optional<AveragePrecision::Curve> AveragePrecision::curve(int64_t label, double threshold,
                                                               ObjectSize size,
                                                               int64_t most) const {
  check(label >= 0 && label < static_cast<int64_t>(scenes_.size()), "metric", "label ", label,
        " of ", scenes_.size(), " classes");
  std::vector<Judged> all;
  int64_t objects = 0;
  for (const Scene& scene : scenes_[static_cast<size_t>(label)]) {
    for (const TrueObject& object : scene.truth)
      objects += !object.crowd && has_size(object.area.value_or(object.box.area()), size);
    const std::vector<Judged> here = judged(scene.truth, scene.found, threshold, size, most);
    all.insert(all.end(), here.begin(), here.end());
  }
  if (objects == 0) return {};
  std::stable_sort(all.begin(), all.end(),
                   [](const Judged& a, const Judged& b) { return a.score > b.score; });
  Curve out;
  double right = 0, wrong = 0;
  for (const Judged& one : all) {
    if (one.verdict == Verdict::right) ++right;
    if (one.verdict == Verdict::wrong) ++wrong;
    out.recall.push_back(right / static_cast<double>(objects));
    out.precision.push_back(right + wrong > 0 ? right / (right + wrong) : 0);
  }
  return out;
}

std::optional<double> AveragePrecision::ap(int64_t label, size_t threshold, ObjectSize size) const {
  const std::optional<Curve> found = curve(label, thresholds().at(threshold), size, kMost);
  return found ? std::optional(found->average_precision()) : std::nullopt;
}

std::optional<double> AveragePrecision::mean_ap(std::optional<size_t> threshold,
                                                ObjectSize size) const {
  Mean mean;
  for (size_t t = threshold.value_or(0); t < (threshold ? *threshold + 1 : thresholds().size());
       ++t)
    for (size_t c = 0; c < scenes_.size(); ++c) mean.add(ap(static_cast<int64_t>(c), t, size));
  return mean.value();
}

std::optional<double> AveragePrecision::mean_recall(int64_t most, ObjectSize size) const {
  Mean mean;
  for (const double threshold : thresholds())
    for (size_t c = 0; c < scenes_.size(); ++c)
      if (const auto found = curve(static_cast<int64_t>(c), threshold, size, most))
        mean.add(found->found());
  return mean.value();
}

}  // namespace tarsier::zoo
