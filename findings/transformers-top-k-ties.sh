#!/usr/bin/env bash
# transformers: top_k=1 is not greedy.
#
# The filter removes what is below the k-th largest score, so everything equal to it stays. bfloat16
# has 8 bits: 20.01 and 20.02 are the same number, and of a vocabulary of 50000 several may share the
# first place. Sampling with top_k=1 draws among them: other tokens for other seeds, where the one
# most likely token was asked for.
set -euo pipefail
source "$(dirname -- "${BASH_SOURCE[0]}")/packages.sh"
need transformers==5.23.0 torch==2.15.0
HF_HUB_OFFLINE=1 "$python" - <<'EOF'
import torch
from transformers import GPT2Config, GPT2LMHeadModel

config = GPT2Config(vocab_size=8, n_positions=16, n_embd=8, n_layer=1, n_head=2,
                    bos_token_id=None, eos_token_id=None, tie_word_embeddings=False)
model = GPT2LMHeadModel(config).eval()
with torch.no_grad():  # the same logits at every step: 0, 20.01, 20.02, 0, …
    model.transformer.ln_f.weight.zero_()
    model.transformer.ln_f.bias.copy_(torch.eye(8)[0])
    model.lm_head.weight.zero_()
    model.lm_head.weight[1, 0], model.lm_head.weight[2, 0] = 20.01, 20.02


def sampled():
    prompt = torch.tensor([[5]])
    out = set()
    for seed in range(10):
        torch.manual_seed(seed)
        out |= set(model.generate(prompt, attention_mask=torch.ones_like(prompt), do_sample=True,
                                  top_k=1, max_new_tokens=8)[0, 1:].tolist())
    return out


exact = sampled()
model.to(torch.bfloat16)
observed = sampled()
print("expected: one token, the same for every seed, with top_k=1")
print("observed: tokens sampled:", exact, "in float32,", observed, "in bfloat16")
assert exact == {2} and observed == {1, 2}
EOF
