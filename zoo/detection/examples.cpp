#include "zoo/detection/examples.h"

#include <algorithm>
#include <array>
#include <numeric>

#include "zoo/boxes/ops.h"

namespace tarsier::zoo::detection {

Box to_fitted(const Box& box, int64_t height, int64_t width, Pair size) {
  const PictureFit fit = fit_of(height, width, size.h, size.w);
  const double across = static_cast<double>(fit.width) / static_cast<double>(width),
               down = static_cast<double>(fit.height) / static_cast<double>(height);
  const auto left = static_cast<double>(fit.left), top = static_cast<double>(fit.top);
  return {left + across * box.x1, top + down * box.y1, left + across * box.x2, top + down * box.y2};
}

Box from_fitted(const Box& box, int64_t height, int64_t width, Pair size) {
  const PictureFit fit = fit_of(height, width, size.h, size.w);
  const double across = static_cast<double>(width) / static_cast<double>(fit.width),
               down = static_cast<double>(height) / static_cast<double>(fit.height);
  const auto left = static_cast<double>(fit.left), top = static_cast<double>(fit.top);
  const Box out{across * (box.x1 - left), down * (box.y1 - top), across * (box.x2 - left),
                down * (box.y2 - top)};
  return intersection(out, {0, 0, static_cast<double>(width), static_cast<double>(height)});
}

FittedExamples fitted_examples(const std::vector<Example>& examples, Pair size) {
  FittedExamples out;
  for (const Example& example : examples) {
    out.images.append(fitted(example.picture, 3, size.h, size.w), 0);
    out.boxes.emplace_back();
    out.labels.emplace_back();
    for (const TrueObject& object : example.objects) {
      if (object.crowd) continue;
      out.boxes.back().push_back(to_fitted(object.box, example.height, example.width, size));
      out.labels.back().push_back(object.label);
    }
  }
  return out;
}

namespace {

/// Example i, changed by random numbers; or a mosaic that begins with it.
Sample changed(const FittedExamples& examples, int64_t i, const Augmentation& limits, Dice& dice) {
  const auto one = [&](int64_t number) {
    const auto place = static_cast<size_t>(number);
    return augmented(examples.images.picture(number), examples.boxes[place], examples.labels[place],
                     limits, dice);
  };
  if (limits.mosaic == 0 || dice.roll() >= limits.mosaic) return one(i);
  std::array<Sample, 4> parts;
  for (Sample& part : parts) part = one(&part == parts.data() ? i : dice.below(examples.size()));
  return mosaic(parts, examples.images.height, examples.images.width, kLeastVisible, dice);
}

}  // namespace

Batch example_batch(const FittedExamples& examples, const std::vector<int64_t>& chosen,
                    const PixelScale& scale, const Augmentation* limits, RandomKey key) {
  const Images& images = examples.images;
  const double h = static_cast<double>(images.height), w = static_cast<double>(images.width);
  const int64_t area = images.height * images.width;
  std::vector<float> pixels, numbers;
  std::vector<int64_t> labels, counts;
  Dice dice(key);
  for (const int64_t i : chosen) {
    const auto place = static_cast<size_t>(i);
    Sample sample;
    if (limits != nullptr) {
      sample = changed(examples, i, *limits, dice);
    } else {
      sample = {{images.image(i), images.image(i) + images.image_size()},
                examples.boxes[place],
                examples.labels[place]};
    }
    scale.apply(sample.pixels.data(), area);
    pixels.insert(pixels.end(), sample.pixels.begin(), sample.pixels.end());
    for (const Box& box : sample.boxes)
      for (const double number : {(box.x1 + box.x2) / (2 * w), (box.y1 + box.y2) / (2 * h),
                                  box.width() / w, box.height() / h})
        numbers.push_back(static_cast<float>(number));
    labels.insert(labels.end(), sample.labels.begin(), sample.labels.end());
    counts.push_back(std::ssize(sample.labels));
  }
  const int64_t count = std::ssize(chosen), objects = std::ssize(labels);
  return {{{"images", from_vector(pixels, {count, 3, images.height, images.width})},
           {"boxes", from_vector(numbers, {objects, 4})},
           {"labels", from_vector(labels, {objects})},
           {"counts", from_vector(counts, {count})}},
          count,
          static_cast<double>(std::max<int64_t>(1, objects))};
}

Objects objects_of(const Batch& batch) {
  const auto numbers = [](const Tensor& x) {
    const std::vector<double> values = x.to_vector();
    return std::vector<int64_t>(values.begin(), values.end());
  };
  return {numbers(batch["counts"]), numbers(batch["labels"]), batch["boxes"]};
}

std::vector<std::vector<Detection>> detections_of(const Guess& guess, Pair size,
                                                  std::vector<std::vector<int64_t>>* queries) {
  const int64_t B = guess.logits.size(0), classes = guess.logits.size(2),
                most = std::min<int64_t>(100, guess.logits.size(1) * classes);
  const std::vector<double> boxes = cxcywh_to_xyxy(guess.boxes.detach()).to_vector();
  const ValuesIndices best = topk(flatten(sigmoid(guess.logits.detach()), 1), most);
  const std::vector<double> scores = best.values.to_vector(), indices = best.indices.to_vector();
  const double h = static_cast<double>(size.h), w = static_cast<double>(size.w);
  std::vector<std::vector<Detection>> out(static_cast<size_t>(B));
  if (queries != nullptr) queries->assign(out.size(), {});
  for (size_t i = 0; i < scores.size(); ++i) {
    const auto picture = static_cast<int64_t>(i) / most, pair = static_cast<int64_t>(indices[i]);
    const double* box = boxes.data() + 4 * (picture * guess.logits.size(1) + pair / classes);
    out[static_cast<size_t>(picture)].push_back(
        {{box[0] * w, box[1] * h, box[2] * w, box[3] * h}, pair % classes, scores[i]});
    if (queries != nullptr) (*queries)[static_cast<size_t>(picture)].push_back(pair / classes);
  }
  return out;
}

}  // namespace tarsier::zoo::detection
