#!/usr/bin/env python3
"""Makes the small checkpoints of tests/zoo/bert_pretrained_test.cpp and vit_pretrained_test.cpp
with the transformers library (https://github.com/huggingface/transformers).

    python3 tests/golden/make_hugging_face_encoders.py

writes bert-tiny/ and vit-tiny/ next to itself. In each a folder for every model, as save_pretrained
leaves it (config.json, model.safetensors), and expected.safetensors: inputs and what the model gave
for them. The models differ in their options as well.
"""
import os

import torch
import transformers
from safetensors.torch import save_file

torch.manual_seed(20261121)
HERE = os.path.dirname(os.path.abspath(__file__))


def save(path, model, inputs, outputs):
    """`outputs` names what to keep of the model's answer to `inputs`."""
    folder = os.path.join(HERE, path)
    with torch.no_grad():  # the usual small weights are nearly linear, and hide mistakes
        for name, weight in model.named_parameters():
            center = 1 if "norm" in name.lower() and name.endswith("weight") else 0
            weight.copy_(center + 0.4 * torch.randn_like(weight))
    answer = model.eval()(**inputs)
    model.save_pretrained(folder)
    expected = {**inputs, **{name: answer[name] for name in outputs}}
    save_file({name: tensor.contiguous() for name, tensor in expected.items()},
              os.path.join(folder, "expected.safetensors"))
    print(path, {name: round(float(answer[name].detach().abs().max()), 2) for name in outputs},
          sum(os.path.getsize(os.path.join(folder, file)) for file in os.listdir(folder)), "bytes")


def bert(model, path, outputs, **options):
    sizes = dict(vocab_size=30, hidden_size=12, num_hidden_layers=2, num_attention_heads=3,
                 intermediate_size=20, max_position_embeddings=9, attn_implementation="eager")
    lengths = torch.tensor([[7], [4], [1]])
    mask = (torch.arange(7) < lengths).long()
    inputs = {"input_ids": torch.randint(1, 30, (3, 7)) * mask, "attention_mask": mask,
              "token_type_ids": torch.randint(0, 2, (3, 7))}
    save(path, model(transformers.BertConfig(**{**sizes, **options})), inputs, outputs)


def vit(path, **options):
    sizes = dict(image_size=8, patch_size=4, hidden_size=12, num_hidden_layers=2,
                 num_attention_heads=3, intermediate_size=20, num_labels=5,
                 attn_implementation="eager")
    config = transformers.ViTConfig(**{**sizes, **options})
    save(path, transformers.ViTForImageClassification(config),
         {"pixel_values": torch.randn(3, config.num_channels, 8, 8)}, ["logits"])


bert(transformers.BertForMaskedLM, "bert-tiny/masked-lm", ["logits"],
     hidden_act="relu", layer_norm_eps=0.2)
bert(transformers.BertForSequenceClassification, "bert-tiny/classifier", ["logits"],
     hidden_act="gelu_new", layer_norm_eps=0.1, num_labels=3)
bert(transformers.BertModel, "bert-tiny/model", ["last_hidden_state", "pooler_output"])
vit("vit-tiny/classifier")
vit("vit-tiny/no-bias", qkv_bias=False, num_channels=1, hidden_act="gelu_new", layer_norm_eps=0.1)
