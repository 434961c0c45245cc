#include "zoo/speech/pictures.h"

#include <algorithm>
#include <cmath>

#include "zoo/base/format.h"
#include "zoo/report/parts.h"
#include "zoo/speech/decode.h"

namespace tarsier::zoo::speech {

namespace {

/// The frames as a picture, dark blue over red to yellow.
Picture picture_of(const Frames& frames) {
  Picture out{3, frames.width, frames.count, {}};
  out.pixels.resize(static_cast<size_t>(out.numel()));
  for (int64_t t = 0; t < frames.count; ++t)
    for (int64_t m = 0; m < frames.width; ++m) {
      const double x = std::clamp((frames.at(t, m) + 2) / 4, 0.0f, 1.0f);  // two deviations
      const double colour[3] = {std::sin(1.5 * x), 0.9 * x * x,
                                0.35 + 0.6 * std::sin(3 * x) - 0.35 * x};
      for (int64_t c = 0; c < 3; ++c)
        out.at(c, frames.width - 1 - m, t) =
            static_cast<uint8_t>(std::lround(255 * std::clamp(colour[c], 0.0, 1.0)));
    }
  return out;
}

/// log p of a recording, (T', V).
Tensor log_probs_of(SpeechRecognizer& model, const Frames& frames) {
  const Batch batch = batch_of({frames});
  return select(model(batch["frames"], batch["lengths"]), 0, 0);
}

/// The probabilities over time of the tokens that were likely at some moment.
void add_probabilities(Page& page, const Tensor& log_probs, const Features& features,
                       const std::function<std::string(int32_t)>& shown) {
  const std::vector<double> p = exp(log_probs).to_vector();
  const int64_t moments = log_probs.size(0), tokens = log_probs.size(1);
  std::vector<double> values;
  std::vector<std::string> rows, columns;
  for (int64_t v = 0; v < tokens; ++v) {
    std::vector<double> row;
    for (int64_t t = 0; t < moments; ++t) row.push_back(p[static_cast<size_t>(t * tokens + v)]);
    if (*std::max_element(row.begin(), row.end()) < 0.05) continue;
    rows.push_back(shown(static_cast<int32_t>(v)));
    values.insert(values.end(), row.begin(), row.end());
  }
  for (int64_t t = 0; t < moments; ++t)
    columns.push_back(t % 5 == 0 ? fixed(features.seconds_of(4 * t), 1) + " s" : "");
  page.figure({heat_map(values, static_cast<int64_t>(rows.size()), moments, rows, columns,
                        {.label = "probability of the tokens over time",
                         .row_title = "token",
                         .column_title = "time",
                         .high = 1,
                         .cell = 14,
                         .percent = true}),
               "How likely each token is at each moment. Between words the model is sure of the "
               "blank; a word needs only one moment."});
}

}  // namespace

Svg spectrogram_with_words(const Frames& frames, const Tensor& log_probs,
                           const std::function<std::string(int32_t)>& shown,
                           const std::string& label) {
  std::vector<PictureSpan> spans;
  for (const Span& span : greedy_spans(log_probs))
    spans.push_back(
        {shown(span.token), 4 * span.begin, std::min(4 * span.end, frames.count), span.score});
  return picture_with_spans(picture_of(frames), spans, label);
}

void add_recordings(Page& page, const std::vector<Example>& examples,
                    const std::vector<std::string>& heard, SpeechRecognizer& model,
                    const Features& features, const std::function<std::string(int32_t)>& shown) {
  constexpr size_t kMistakes = 12, kRight = 6;
  constexpr int64_t kLongest = 1000;  // frames: ten seconds
  page.section("Validation recordings");
  page.paragraph(
      "Mistakes, then others. A spectrogram shows which frequencies are in the sound, time to the "
      "right, low ones at the bottom. Below it is what the model writes, and where: CTC learns "
      "this alignment from the texts alone.");
  std::vector<size_t> mistakes, right;
  for (size_t i = 0; i < examples.size(); ++i) {
    if (features.frames(static_cast<int64_t>(examples[i].samples.size())) > kLongest) continue;
    (heard[i] == examples[i].text ? right : mistakes).push_back(i);
  }
  std::vector<size_t> chosen(mistakes.begin(), mistakes.begin() + static_cast<int64_t>(std::min(
                                                                      mistakes.size(), kMistakes)));
  for (size_t k = 0; k < kRight && k < right.size(); ++k)  // spread over the split
    chosen.push_back(right[(k + 1) * right.size() / std::min(kRight, right.size()) - 1]);
  std::vector<Figure> figures;
  for (const size_t i : chosen) {
    const Frames frames = features(examples[i].samples);
    const bool wrong = heard[i] != examples[i].text;
    const std::string caption =
        examples[i].text + (wrong ? concat(", heard as “", heard[i], "”") : "");
    figures.push_back({spectrogram_with_words(frames, log_probs_of(model, frames), shown, caption),
                       caption, wrong});
  }
  page.figures(figures);
  if (chosen.empty()) return;

  const Example& last = examples[chosen.back()];
  const Frames frames = features(last.samples);
  page.section("Probabilities and attention");
  page.paragraph(concat("Of the recording “", last.text, "”."));
  const Tensor log_probs = log_probs_of(model, frames);
  add_probabilities(page, log_probs, features, shown);
  const Batch batch = batch_of({frames});
  std::vector<std::string> moments;
  for (int64_t t = 0; t < log_probs.size(0); ++t)
    moments.push_back(fixed(features.seconds_of(4 * t), 2));
  add_attention(page, model.attention(batch["frames"], batch["lengths"]), moments,
                "Each row is a moment, in seconds, that looks at all moments, in the last layer, "
                "averaged over the heads.");
}

}  // namespace tarsier::zoo::speech
