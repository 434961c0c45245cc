#!/usr/bin/env python3
"""Makes the folders of tests/zoo/llama_pretrained_test.cpp with transformers 5.

    python3 tests/golden/make_llama.py

writes llama/ in its folder: tiny random decoders of Llama's family, as save_pretrained leaves them,
and expected.safetensors in each with inputs and logits.
"""
import os
import shutil

import torch
import transformers
from safetensors.torch import save_file

torch.manual_seed(20261201)
transformers.logging.set_verbosity_error()
transformers.utils.logging.disable_progress_bar()
HERE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "llama")
shutil.rmtree(HERE, ignore_errors=True)

SIZES = dict(vocab_size=11, hidden_size=8, intermediate_size=6, num_hidden_layers=2,
             num_attention_heads=4, num_key_value_heads=2, head_dim=8, max_position_embeddings=64,
             rms_norm_eps=1e-2, bos_token_id=None, eos_token_id=None, pad_token_id=None,
             attn_implementation="eager")


def save(name, kind, length=12, rope=None, **options):
    config = getattr(transformers, kind + "Config")(**{**SIZES, **options}, **(
        {"rope_parameters": {"rope_theta": 10000.0, **rope}} if rope else {}))
    model = getattr(transformers, kind + "ForCausalLM")(config).eval()
    with torch.no_grad():  # ones and small weights would hide mistakes
        for key, weight in model.named_parameters():
            weight.copy_((1 if "norm" in key else 0) + 0.4 * torch.randn_like(weight))
    folder = os.path.join(HERE, name)
    model.save_pretrained(folder)
    if os.path.exists(os.path.join(folder, "generation_config.json")):
        os.remove(os.path.join(folder, "generation_config.json"))
    loaded = type(model).from_pretrained(folder, attn_implementation="eager").eval()
    ids = torch.randint(0, 11, (2, length))
    with torch.no_grad():
        logits = loaded(ids).logits
    save_file({"input_ids": ids, "logits": logits.contiguous()},
              os.path.join(folder, "expected.safetensors"))
    print(name, sum(os.path.getsize(os.path.join(folder, f)) for f in os.listdir(folder)), "bytes")


save("plain", "Llama")
save("biases", "Llama", attention_bias=True, mlp_bias=True, num_key_value_heads=4, head_dim=2)
save("tied", "Llama", tie_word_embeddings=True, num_key_value_heads=1,
     rope={"rope_type": "default", "rope_theta": 100.0})
save("linear", "Llama", num_hidden_layers=1, rope={"rope_type": "linear", "factor": 4.0})
for name, length in {"dynamic": 20, "dynamic-short": 6}.items():
    save(name, "Llama", length=length, num_hidden_layers=1, max_position_embeddings=8,
         rope={"rope_type": "dynamic", "factor": 2.0})
save("yarn", "Llama", num_hidden_layers=1, rope={
    "rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 1024})
save("yarn-mscale", "Llama", num_hidden_layers=1, rope={
    "rope_type": "yarn", "factor": 4.0, "mscale": 1.0, "mscale_all_dim": 0.5, "beta_fast": 16.0,
    "truncate": False, "original_max_position_embeddings": 256})
save("llama3", "Llama", num_hidden_layers=1, rope={
    "rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
    "original_max_position_embeddings": 128})
save("mistral", "Mistral", sliding_window=3)
save("mistral-full", "Mistral", num_hidden_layers=1, sliding_window=None)
save("qwen2", "Qwen2", use_sliding_window=True, sliding_window=4, max_window_layers=1, head_dim=2)
save("qwen2-full", "Qwen2", num_hidden_layers=1, sliding_window=4, head_dim=2)
save("qwen3", "Qwen3", tie_word_embeddings=True, attention_bias=True)
