#include "zoo/music/generate.h"

#include <vector>

namespace tarsier::zoo::music {

namespace {

/// The facts of the notes begin … end − 1: (1, T, F).
Tensor known(const Facts& facts, const Score& score, int64_t begin, int64_t end) {
  std::vector<int64_t> all;
  for (int64_t i = begin; i < end; ++i) facts.append(score, i, all);
  return from_vector(all, {1, end - begin, facts.count()});
}

}  // namespace

Score written(MusicTransformer& model, Score score, const gpt::Sampling& sampling) {
  check(score.voices == model.config.voices, "music", "a piece of ", score.voices,
        " voices for a model of ", model.config.voices);
  const NoGrad no_grad;
  const bool was_training = model.is_training();
  model.eval();
  Cache cache;
  for (int64_t i = 0; i < score.size(); ++i) {
    if (!cache.empty() && cache.front().length() >= model.config.window) {
      cache.clear();
      model(known(model.facts, score, i - model.config.window / 2, i), &cache);
    }
    const Tensor logits = model(known(model.facts, score, i, i + 1), &cache);
    int32_t& note = score.notes[static_cast<size_t>(i)];
    if (note == kOpen) {
      const double u = uniform<double>({sampling.seed, 0}, static_cast<uint64_t>(i));
      note = model.facts.note_of(gpt::sample_index(logits.to_vector(), sampling, u));
    } else {
      model.facts.index_of(note);  // reports a note that the model does not know
    }
  }
  model.train(was_training);
  return score;
}

}  // namespace tarsier::zoo::music
