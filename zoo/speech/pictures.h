#pragma once
// What the report shows of recordings: the spectrogram with the words where they were heard.

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "../report/page.h"
#include "examples.h"
#include "model.h"

namespace tarsier::zoo::speech {

/// The spectrogram of a recording, time to the right and frequency up, the louder the brighter;
/// below it what the model writes at each moment.
Svg spectrogram_with_words(const Frames& frames, const Tensor& log_probs,
                           const std::function<std::string(int32_t)>& shown,
                           const std::string& label);

/// Adds to a page: recordings with mistakes first, then others, each with its spectrogram; the
/// probabilities of the tokens over time, and the attention, of one of them.
void add_recordings(Page& page, const std::vector<Example>& examples,
                    const std::vector<std::string>& heard, SpeechRecognizer& model,
                    const Features& features, const std::function<std::string(int32_t)>& shown);

}  // namespace tarsier::zoo::speech
