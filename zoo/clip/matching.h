#pragma once
// Which pictures and texts belong together, and how well a model finds them.

#include <cstdint>
#include <string>
#include <vector>

#include "../captioning/picture_texts.h"
#include "../metrics/ranking.h"
#include "model.h"

namespace tarsier::zoo::clip {

using captioning::PictureTexts;
using captioning::TextPart;

/// (B, B) f32 for B pairs: 1 where picture i and text j belong together, else 0. They do if pairs i
/// and j have the same picture or the same text. `images` are the pictures' numbers, `texts` tokens.
Tensor belonging(const std::vector<int64_t>& images,
                 const std::vector<std::vector<int32_t>>& texts);

/// All pictures and all captions of a part in the common space.
struct Matching {
  Tensor pictures;                          ///< (P, D)
  Tensor texts;                             ///< (Q, D), of the captions in their order
  std::vector<std::vector<int64_t>> right;  ///< of each picture: which captions belong to it
};
/// The model must be in eval().
Matching match(Clip& model, const PictureTexts& data, const TextPart& part);

/// Where the first right text of each picture stands among all texts, and the first right picture
/// of each text among all pictures.
struct Recall {
  RankingScore image_to_text, text_to_image;
};
Recall recall_of(const Matching& matching);

/// The vectors of texts, (Q, D).
Tensor read_all(Clip& model, const std::vector<std::vector<int32_t>>& texts);

/// The numbers of the `count` largest values, the largest first; of equal ones the lower number.
std::vector<size_t> best(const std::vector<double>& values, size_t count);

}  // namespace tarsier::zoo::clip
