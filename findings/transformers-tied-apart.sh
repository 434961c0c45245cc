#!/usr/bin/env bash
# transformers 5: a config that says "tied" does not mean that the weights are.
#
# GPT-2's config ties the head to the embedding. A head that was replaced (an adapter merged into it,
# say) is saved under its own name, while config.json goes on saying tie_word_embeddings: true.
# from_pretrained believes the file, and only warns. Any other reader that believes config.json
# computes other logits from the same folder, without an error.
set -euo pipefail
source "$(dirname -- "${BASH_SOURCE[0]}")/packages.sh"
need transformers==5.23.0 torch==2.15.0 safetensors==0.8.0
HF_HUB_OFFLINE=1 "$python" - <<'EOF'
import json
import tempfile

import torch
from safetensors.torch import load_file
from transformers import GPT2Config, GPT2LMHeadModel, logging

logging.set_verbosity_error()
logging.disable_progress_bar()
torch.manual_seed(0)
config = GPT2Config(vocab_size=11, n_positions=8, n_embd=8, n_layer=1, n_head=2,
                    bos_token_id=0, eos_token_id=0)
model = GPT2LMHeadModel(config)
model.lm_head.weight = torch.nn.Parameter(torch.ones(11, 8))
with tempfile.TemporaryDirectory() as folder:
    model.save_pretrained(folder)
    says_tied = json.load(open(folder + "/config.json")).get("tie_word_embeddings", True)
    names = load_file(folder + "/model.safetensors").keys()
    loaded = GPT2LMHeadModel.from_pretrained(folder)
head, embedding = loaded.lm_head.weight, loaded.transformer.wte.weight
print("expected: tied weights, as config.json says, or a config.json that says otherwise")
print("observed: tie_word_embeddings:", says_tied,
      " own head in the file:", "lm_head.weight" in names,
      " head and embedding equal after loading:", torch.equal(head, embedding))
assert says_tied and "lm_head.weight" in names
assert torch.equal(head, torch.ones(11, 8)) and not torch.equal(head, embedding)
EOF
