#!/usr/bin/env python3
"""Makes the tiny GPT-2 of tests/zoo/gpt2_pretrained_test.cpp with the transformers library.

    python3 tests/golden/make_hugging_face_gpt2.py

writes gpt2-tiny/ in its folder: config.json and model.safetensors by save_pretrained, and
expected.safetensors with what the model makes of "index": "logits"; "logits_erf" with the exact
GELU; "head" and "logits_untied" with another matrix as output layer; "greedy", the likeliest
continuation of the first row's first four tokens.
"""
import os
import shutil

import torch
import transformers
from transformers import GPT2Config, GPT2LMHeadModel

from safetensors_file import save_finite

torch.manual_seed(20261121)
FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "gpt2-tiny")
shutil.rmtree(FOLDER, ignore_errors=True)


def gpt2(**options):
    return GPT2LMHeadModel(GPT2Config(
        vocab_size=41, n_positions=10, n_embd=12, n_layer=2, n_head=3, layer_norm_epsilon=1e-3,
        bos_token_id=None, eos_token_id=None, **options)).eval()


model = gpt2()
with torch.no_grad():  # zeros and ones would hide mistakes
    for parameter in model.parameters():
        parameter.copy_(0.5 * torch.randn_like(parameter))
    model.save_pretrained(FOLDER)
    index = torch.randint(0, 41, (3, 10))
    out = {"index": index, "logits": model(index).logits}

    exact = gpt2(activation_function="gelu")
    exact.load_state_dict(model.state_dict())
    out["logits_erf"] = exact(index).logits

    untied = gpt2(tie_word_embeddings=False)
    untied.load_state_dict(model.state_dict())
    untied.lm_head.weight = torch.nn.Parameter(0.5 * torch.randn(41, 12))
    out["head"], out["logits_untied"] = untied.lm_head.weight.clone(), untied(index).logits

    out["greedy"] = model.generate(index[:1, :4], max_new_tokens=6, do_sample=False, pad_token_id=0,
                                   attention_mask=torch.ones(1, 4).long())

os.remove(os.path.join(FOLDER, "generation_config.json"))
save_finite(os.path.join(FOLDER, "expected.safetensors"), out)
print("transformers", transformers.__version__)
