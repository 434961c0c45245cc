#pragma once
// A simple synthesiser: music as sound.

#include "midi.h"
#include "wav.h"

namespace tarsier::zoo {

/// Renders the notes of `midi`, drums left out, at `rate` samples a second, with a second of
/// silence at the end; the loudest sample is 0.9 or less.
///
/// Additive synthesis: a note of frequency f = 440 · 2^{(pitch − 69) / 12} Hz is a sum of sines,
///   y(t) = velocity / 127 · envelope(t) · Σ_k e^{−k·t·0.7} / k^{1.6} · sin(2π·k·f·t), k = 1 … 8,
/// without those above half the rate. High overtones fade sooner, as on a plucked string. The
/// envelope rises in 10 ms, then holds, and falls within 120 ms after the end of the note, so that
/// no note begins or ends with a click.
/// Throws Error("midi") if there is no note, or more than an hour of music.
Sound synthesise(const Midi& midi, int64_t rate = 22'050);

}  // namespace tarsier::zoo
