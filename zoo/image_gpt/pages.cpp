#include "zoo/image_gpt/pages.h"

#include <algorithm>

#include "zoo/base/format.h"
#include "zoo/image_gpt/generate.h"
#include "zoo/picture/sheet.h"
#include "zoo/report/svg.h"

namespace tarsier::zoo::image_gpt {

namespace {

/// Drawing i as (1, height, width) i64.
Tensor pixels_of(const Drawings& drawings, int64_t i) {
  const uint8_t* one = drawings.at(i);
  return from_vector(std::vector<int64_t>(one, one + drawings.area()),
                     {1, drawings.height, drawings.width});
}

/// The blocks of the upper half of a picture.
int64_t upper_half(const Grid& grid) { return grid.rows() / 2 * grid.columns(); }

/// −log p of each block, (T).
std::vector<double> surprise(ImageGpt& model, const Tensor& pixels) {
  const Tensor p = log_softmax(model(pixels), 2);
  return (-gather(p, 2, unsqueeze(model.kinds(pixels), 2))).to_vector();
}

void add_attention(Page& page, ImageGpt& model, const Drawings& validation) {
  page.section("Where it looks");
  page.paragraph(
      "Before a block is drawn: the attention of the last layer from it, averaged over the heads, "
      "over a validation drawing. The model sees what lies above the block, and in its row what "
      "lies on the left.");
  const Grid& grid = model.grid;
  std::vector<Figure> figures;
  for (int64_t i = 0; i < std::min<int64_t>(3, validation.size()); ++i) {
    const Tensor pixels = pixels_of(validation, i);
    const Picture picture = pictures_of(pixels, model.config).front();
    const Tensor weights = mean(select(model.attention(pixels).back(), 0, 0), 0);  // (T, T)
    for (const int64_t row : {grid.rows() / 2, 3 * grid.rows() / 4}) {
      const int64_t t = row * grid.columns() + grid.columns() / 2;
      const std::string caption = concat("from row ", row + 1, ", column ", grid.columns() / 2 + 1);
      figures.push_back({picture_with_patches(picture, select(weights, 0, t).to_vector(),
                                              grid.rows(), grid.columns(), caption),
                         caption});
    }
  }
  page.figures(figures);
}

}  // namespace

std::vector<Picture> pictures_of(const Tensor& pixels, const Config& config) {
  const auto [h, w] = config.image_size;
  const std::vector<int64_t> all = pixels.to_vector<int64_t>();
  const std::vector<uint8_t> levels(all.begin(), all.end());
  std::vector<Picture> out;
  for (size_t at = 0; at < levels.size(); at += static_cast<size_t>(h * w))
    out.push_back(picture_of(levels.data() + at, h, w, config.levels));
  return out;
}

std::vector<Picture> completed(ImageGpt& model, const Tensor& pixels, int64_t count,
                               const gpt::Sampling& sampling) {
  const auto [h, w] = model.config.image_size;
  const int64_t given = upper_half(model.grid);
  std::vector<Picture> row = pictures_of(pixels, model.config);
  row.push_back(row.front());
  const int64_t seen = given / model.grid.columns() * model.config.patch * w;
  std::fill(row.back().pixels.begin() + seen, row.back().pixels.end(), uint8_t{64});
  for (const Picture& one : pictures_of(
           finished(model, clone(expand(pixels, {count, h, w})), given, sampling), model.config))
    row.push_back(one);
  return row;
}

void add_pages(Page& page, ImageGpt& model, const Drawings& validation) {
  const NoGrad no_grad;
  const gpt::Sampling sampling{.temperature = 1, .seed = 1};
  const auto enlarged = [&](const std::vector<Picture>& pictures, int64_t columns) {
    return picture_with_patches(sheet(pictures, columns, 2));
  };
  page.section("What it draws");
  page.figure({enlarged(pictures_of(new_drawings(model, 40, sampling), model.config), 10),
               "40 drawings from nothing."});
  std::vector<Picture> rows;
  const int64_t count = std::min<int64_t>(6, validation.size());
  for (int64_t i = 0; i < count; ++i)
    for (const Picture& one : completed(model, pixels_of(validation, i), 8, sampling))
      rows.push_back(one);
  page.figure(
      {enlarged(rows, 10),
       "In each row a validation drawing, its upper half, and that completed eight times."});
  add_attention(page, model, validation);

  page.section("What surprises it");
  page.paragraph(
      "Validation drawings, and where their −log p comes from: blocks at which a stroke begins, "
      "ends or turns.");
  std::vector<Figure> figures;
  for (int64_t i = 0; i < count; ++i) {
    const Tensor pixels = pixels_of(validation, i);
    const std::vector<double> nats = surprise(model, pixels);
    double sum = 0;
    for (const double one : nats) sum += one;
    const std::string caption = fixed(sum, 1) + " nats";
    figures.push_back({picture_with_patches(pictures_of(pixels, model.config).front(), nats,
                                            model.grid.rows(), model.grid.columns(), caption),
                       caption});
  }
  page.figures(figures);
}

}  // namespace tarsier::zoo::image_gpt
