#include "zoo/captioning/pictures.h"

#include <algorithm>

#include "zoo/base/format.h"
#include "zoo/data/sampler.h"
#include "zoo/report/parts.h"

namespace tarsier::zoo::captioning {

namespace {

/// The picture once for each word, with the attention of the decoder laid over it.
void add_looks(Page& page, const TextPart& part, const Said& said, Captioner& model,
               const PictureTexts& data) {
  const NoGrad no_grad;
  std::vector<int32_t> read = said.tokens;
  read.insert(read.begin(), kBegin);
  const Images& images = part.pictures.images;
  const Tensor weights =
      model.cross_attention(data.as_is(images, {said.image}), pad_rows({read}, kPad));
  const std::vector<std::string> words = token_labels(*data.tokenizer, said.tokens);
  std::vector<Figure> figures;
  for (size_t t = 0; t < words.size(); ++t) {
    const Tensor row = select(select(weights, 0, 0), 0, static_cast<int64_t>(t));
    figures.push_back({picture_with_patches(images.picture(said.image), row.to_vector(),
                                            model.config.grid().h, model.config.grid().w, words[t]),
                       words[t]});
  }
  page.figures(figures);
}

}  // namespace

void add_captions(Page& page, const TextPart& part, std::vector<Said> all, Captioner& model,
                  const PictureTexts& data) {
  constexpr size_t kWrong = 18, kRight = 12, kLooks = 4;
  std::stable_sort(all.begin(), all.end(), [](const Said& a, const Said& b) {
    return a.right != b.right ? !a.right : a.surprise > b.surprise;
  });
  const auto first_right =
      std::find_if(all.begin(), all.end(), [](auto& one) { return one.right; });
  const auto wrong = static_cast<size_t>(first_right - all.begin());
  std::vector<Said> chosen(all.begin(),
                           all.begin() + static_cast<int64_t>(std::min(wrong, kWrong)));
  const size_t others = all.size() - wrong;
  for (size_t k = 0; k < std::min(others, kRight); ++k)  // spread over all right ones
    chosen.push_back(all[wrong + k * others / std::min(others, kRight)]);

  const auto references = part.references(*data.tokenizer);
  page.section("Validation pictures");
  page.paragraph(
      concat("Of ", counted(std::ssize(all), "picture"), " ",
             with_commas(std::ssize(all) - static_cast<int64_t>(wrong)),
             " have exactly one of their captions. Mistakes first, those of which the model "
             "thought least likely what is right; then right answers."));
  std::vector<Figure> figures;
  for (const Said& said : chosen) {
    const std::string& truth = references[static_cast<size_t>(said.image)].front();
    const std::string caption =
        said.right ? said.text : concat(truth, ", described as “", said.text, "”");
    figures.push_back(
        {picture_with_patches(part.pictures.images.picture(said.image), {}, 0, 0, caption), caption,
         !said.right});
  }
  page.figures(figures);
  page.section("Where the decoder looks");
  page.paragraph(
      "Each picture once for each word that the model writes: on the right what the decoder's last "
      "layer attends to, averaged over the heads.");
  // Half of them mistakes, if there are any.
  std::vector<Said> looked(
      chosen.begin(), chosen.begin() + static_cast<int64_t>(std::min(chosen.size(), kLooks / 2)));
  for (size_t k = looked.size(); k < std::min(chosen.size(), kLooks); ++k)
    looked.push_back(chosen[chosen.size() + looked.size() - std::min(chosen.size(), kLooks)]);
  for (const Said& said : looked) add_looks(page, part, said, model, data);
}

}  // namespace tarsier::zoo::captioning
