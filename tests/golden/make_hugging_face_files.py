#!/usr/bin/env python3
"""Makes the folders of tests/zoo/pretrained_files_test.cpp with transformers 5: what users have
that is not as save_pretrained leaves an ordinary model.

    python3 tests/golden/make_hugging_face_files.py

writes hugging-face/ in its folder. In each folder config.json and weights, and expected.safetensors
with inputs and what transformers makes of that folder; activations.safetensors has every activation
of transformers at the points "x".
"""
import json
import os
import shutil

import torch
import transformers
from safetensors.torch import save_file, save_model
from transformers.activations import ACT2FN

torch.manual_seed(20261129)
transformers.logging.set_verbosity_error()
transformers.utils.logging.disable_progress_bar()
HERE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "hugging-face")
shutil.rmtree(HERE, ignore_errors=True)
os.makedirs(HERE)

GPT2 = dict(vocab_size=11, n_positions=6, n_embd=8, n_layer=1, n_head=2, layer_norm_epsilon=1e-2,
            bos_token_id=None, eos_token_id=None)
BERT = dict(vocab_size=11, hidden_size=8, num_hidden_layers=1, num_attention_heads=2,
            intermediate_size=12, max_position_embeddings=6, attn_implementation="eager")
VIT = dict(image_size=4, patch_size=2, hidden_size=8, num_hidden_layers=2, num_attention_heads=2,
           intermediate_size=12, num_labels=3, num_channels=1, attn_implementation="eager")
IDS = torch.randint(0, 11, (2, 6))


def random(model):
    """Zeros, ones and small weights would hide mistakes."""
    with torch.no_grad():
        for name, weight in model.named_parameters():
            center = 1 if "norm" in name.lower() and name.endswith("weight") else 0
            weight.copy_(center + 0.4 * torch.randn_like(weight))
    return model.eval()


def save(name, model, write=None, load=None, outputs=("logits",), edit=None, **inputs):
    """Writes a folder and what `load` (the model's own class) makes of it."""
    folder = os.path.join(HERE, name)
    if write is None:
        model.save_pretrained(folder)
    else:
        os.makedirs(folder)
        model.config.architectures = [type(model).__name__]
        model.config.save_pretrained(folder)
        write(model, os.path.join(folder, "model.safetensors"))
    if os.path.exists(os.path.join(folder, "generation_config.json")):
        os.remove(os.path.join(folder, "generation_config.json"))
    if edit:
        path = os.path.join(folder, "config.json")
        config = json.load(open(path))
        edit(config)
        json.dump(config, open(path, "w"), indent=2)
    variant = [f.split(".")[1].split("-")[0] for f in os.listdir(folder) if f.count(".") == 2]
    loaded = (load or type(model)).from_pretrained(
        folder, dtype=torch.float32, **({"variant": variant[0]} if variant else {})).eval()
    with torch.no_grad():
        answer = loaded(**inputs)
    expected = {**inputs, **{output: answer[output].float() for output in outputs}}
    save_file({key: tensor.contiguous() for key, tensor in expected.items()},
              os.path.join(folder, "expected.safetensors"))
    print(name, sum(os.path.getsize(os.path.join(folder, f)) for f in os.listdir(folder)), "bytes")


def state(model, path):
    """All of the state dict under the names that it has in memory."""
    save_file({key: tensor.clone() for key, tensor in model.state_dict().items()}, path)


def own_head(model):
    """The config still says that both are one."""
    model.lm_head.weight = torch.nn.Parameter(0.4 * torch.randn_like(model.lm_head.weight))
    return model


def gpt2(kind=transformers.GPT2LMHeadModel, **options):
    return random(kind(transformers.GPT2Config(**{**GPT2, **options})))


def bert(kind=transformers.BertForMaskedLM, **options):
    return random(kind(transformers.BertConfig(**{**BERT, **options})))


# ---- tied weights ----
save("gpt2-own-head", own_head(gpt2()), input_ids=IDS)
save("gpt2-head-only", gpt2(), write=save_model, input_ids=IDS)  # drops the second of two names
save("gpt2-equal-head", gpt2(), write=state, input_ids=IDS)

bert_own = bert()
bert_own.cls.predictions.decoder.weight = torch.nn.Parameter(0.4 * torch.randn(11, 8))
bert_own.cls.predictions.decoder.bias = torch.nn.Parameter(torch.randn(11))
save("bert-own-decoder", bert_own, write=state, input_ids=IDS)
save("bert-untied", bert(tie_word_embeddings=False), input_ids=IDS)


def decoder_only(model, path):
    save_file({key: tensor.clone() for key, tensor in model.state_dict().items()
               if key not in ("bert.embeddings.word_embeddings.weight", "cls.predictions.bias")}, path)


save("bert-decoder-only", bert(), write=decoder_only, input_ids=IDS)

# ---- heads ----
save("gpt2-double-heads", gpt2(transformers.GPT2DoubleHeadsModel, num_labels=1),
     load=transformers.GPT2LMHeadModel, input_ids=IDS)
for name, kind in {"classifier": "SequenceClassification", "token-classifier": "TokenClassification",
                   "question-answering": "QuestionAnswering"}.items():
    save("gpt2-" + name, gpt2(getattr(transformers, "GPT2For" + kind)),
         load=transformers.GPT2LMHeadModel, input_ids=IDS)
    if name != "classifier":  # bert-tiny/ has one
        save("bert-" + name, bert(getattr(transformers, "BertFor" + kind)),
             load=transformers.BertModel, outputs=["last_hidden_state"], input_ids=IDS)

# ---- names ----
save("vit-in-memory", random(transformers.ViTForImageClassification(transformers.ViTConfig(**VIT))),
     write=state, pixel_values=torch.randn(2, 1, 4, 4))
save("gpt2-aliases", gpt2(activation_function="gelu_fast"), input_ids=IDS, edit=lambda config: [
    config.update({alias: config.pop(key)}) for alias, key in
    transformers.GPT2Config.attribute_map.items()])

# ---- dtypes ----
save("gpt2-fp16", gpt2(), write=lambda model, path: model.half().save_pretrained(
    os.path.dirname(path), variant="fp16"), input_ids=IDS)
save("gpt2-bf16", gpt2(), write=lambda model, path: model.bfloat16().save_pretrained(
    os.path.dirname(path)), input_ids=IDS)

# ---- split into several files ----
save("gpt2-split", gpt2(), write=lambda model, path: model.save_pretrained(
    os.path.dirname(path), max_shard_size="1KB"), input_ids=IDS)
save("gpt2-split-fp16", gpt2(), write=lambda model, path: model.half().save_pretrained(
    os.path.dirname(path), max_shard_size="1KB", variant="fp16"), input_ids=IDS)

x = torch.linspace(-12, 12, 97)
save_file({"x": x, **{name: ACT2FN[name](x).contiguous() for name in ACT2FN
                      if name not in ("prelu", "xielu", "sqrtsoftplus", "linear")}},
          os.path.join(HERE, "activations.safetensors"))
