#pragma once
// The page of a captioner: pictures with what the model says, and where it looks for each word.

#include <string>
#include <vector>

#include "../report/page.h"
#include "describe.h"
#include "picture_texts.h"

namespace tarsier::zoo::captioning {

/// What the model says of a picture.
struct Said {
  int64_t image = 0;
  std::vector<int32_t> tokens;
  std::string text;
  bool right = false;   ///< one of its captions
  double surprise = 0;  ///< −log p of its first caption
};

/// Adds pictures of `part` with their captions and what was said, worst first, then right ones; and
/// for some where the decoder looks while it writes each word.
void add_captions(Page& page, const TextPart& part, std::vector<Said> all, Captioner& model,
                  const PictureTexts& data);

}  // namespace tarsier::zoo::captioning
