#pragma once
// Writes music with a trained model, note by note.

#include <cstdint>

#include "../gpt/sampling.h"
#include "model.h"

namespace tarsier::zoo::music {

/// A note that is still to be written.
constexpr int32_t kOpen = -2;

/// Fills the open notes of `score` from the first to the last, each drawn by `sampling` from what
/// the model thinks of it. Given notes stay: open notes after them are a continuation, open voices
/// next to them an accompaniment. Each note costs a pass over one note, because keys and values are
/// kept; when window notes are in view, the older half of them is dropped.
/// Throws Error("music") for given notes outside the range of the model, or another number of
/// voices than it has.
Score written(MusicTransformer& model, Score score, const gpt::Sampling& sampling);

}  // namespace tarsier::zoo::music
