#include "zoo/clip/matching.h"

#include <algorithm>
#include <map>
#include <numeric>
#include <set>

#include "zoo/data/sampler.h"

namespace tarsier::zoo::clip {

Tensor belonging(const std::vector<int64_t>& images,
                 const std::vector<std::vector<int32_t>>& texts) {
  std::vector<float> same;
  for (size_t i = 0; i < images.size(); ++i)
    for (size_t j = 0; j < texts.size(); ++j)
      same.push_back(images[i] == images[j] || texts[i] == texts[j] ? 1.0f : 0.0f);
  return from_vector(same, {std::ssize(images), std::ssize(texts)});
}

Tensor read_all(Clip& model, const std::vector<std::vector<int32_t>>& texts) {
  const NoGrad no_grad;
  std::vector<Tensor> parts;
  for (size_t begin = 0; begin < texts.size(); begin += 128) {
    const std::vector<std::vector<int32_t>> some(
        texts.begin() + static_cast<int64_t>(begin),
        texts.begin() + static_cast<int64_t>(std::min(texts.size(), begin + 128)));
    parts.push_back(model.read(pad_rows(some, kPad), padding_mask(some)));
  }
  return cat(parts, 0);
}

Matching match(Clip& model, const PictureTexts& data, const TextPart& part) {
  const NoGrad no_grad;
  const Images& images = part.pictures.images;
  std::vector<Tensor> pictures;
  for (int64_t begin = 0; begin < images.size(); begin += 128) {
    std::vector<int64_t> chosen(static_cast<size_t>(std::min<int64_t>(128, images.size() - begin)));
    std::iota(chosen.begin(), chosen.end(), begin);
    pictures.push_back(model.see(data.as_is(images, chosen)));
  }
  Matching out{cat(pictures, 0), read_all(model, part.tokens), {}};
  std::map<std::vector<int32_t>, std::vector<int64_t>> alike;  // captions by their text
  for (size_t j = 0; j < part.tokens.size(); ++j)
    alike[part.tokens[j]].push_back(static_cast<int64_t>(j));
  std::vector<std::set<int64_t>> right(static_cast<size_t>(images.size()));
  for (size_t j = 0; j < part.tokens.size(); ++j) {
    const auto image = static_cast<size_t>(part.pictures.captions[j].image);
    right[image].insert(alike[part.tokens[j]].begin(), alike[part.tokens[j]].end());
  }
  for (const std::set<int64_t>& captions : right)
    out.right.emplace_back(captions.begin(), captions.end());
  return out;
}

Recall recall_of(const Matching& matching) {
  const int64_t P = matching.pictures.size(0), Q = matching.texts.size(0);
  const Tensor by_picture =
      to(contiguous(matmul(matching.pictures, transpose(matching.texts, 0, 1))), f32);
  const Tensor by_text = contiguous(transpose(by_picture, 0, 1));
  std::vector<int64_t> text_place(static_cast<size_t>(Q), kNotListed);
  Recall out;
  for (int64_t i = 0; i < P; ++i) {
    int64_t first = kNotListed;
    for (const int64_t j : matching.right[static_cast<size_t>(i)]) {
      first = std::min(first, place_in(by_picture.data<float>() + i * Q, Q, j, {}));
      int64_t& other = text_place[static_cast<size_t>(j)];
      other = std::min(other, place_in(by_text.data<float>() + j * P, P, i, {}));
    }
    out.image_to_text.add(first);
  }
  for (const int64_t place : text_place) out.text_to_image.add(place);
  return out;
}

std::vector<size_t> best(const std::vector<double>& values, size_t count) {
  std::vector<size_t> order(values.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return values[a] > values[b]; });
  order.resize(std::min(count, order.size()));
  return order;
}

}  // namespace tarsier::zoo::clip
