#pragma once
// A picture with its caption, as one picture.

#include <string>

#include "../picture/picture.h"

namespace tarsier::zoo::captioning {

/// The picture in a grey frame, and the caption below it in as many lines as it takes. Small
/// pictures become larger by a whole number, up to 240 pixels wide; what is wider than 480 becomes
/// that wide. A word that is longer than a line is cut.
Picture captioned(const Picture& picture, const std::string& caption);

}  // namespace tarsier::zoo::captioning
