#include "zoo/detection/pictures.h"

#include <algorithm>
#include <filesystem>
#include <set>

#include "zoo/base/format.h"
#include "zoo/data/rows.h"
#include "zoo/data/scenes.h"
#include "zoo/picture/read.h"

namespace tarsier::zoo::detection {

namespace {

/// Adds "2 boxes cut … (the first: …)".
void add_repair(std::string& text, int64_t count, const char* of, const char* what,
                const std::string& first) {
  if (count == 0) return;
  text += concat(text.empty() ? "" : ", ", with_commas(count), " ", of,
                 count == 1                      ? " "
                 : std::string_view(of) == "box" ? "es "
                                                 : "s ",
                 what, " (", count == 1 ? "" : "the first: ", first, ")");
}

/// The classes in the order of the files, or of the training data, sorted.
std::vector<std::string> class_names(const Annotations& annotations) {
  if (!annotations.names.empty()) return annotations.names;
  std::set<std::string> names;
  for (const AnnotatedPicture& picture : annotations.parts.train)
    for (const Annotation& object : picture.objects) names.insert(object.label);
  return {names.begin(), names.end()};
}

/// The object with its box in pixels inside the picture; without an area if it lies outside.
TrueObject object_of(const Annotation& annotation, const Example& example,
                     const std::vector<std::string>& names, Repairs& repairs) {
  const auto label = std::find(names.begin(), names.end(), annotation.label);
  check(label != names.end(), "data", annotation.place, ": training has no class '",
        annotation.label, "'; it has ", quoted_list(names));
  const double w = static_cast<double>(example.width), h = static_cast<double>(example.height);
  Box box = annotation.box;
  if (annotation.in_shares) box = {box.x1 * w, box.y1 * h, box.x2 * w, box.y2 * h};
  const Box inside = intersection(box, {0, 0, w, h});
  // A hundredth of a pixel is what rounding in files does.
  const bool clipped = std::max({-box.x1, -box.y1, box.x2 - w, box.y2 - h}) > 0.01;
  if (inside.area() == 0) {
    if (repairs.dropped++ == 0) repairs.first_dropped = annotation.place;
  } else if (clipped && repairs.clipped++ == 0) {
    repairs.first_clipped = annotation.place;
  }
  return {inside, label - names.begin(), annotation.crowd, {}};
}

}  // namespace

std::string Repairs::text() const {
  std::string out;
  add_repair(out, clipped, "box", "cut at the picture's edge", first_clipped);
  add_repair(out, dropped, "box", "without an area dropped", first_dropped);
  add_repair(out, unlabelled, "picture", "without annotations left out", first_unlabelled);
  return out;
}

DetectionData load_pictures(const Annotations& annotations, int64_t longest) {
  DetectionData out;
  out.names = class_names(annotations);
  out.format = annotations.format;
  out.repairs.unlabelled = std::ssize(annotations.unlabelled);
  if (out.repairs.unlabelled > 0)
    out.repairs.first_unlabelled = concat("'", annotations.unlabelled.front(), "'");
  check(!out.names.empty(), "data", "the training pictures have no objects at all");
  const auto load = [&](const std::vector<AnnotatedPicture>& pictures,
                        std::vector<Example>& examples) {
    for (const AnnotatedPicture& one : pictures) {
      Picture picture = with_channels(read_picture(one.path), 3);
      Example example{std::filesystem::path(one.path).filename().string(),
                      picture.height,
                      picture.width,
                      std::move(picture),
                      {}};
      for (const Annotation& annotation : one.objects) {
        const TrueObject object = object_of(annotation, example, out.names, out.repairs);
        if (object.box.area() > 0) example.objects.push_back(object);
      }
      if (std::max(example.height, example.width) > longest) {
        const PictureFit fit = fit_of(example.height, example.width, longest, longest);
        example.picture = resized(example.picture, fit.height, fit.width);
      }
      examples.push_back(std::move(example));
    }
  };
  load(annotations.parts.train, out.parts.train);
  load(annotations.parts.val, out.parts.val);
  load(annotations.parts.test, out.parts.test);
  return out;
}

DetectionData scene_pictures() {
  DetectionData out;
  out.names = scene_labels();
  uint64_t stream = 0;
  for (const auto& [part, count] :
       {std::pair<std::vector<Example>*, int64_t>{&out.parts.train, 2000},
        {&out.parts.val, 200},
        {&out.parts.test, 400}}) {
    const RandomKey key{2026, ++stream};
    for (int64_t i = 0; i < count; ++i) {
      Scene scene = draw_scene(key, static_cast<uint64_t>(i));
      Example example{concat("scene ", i + 1),
                      scene.picture.height,
                      scene.picture.width,
                      std::move(scene.picture),
                      {}};
      for (const SceneObject& object : scene.objects)
        example.objects.push_back({{static_cast<double>(object.x1), static_cast<double>(object.y1),
                                    static_cast<double>(object.x2), static_cast<double>(object.y2)},
                                   object.label});
      part->push_back(std::move(example));
    }
  }
  return out;
}

}  // namespace tarsier::zoo::detection
