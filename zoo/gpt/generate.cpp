#include "zoo/gpt/generate.h"

namespace tarsier::zoo::gpt {

void generate(Gpt& model, const std::vector<int32_t>& prompt, int64_t count,
              const Sampling& sampling, const std::function<void(int32_t)>& emit) {
  check(!prompt.empty(), "generate", "the prompt is empty: give at least one token");
  NoGrad no_grad;
  const bool was_training = model.is_training();
  model.eval();
  std::vector<int64_t> context(prompt.begin(), prompt.end());
  Cache cache;
  size_t cached = 0;
  for (int64_t i = 0; i < count; ++i) {
    const auto size = static_cast<int64_t>(context.size());
    Tensor logits;
    if (model.config.is_relative() || size <= model.config.block_size) {
      const std::vector<int64_t> added(context.begin() + static_cast<int64_t>(cached),
                                       context.end());
      logits =
          model.next_logits(from_vector(added, {1, static_cast<int64_t>(added.size())}), cache);
      cached = context.size();
    } else {
      // The window moves on: every token gets another position, so everything is recomputed.
      context.erase(context.begin(), context.end() - model.config.block_size);
      logits = model.next_logits(from_vector(context, {1, model.config.block_size}));
    }
    const double u = uniform<double>({sampling.seed, 0}, static_cast<uint64_t>(i));
    const int64_t next = sample_index(logits.to_vector(), sampling, u);
    context.push_back(next);
    emit(static_cast<int32_t>(next));
  }
  model.train(was_training);
}

}  // namespace tarsier::zoo::gpt
