#pragma once
// How the Music Transformer is trained: data, sizes, rates.

#include <vector>

#include "../task/model_entry.h"

namespace tarsier::zoo::music {

/// The task "continue a piece of music". Data: pieces on a grid of time, or MIDI files (pieces.h);
/// by default chorales made by rules (chorale.h).
std::vector<ModelEntry> models();

}  // namespace tarsier::zoo::music
