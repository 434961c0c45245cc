#include "zoo/hub/decoder.h"

#include <algorithm>

#include "autograd/ops.h"
#include "zoo/hub/hub_model.h"
#include "zoo/pretrained/gpt2.h"
#include "zoo/pretrained/llama.h"

namespace tarsier::zoo::hub {

namespace {

class Gpt2Decoder final : public Decoder {
 public:
  explicit Gpt2Decoder(const std::string& folder) : gpt_(load_gpt2(folder)) {}

  nn::Module& module() override { return *gpt_; }
  int64_t vocab_size() const override { return gpt_->config.vocab_size; }
  int64_t window() const override { return gpt_->config.block_size; }
  std::string sizes() override {
    const gpt::Config& config = gpt_->config;
    return sizes_of(*gpt_, config.n_layer, config.n_head, config.n_embd);
  }
  Tensor logits(const Tensor& index) override { return (*gpt_)(index); }
  Tensor next_logits(const Tensor& index) override { return gpt_->next_logits(index, cache_); }
  void forget() override { cache_.clear(); }

 private:
  std::unique_ptr<gpt::Gpt> gpt_;
  gpt::Cache cache_;
};

class LlamaDecoder final : public Decoder {
 public:
  explicit LlamaDecoder(const std::string& folder) : llama_(load_llama(folder)) {}

  nn::Module& module() override { return *llama_; }
  int64_t vocab_size() const override { return llama_->config.vocab_size; }
  int64_t window() const override { return static_cast<int64_t>(llama_->config.rope.longest); }
  std::string sizes() override {
    const llama::Config& config = llama_->config;
    return sizes_of(*llama_, config.num_hidden_layers, config.num_attention_heads,
                    config.hidden_size);
  }
  Tensor logits(const Tensor& index) override { return (*llama_)(index); }
  Tensor next_logits(const Tensor& index) override { return llama_->next_logits(index, &cache_); }
  void forget() override { cache_.clear(); }

 private:
  std::unique_ptr<llama::Llama> llama_;
  llama::Cache cache_;
};

}  // namespace

std::unique_ptr<Decoder> load_decoder(const std::string& folder, const std::string& type) {
  if (type == "gpt2") return std::make_unique<Gpt2Decoder>(folder);
  return std::make_unique<LlamaDecoder>(folder);
}

void continue_tokens(Decoder& decoder, const std::vector<int32_t>& prompt, int64_t count,
                     const gpt::Sampling& sampling, const std::function<bool(int32_t)>& emit) {
  check(!prompt.empty(), "generate", "the prompt is empty: give at least one token");
  const NoGrad no_grad;
  std::vector<int64_t> context(prompt.begin(), prompt.end());
  decoder.forget();
  size_t read = 0;  // of the context
  const auto most = static_cast<size_t>(decoder.window()), half = std::max<size_t>(1, most / 2);
  for (int64_t i = 0; i < count; ++i) {
    if (context.size() > most) {
      context.erase(context.begin(), context.end() - static_cast<int64_t>(half));
      decoder.forget();
      read = 0;
    }
    const std::vector<int64_t> added(context.begin() + static_cast<int64_t>(read), context.end());
    read = context.size();
    const Tensor logits =
        decoder.next_logits(from_vector(added, {1, static_cast<int64_t>(added.size())}));
    const double u = uniform<double>({sampling.seed, 0}, static_cast<uint64_t>(i));
    context.push_back(gpt::sample_index(logits.to_vector(), sampling, u));
    if (!emit(static_cast<int32_t>(context.back()))) return;
  }
}

}  // namespace tarsier::zoo::hub
