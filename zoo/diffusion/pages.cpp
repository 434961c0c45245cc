#include "zoo/diffusion/pages.h"

#include <algorithm>

#include "zoo/base/format.h"
#include "zoo/diffusion/flow.h"
#include "zoo/diffusion/neighbours.h"
#include "zoo/picture/sheet.h"

namespace tarsier::zoo::diffusion {

namespace {

constexpr int64_t kShownClasses = 10;
constexpr int64_t kDrawnOfEach = 10;

Svg enlarged(const std::vector<Picture>& pictures, int64_t columns) {
  return picture_with_patches(sheet(pictures, columns, 2));
}

/// "0, 1, 2, …": the names of the first classes.
std::string listed_names(const std::vector<std::string>& names, int64_t count) {
  std::string text;
  for (int64_t i = 0; i < count; ++i) text += (i > 0 ? ", " : "") + names[static_cast<size_t>(i)];
  return text;
}

/// 0, 0, …, 1, 1, …: kDrawnOfEach of every class.
std::vector<int64_t> classes_in_rows(int64_t classes) {
  std::vector<int64_t> labels;
  for (int64_t i = 0; i < classes * kDrawnOfEach; ++i) labels.push_back(i / kDrawnOfEach);
  return labels;
}

/// The points on the way from noise, and where the model believes each of them to lead: strips of
/// pictures, a row for each label.
void add_film(Page& page, DiffusionTransformer& model, const std::vector<int64_t>& labels,
              const Sampling& sampling) {
  constexpr int64_t kFrames = 9;
  std::vector<std::vector<Picture>> ways, ends;
  Sampling slow = sampling;
  slow.steps = std::max<int64_t>(1, sampling.steps / (kFrames - 1)) * (kFrames - 1);
  const Field field = guided_field(
      model, from_vector(labels, {static_cast<int64_t>(labels.size())}), sampling.guidance);
  int64_t step = 0;
  new_pictures(model, labels, slow, [&](const Tensor& x, double t) {
    if (step++ % (slow.steps / (kFrames - 1)) != 0) return;
    ways.push_back(pictures_of(x));
    ends.push_back(pictures_of(t < 1 ? x + field(x, t) * (1 - t) : x));
  });
  const auto strip = [&](const std::vector<std::vector<Picture>>& frames) {
    std::vector<Picture> rows;
    for (size_t i = 0; i < labels.size(); ++i)
      for (const std::vector<Picture>& frame : frames) rows.push_back(frame[i]);
    return enlarged(rows, kFrames);
  };
  page.section("How a picture comes out of noise");
  page.paragraph(
      "From left to right t = 0, ⅛, …, 1; a row for each class. Where the way leads is guessed at "
      "each time as if the velocity stayed as it is: at first a mean of many pictures, then ever "
      "more a certain one.");
  page.figures({{strip(ways), "The way"}, {strip(ends), "Where it leads"}});
}

void add_guidance(Page& page, DiffusionTransformer& model, const std::vector<int64_t>& labels,
                  Sampling sampling) {
  page.section("Guidance");
  page.paragraph(
      "The same noise in each column. Without guidance (0) any class comes of it; with 1 the model "
      "draws what it believes of the class; more makes clearer examples of it, and too much makes "
      "them alike and overdrawn.");
  std::vector<Picture> rows;
  for (const double guidance : {0.0, 1.0, 2.0, 4.0, 8.0}) {
    sampling.guidance = guidance;
    for (const Picture& one : pictures_of(new_pictures(model, labels, sampling)))
      rows.push_back(one);
  }
  page.figure({enlarged(rows, static_cast<int64_t>(labels.size())),
               "From the top: guidance 0, 1, 2, 4, 8."});
}

void add_neighbours(Page& page, const Images& drawn, const Images& training, const Images& others) {
  const std::vector<Neighbour> of_drawn = nearest(drawn, training),
                               of_others = nearest(others, training);
  page.section("From memory?");
  page.paragraph(concat(
      "Under each drawing the training picture that is nearest to it, by the Euclidean distance of "
      "their pixels from 0 to 1. A model that draws from memory would show pairs of the same "
      "picture. On average drawings are ",
      fixed(mean_distance(of_drawn), 2), " from their nearest training picture, and ",
      others.size(), " pictures that the model has not seen ", fixed(mean_distance(of_others), 2),
      "."));
  std::vector<Picture> rows;
  const int64_t columns = drawn.size() / kDrawnOfEach;
  for (int64_t row = 0; row < 3; ++row) {
    for (int64_t i = row; i < drawn.size(); i += kDrawnOfEach) rows.push_back(drawn.picture(i));
    for (int64_t i = row; i < drawn.size(); i += kDrawnOfEach)
      rows.push_back(training.picture(of_drawn[static_cast<size_t>(i)].index));
  }
  const auto closest = std::min_element(
      of_drawn.begin(), of_drawn.end(),
      [](const Neighbour& a, const Neighbour& b) { return a.distance < b.distance; });
  page.figures(
      {{enlarged(rows, columns), "Drawings, and under each its nearest."},
       {enlarged({drawn.picture(closest - of_drawn.begin()), training.picture(closest->index)}, 2),
        concat("The closest of all ", drawn.size(), ": ", fixed(closest->distance, 2))}});
}

}  // namespace

Images drawn_images(DiffusionTransformer& model, const std::vector<int64_t>& labels,
                    const Sampling& sampling) {
  Images out;
  const std::vector<Picture> pictures = pictures_of(new_pictures(model, labels, sampling));
  for (size_t i = 0; i < labels.size(); ++i) out.append(pictures[i], labels[i]);
  return out;
}

std::vector<int64_t> classes_in_turn(int64_t classes, int64_t count) {
  std::vector<int64_t> labels;
  for (int64_t i = 0; i < count; ++i) labels.push_back(i % classes);
  return labels;
}

void add_pages(Page& page, DiffusionTransformer& model, const std::vector<std::string>& names,
               const Sampling& sampling, const Images& training, const Images& others) {
  const int64_t classes = std::min(model.config.classes, kShownClasses);
  const std::vector<int64_t> one_each = classes_in_turn(classes, classes);
  const Images drawn = drawn_images(model, classes_in_rows(classes), sampling);
  std::vector<Picture> rows;
  for (int64_t i = 0; i < drawn.size(); ++i) rows.push_back(drawn.picture(i));
  page.section("What it draws");
  page.figure(
      {enlarged(rows, kDrawnOfEach), concat("In rows: ", listed_names(names, classes),
                                            "; guidance ", short_number(sampling.guidance), ".")});
  add_film(page, model, one_each, sampling);
  add_guidance(page, model, one_each, sampling);
  Images unseen = others;
  if (others.size() > 1000) {
    std::vector<int64_t> first(1000);
    for (int64_t i = 0; i < 1000; ++i) first[static_cast<size_t>(i)] = i;
    unseen = select(others, first, 0, 1000);
  }
  add_neighbours(page, drawn, training, unseen);
}

}  // namespace tarsier::zoo::diffusion
