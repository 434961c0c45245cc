#!/usr/bin/env python3
"""Tiny models in folders of transformers, with what transformers answers to texts and pictures.

    python3 tests/golden/make_hub.py

writes hub/NAME/: config.json and model.safetensors by save_pretrained, and expected.json. The
tokenizers are those of tokenizers/ (make_tokenizers.py); the test puts their tokenizer.json there.
"""
import json
import os
import pathlib
import shutil
import tempfile

import torch
import transformers
from PIL import Image
from tokenizers import Tokenizer
from transformers import (BertConfig, BertForMaskedLM, BertForSequenceClassification, GPT2Config,
                          GPT2LMHeadModel, LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast,
                          ViTConfig, ViTForImageClassification, ViTImageProcessor)

HERE = pathlib.Path(__file__).resolve().parent
torch.manual_seed(20261201)
TEXT = ("The bird that sings in the thicket sings the thing that the other birds sing; it's theirs. "
        "Café, naïve 12 of 1,234 birds!\n\tthe third é\n") * 3


def tokenizer_of(name):
    spec = json.loads((HERE / "tokenizers" / f"{name}.json").read_text())["tokenizer"]
    return PreTrainedTokenizerFast(tokenizer_object=Tokenizer.from_str(json.dumps(spec)))


def save(name, model, expected):
    folder = HERE / "hub" / name
    shutil.rmtree(folder, ignore_errors=True)
    model.save_pretrained(folder)
    (folder / "generation_config.json").unlink(missing_ok=True)
    (folder / "expected.json").write_text(json.dumps(expected, ensure_ascii=False) + "\n")


def random(model, scale=0.3):
    """Zeros and ones would hide mistakes."""
    for parameter in model.parameters():
        parameter.copy_(scale * torch.randn_like(parameter))
    return model.eval()


def decoder(name, tokenizer, model, window):
    prompt = "The birds sing"
    ids = torch.tensor([tokenizer(prompt).input_ids])
    out = model.generate(ids, max_new_tokens=12, do_sample=False, pad_token_id=0,
                         attention_mask=torch.ones_like(ids))
    plain = tokenizer(TEXT, add_special_tokens=False).input_ids
    loss = 0.0
    for start in range(0, len(plain) - 1, window):
        part = torch.tensor([plain[start:start + window + 1]])
        logits = model(part[:, :-1]).logits[0].double()
        loss += torch.nn.functional.cross_entropy(logits, part[0, 1:], reduction="sum").item()
    save(name, model, {"prompt": prompt, "text": TEXT, "tokens": len(plain),
                       "continued": tokenizer.decode(out[0], skip_special_tokens=True),
                       "loss": loss / (len(plain) - 1)})


def bert_config(tokenizer, **more):
    return BertConfig(vocab_size=len(tokenizer), hidden_size=16, num_hidden_layers=2,
                      num_attention_heads=4, intermediate_size=24, max_position_embeddings=40, **more)


with torch.no_grad():
    torch.manual_seed(8)  # continuations with characters of several bytes
    gpt2 = tokenizer_of("gpt2")
    decoder("gpt2", gpt2, random(GPT2LMHeadModel(GPT2Config(
        vocab_size=len(gpt2), n_positions=24, n_embd=16, n_layer=2, n_head=4, bos_token_id=0,
        eos_token_id=0))), 24)
    llama3 = tokenizer_of("llama3")
    decoder("llama", llama3, random(LlamaForCausalLM(LlamaConfig(
        vocab_size=len(llama3), hidden_size=16, intermediate_size=24, num_hidden_layers=2,
        num_attention_heads=4, num_key_value_heads=2, max_position_embeddings=32,
        bos_token_id=llama3.convert_tokens_to_ids("<|begin_of_text|>"),
        eos_token_id=llama3.convert_tokens_to_ids("<|eot_id|>")))), 32)

    bert = tokenizer_of("bert")
    texts = [["The bird sings"], ["Don't you hear 12 of them?"], ["Übermütige Vögel", "a third bird"]]
    model = random(BertForSequenceClassification(bert_config(
        bert, num_labels=3, id2label={0: "bad", 1: "fair", 2: "good"})), 1)
    rows = [bert(*text, return_tensors="pt", return_token_type_ids=True) for text in texts]
    save("bert-classifier", model, [
        {"text": "\t".join(text),
         "probabilities": model(input_ids=r.input_ids, token_type_ids=r.token_type_ids)
         .logits[0].softmax(-1).tolist()} for text, r in zip(texts, rows)])
    model = random(BertForMaskedLM(bert_config(bert)), 1)
    found = bert("the bird [MASK] in the [MASK]", return_tensors="pt").input_ids
    places = (found[0] == bert.convert_tokens_to_ids("[MASK]")).nonzero()[:, 0]
    best = model(found).logits[0, places].softmax(-1).topk(2)
    save("bert-masked", model, {
        "text": "the bird [MASK] in the [MASK]",
        "tokens": [bert.convert_ids_to_tokens(row) for row in best.indices.tolist()],
        "probabilities": best.values.tolist()})

    model = random(ViTForImageClassification(ViTConfig(
        hidden_size=16, num_hidden_layers=2, num_attention_heads=4, intermediate_size=24,
        image_size=8, patch_size=4, num_labels=3, id2label={0: "cat", 1: "dog", 2: "owl"})))
    processor = ViTImageProcessor(size={"height": 8, "width": 8}, image_mean=[0.4, 0.5, 0.6],
                                  image_std=[0.2, 0.25, 0.3])
    pixels = [[(37 * x + 11 * y) % 256, (5 * x * y + 3) % 256, (91 * y + x) % 256]
              for y in range(8) for x in range(8)]
    image = Image.new("RGB", (8, 8))
    image.putdata([tuple(p) for p in pixels])
    values = processor(image, return_tensors="pt").pixel_values
    save("vit", model, {"pixels": pixels,
                        "probabilities": model(values).logits[0].softmax(-1).tolist()})
    with tempfile.TemporaryDirectory() as folder:
        processor.save_pretrained(folder)
        for name in os.listdir(folder):  # preprocessor_config.json, or processor_config.json
            shutil.copyfile(os.path.join(folder, name), HERE / "hub" / "vit" / name)
print("transformers", transformers.__version__)
