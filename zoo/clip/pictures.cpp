#include "zoo/clip/pictures.h"

#include <algorithm>
#include <cmath>

#include "zoo/base/format.h"
#include "zoo/report/parts.h"

namespace tarsier::zoo::clip {

namespace {

bool belongs(const Matching& matching, int64_t image, int64_t text) {
  const std::vector<int64_t>& right = matching.right[static_cast<size_t>(image)];
  return std::find(right.begin(), right.end(), text) != right.end();
}

/// Row `i` of the cosines of a and b.
std::vector<double> cosines(const Tensor& a, int64_t i, const Tensor& b) {
  return matmul(b, select(a, 0, i)).to_vector();
}

/// A picture, the text that was found for it, and how much nearer that was than the right one.
struct Found {
  int64_t image = 0, text = 0;
  double lead = 0;  // 0 if it is right
};

Svg plain(const TextPart& part, int64_t image, const std::string& caption) {
  return picture_with_patches(part.pictures.images.picture(image), {}, 0, 0, caption);
}

void add_pictures(Page& page, const TextPart& part, const Matching& matching) {
  constexpr size_t kWrong = 18, kRight = 12;
  std::vector<Found> wrong, right;
  for (int64_t i = 0; i < part.pictures.images.size(); ++i) {
    const std::vector<double> near = cosines(matching.pictures, i, matching.texts);
    const auto text = static_cast<int64_t>(best(near, 1)[0]);
    double own = -1;
    for (const int64_t j : matching.right[static_cast<size_t>(i)])
      own = std::max(own, near[static_cast<size_t>(j)]);
    const Found found{i, text, near[static_cast<size_t>(text)] - own};
    (belongs(matching, i, text) ? right : wrong).push_back(found);
  }
  std::stable_sort(wrong.begin(), wrong.end(),
                   [](const Found& a, const Found& b) { return a.lead > b.lead; });
  std::vector<Found> shown(wrong.begin(),
                           wrong.begin() + static_cast<int64_t>(std::min(wrong.size(), kWrong)));
  for (size_t k = 0; k < std::min(right.size(), kRight); ++k)  // spread over all
    shown.push_back(right[k * right.size() / std::min(right.size(), kRight)]);
  page.section("Pictures and the text found for each");
  page.paragraph(concat("Among all ", counted(part.size(), "caption"), " of validation. ",
                        counted(std::ssize(wrong), "mistake"),
                        ", first those whose text is much nearer than the right one; then right "
                        "answers."));
  std::vector<Figure> figures;
  for (const Found& found : shown) {
    const auto& captions = part.pictures.captions;
    const std::string& text = captions[static_cast<size_t>(found.text)].text;
    const bool is_wrong = !belongs(matching, found.image, found.text);
    const auto own = static_cast<size_t>(matching.right[static_cast<size_t>(found.image)].front());
    const std::string caption =
        is_wrong ? concat(captions[own].text, ", matched with “", text, "”") : text;
    figures.push_back({plain(part, found.image, caption), caption, is_wrong});
  }
  page.figures(figures);
}

void add_texts(Page& page, const TextPart& part, const Matching& matching) {
  constexpr int64_t kTexts = 6;
  constexpr size_t kPictures = 6;
  page.section("Texts and the pictures found for each");
  const int64_t count = std::min(kTexts, part.size());
  for (int64_t k = 0; k < count; ++k) {
    const int64_t text = k * part.size() / count;
    page.paragraph(concat("“", part.pictures.captions[static_cast<size_t>(text)].text,
                          "”, the nearest picture first:"));
    const std::vector<double> near = cosines(matching.texts, text, matching.pictures);
    std::vector<Figure> figures;
    for (const size_t i : best(near, kPictures)) {
      const auto image = static_cast<int64_t>(i);
      const std::string caption = concat("cosine ", fixed(near[i], 2));
      const bool mistaken = figures.empty() && !belongs(matching, image, text);
      figures.push_back({plain(part, image, caption), caption, mistaken});
    }
    page.figures(figures);
  }
}

void add_matrix(Page& page, const TextPart& part, const Matching& matching, double scale) {
  constexpr int64_t kShown = 16;
  const int64_t count = std::min(kShown, part.size());
  std::vector<std::string> texts, pictures;
  std::vector<double> values;
  std::vector<int64_t> chosen;
  for (int64_t k = 0; k < count; ++k) chosen.push_back(k * part.size() / count);
  for (const int64_t row : chosen) {
    const CaptionPart::Caption& caption = part.pictures.captions[static_cast<size_t>(row)];
    pictures.push_back(concat("picture ", caption.image + 1));
    texts.push_back(shortened(caption.text, 40));
    const std::vector<double> near = cosines(matching.pictures, caption.image, matching.texts);
    for (const int64_t column : chosen) values.push_back(near[static_cast<size_t>(column)]);
  }
  page.section("Similarities");
  page.paragraph(concat("The cosine of pictures (rows) and texts (columns) of ",
                        counted(count, "validation pair"),
                        "; pairs that belong together are on the diagonal. Negative ones are shown "
                        "as 0. The learnt scale is ",
                        fixed(scale, 1), "."));
  page.figure({heat_map(values, count, count, pictures, texts,
                        {.label = "cosines of pictures and texts", .high = 1}),
               ""});
}

}  // namespace

void add_matches(Page& page, const TextPart& part, const Matching& matching, double scale) {
  add_pictures(page, part, matching);
  add_texts(page, part, matching);
  add_matrix(page, part, matching, scale);
}

}  // namespace tarsier::zoo::clip
