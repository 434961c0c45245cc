#pragma once
// A piece as a drawing: a piano roll.

#include <string>

#include "../report/svg.h"
#include "score.h"

namespace tarsier::zoo::music {

/// Time from left to right, pitches from bottom to top, each voice in a colour of its own, held
/// notes as one line; a tooltip names each. A vertical line at each bar, a horizontal one at each C.
/// The first `given` steps are pale: what the model was given. A bar has `bar` steps.
/// Throws Error("music") for a piece without a note.
Svg piano_roll(const Score& score, int64_t bar, int64_t given = 0, const std::string& label = "");

}  // namespace tarsier::zoo::music
