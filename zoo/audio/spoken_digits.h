#pragma once
// Generated data for speech recognition: digits spoken by a simple synthesiser.

#include <cstdint>
#include <string>
#include <vector>

#include "../../autograd/base/random.h"
#include "wav.h"

namespace tarsier::zoo {

/// "zero", "one", … "nine".
const std::vector<std::string>& digit_words();

/// The word of a digit from 0 to 9 at 8 kHz, 0.3 to 0.7 s. Speech is a source through a filter: the
/// source is a train of pulses (the vocal cords) or noise (s, f, t), the filter three resonances
/// (formants) that glide from sound to sound, as the mouth changes its shape. `key` and `index`
/// determine everything random: pitch and its fall, size of the voice, tempo, vowels a little
/// different, loudness, background noise. Words are recognisable, but nobody would take them for a
/// human. Throws Error("data") for another digit.
/// Sources: Fant 1960, "Acoustic theory of speech production"; the formants' frequencies: Peterson
/// and Barney 1952; the resonators: Klatt 1980, "Software for a cascade/parallel formant
/// synthesizer".
Sound speak_digit(int digit, RandomKey key, uint64_t index);

}  // namespace tarsier::zoo
