"""Small tokenizers of every kind that zoo/tokenizer_json reads, with the ids that Hugging Face's
tokenizers gives random texts.

    pip install tokenizers
    python tests/golden/make_tokenizers.py [FOLDER SEED COUNT]

tokenizers/NAME.json has "tokenizer", the content of a tokenizer.json; "samples", texts with their
ids, the ids without special tokens, and the decoded text; "pairs", pairs of texts with ids and types;
"decoded", random ids with their text. With arguments the files go to FOLDER, with COUNT texts each,
made from another seed.
"""

import json
import pathlib
import random
import sys

from tokenizers import (AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers,
                        processors, trainers)

HERE = pathlib.Path(__file__).parent
LLAMA3 = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*"
          r"|\s*[\r\n]+|\s+(?!\S)|\s+")
QWEN2 = LLAMA3.replace("{1,3}", "")
TRAIN = [
    "The bird that sings in the thicket sings the thing that the other birds sing; it's theirs.",
    "Don't you hear 12 of them? 1,234 birds! We've heard 2024, they'll come, I'm sure, he'd know.",
    "Übermütige Vögel singen überall, größere und kleinere. Café, naïve, señor, façade.",
    "aaaa aaa aa a\n\n\tthe bird\r\n\tthe other bird\n    the third\n",
    "Птицы поют в лесу. 鳥が歌う。 鸟在唱歌 한국어 새가 노래한다 हिन्दी में पक्षी गाते हैं العصافير تغني",
] * 2
WORDS = " ".join(TRAIN).split()


def random_character(rng):
    blocks = [(0, 0x80), (0x80, 0x250), (0x300, 0x370), (0x370, 0x600), (0x600, 0x1200),
              (0x1100, 0x1200), (0x1E00, 0x2000), (0x2000, 0x2C00), (0x3000, 0x3200),
              (0x4E00, 0x4F00), (0xA640, 0xABFF), (0xAC00, 0xAD00), (0xF900, 0xFB50),
              (0xFE00, 0x10000), (0x10000, 0x11000), (0x1D400, 0x1D800), (0x1F000, 0x1FA00),
              (0, 0x110000)]
    while True:
        c = rng.randrange(*rng.choice(blocks))
        if not 0xD800 <= c < 0xE000:
            return chr(c)


def random_text(rng, specials):
    """Pieces of the training text, contractions, marks, white space, special tokens, anything."""
    pieces = [
        lambda: rng.choice(WORDS),
        lambda: (t := rng.choice(TRAIN))[(at := rng.randrange(len(t))):at + rng.randrange(12)],
        lambda: rng.choice(["'s", "'T", "'RE", "'ve", "'m", "'Ll", "'d", "'ſ", "''s", "'", "’s"]),
        lambda: rng.choice(" \t\n\r\v\f\u0085\u00a0\u1680\u2003\u2028\u2029\u202f\u3000\u200b")
        * rng.randrange(1, 4),
        lambda: " " * rng.randrange(1, 5),
        lambda: rng.choice(["\r\n", "\n\n", " \n ", "\n  x", "!\n\n"]),
        lambda: str(rng.randrange(10 ** rng.randrange(1, 8))),
        lambda: rng.choice("äßéñøłçœǅʰªº²½Ⅷ٣०中文字कи́ʼ’“”…—€😀👨\u200d👩🇩🇪\ufe0f\u0301İΣÅ가"),
        lambda: rng.choice("aeou가각ⓐ\u0915") + "".join(
            chr(rng.choice([0x300, 0x301, 0x308, 0x316, 0x323, 0x327, 0x334, 0x345, 0x5B0, 0x93C,
                            0x1161, 0x11A8, 0x302E])) for _ in range(rng.randrange(4))),
        lambda: random_character(rng),
        lambda: rng.choice(specials),
        lambda: rng.choice(["", " ", "\n ", "x"]) + rng.choice(specials)
        + rng.choice(["", " ", "  ", "x", "é"]),
        lambda: rng.choice(["▁", "##", "Ġ", "</w>", "<0x41>", "_"]),
    ]
    return "".join(rng.choice(pieces)() for _ in range(rng.randrange(1, 14)))


def trained(model, trainer, **parts):
    tokenizer = Tokenizer(model)
    for name, part in parts.items():
        setattr(tokenizer, name, part)
    tokenizer.train_from_iterator(TRAIN, trainer)
    return tokenizer


def bpe(size=330, alphabet=None, specials=(), **options):
    return trainers.BpeTrainer(vocab_size=size, show_progress=False, special_tokens=list(specials),
                               initial_alphabet=alphabet or [], **options)


BYTES = pre_tokenizers.ByteLevel.alphabet()


def gpt2():
    t = trained(models.BPE(), bpe(alphabet=BYTES, specials=["<|endoftext|>"]),
                pre_tokenizer=pre_tokenizers.ByteLevel(add_prefix_space=False),
                decoder=decoders.ByteLevel())
    t.post_processor = processors.ByteLevel(trim_offsets=False)
    return t


def llama3():
    t = trained(models.BPE(ignore_merges=True), bpe(alphabet=BYTES),
                pre_tokenizer=pre_tokenizers.Sequence([
                    pre_tokenizers.Split(Regex(LLAMA3), "isolated"),
                    pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)]),
                decoder=decoders.ByteLevel())
    spec = json.loads(t.to_str())  # a word in one token, which no merges make
    spec["model"]["vocab"]["Ġhello"] = len(spec["model"]["vocab"])
    t = Tokenizer.from_str(json.dumps(spec))
    t.add_special_tokens(["<|begin_of_text|>", "<|eot_id|>"])
    begin = t.token_to_id("<|begin_of_text|>")
    t.post_processor = processors.Sequence([
        processors.ByteLevel(trim_offsets=False),
        processors.TemplateProcessing(single="<|begin_of_text|> $A",
                                      pair="<|begin_of_text|> $A <|begin_of_text|>:1 $B:1",
                                      special_tokens=[("<|begin_of_text|>", begin)])])
    return t


def qwen2():
    t = trained(models.BPE(), bpe(alphabet=BYTES), normalizer=normalizers.NFC(),
                pre_tokenizer=pre_tokenizers.Sequence([
                    pre_tokenizers.Split(Regex(QWEN2), "isolated"),
                    pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)]),
                decoder=decoders.ByteLevel())
    t.add_special_tokens(["<|im_start|>", AddedToken("<|im_end|>", rstrip=True)])
    t.add_tokens([AddedToken("bird", single_word=True), AddedToken("<tool>", lstrip=True),
                  AddedToken("é!", normalized=True), "<tool>x"])
    return t


def llama2():
    alphabet = [f"<0x{b:02X}>" for b in range(256)]
    t = trained(models.BPE(byte_fallback=True, fuse_unk=True, unk_token="<unk>"),
                bpe(420, specials=["<unk>", "<s>", "</s>"] + alphabet, limit_alphabet=40),
                pre_tokenizer=pre_tokenizers.Metaspace(prepend_scheme="first", split=False),
                decoder=decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(),
                                           decoders.Fuse(), decoders.Strip(" ", 1, 0)]))
    spec = json.loads(t.to_str())  # bytes are ordinary tokens
    spec["added_tokens"] = spec["added_tokens"][:3]
    t = Tokenizer.from_str(json.dumps(spec))
    t.post_processor = processors.TemplateProcessing(single="<s> $A", pair="<s> $A <s>:1 $B:1",
                                                     special_tokens=[("<s>", 1)])
    return t


def llama2_old():
    spec = json.loads(llama2().to_str())
    spec["pre_tokenizer"] = None
    spec["model"]["byte_fallback"] = False  # unknown characters are fused
    spec["normalizer"] = {"type": "Sequence", "normalizers": [
        {"type": "Prepend", "prepend": "▁"},
        {"type": "Replace", "pattern": {"String": " "}, "content": "▁"}]}
    spec["model"]["merges"] = [" ".join(m) for m in spec["model"]["merges"]]
    return Tokenizer.from_str(json.dumps(spec))


SPECIALS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]


def bert(lowercase):
    t = trained(models.WordPiece(unk_token="[UNK]", max_input_chars_per_word=12),
                trainers.WordPieceTrainer(vocab_size=300, show_progress=False,
                                          special_tokens=SPECIALS),
                normalizer=normalizers.BertNormalizer(lowercase=lowercase),
                pre_tokenizer=pre_tokenizers.BertPreTokenizer(),
                decoder=decoders.WordPiece(cleanup=lowercase))
    if lowercase:
        t.post_processor = processors.TemplateProcessing(
            single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1",
            special_tokens=[("[CLS]", 2), ("[SEP]", 3)])
    else:
        t.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    return t


def roberta():
    names = ["<s>", "<pad>", "</s>", "<unk>"]
    t = trained(models.BPE(), bpe(alphabet=BYTES, specials=names),
                pre_tokenizer=pre_tokenizers.ByteLevel(add_prefix_space=True),
                decoder=decoders.ByteLevel())
    t.add_special_tokens([AddedToken("<mask>", lstrip=True)])
    t.post_processor = processors.RobertaProcessing(("</s>", 2), ("<s>", 0))
    return t


def smollm():
    return trained(models.BPE(), bpe(alphabet=BYTES, specials=["<|endoftext|>"]),
                   pre_tokenizer=pre_tokenizers.Sequence([
                       pre_tokenizers.Digits(individual_digits=True),
                       pre_tokenizers.ByteLevel(add_prefix_space=False)]),
                   decoder=decoders.ByteLevel())


def unigram():
    t = trained(models.Unigram(), trainers.UnigramTrainer(
        vocab_size=150, show_progress=False, special_tokens=["<pad>", "</s>", "<unk>"],
        unk_token="<unk>"),
        pre_tokenizer=pre_tokenizers.Sequence([pre_tokenizers.WhitespaceSplit(),
                                               pre_tokenizers.Metaspace()]),
        decoder=decoders.Metaspace())
    t.post_processor = processors.TemplateProcessing(single="$A </s>", pair="$A </s> $B </s>",
                                                     special_tokens=[("</s>", 1)])
    return t


def words():
    return trained(models.WordPiece(unk_token="[UNK]"),
                   trainers.WordPieceTrainer(vocab_size=250, show_progress=False,
                                             special_tokens=["[UNK]"]),
                   normalizer=normalizers.Sequence([
                       normalizers.Strip(), normalizers.NFD(), normalizers.StripAccents(),
                       normalizers.Lowercase(), normalizers.Replace("oo", "0")]),
                   pre_tokenizer=pre_tokenizers.Sequence([
                       pre_tokenizers.Whitespace(), pre_tokenizers.Punctuation("contiguous"),
                       pre_tokenizers.Digits(individual_digits=False)]))


def splits():
    t = trained(models.BPE(unk_token="?", end_of_word_suffix="</w>"),
                bpe(200, specials=["?"], end_of_word_suffix="</w>", limit_alphabet=30),
                pre_tokenizer=pre_tokenizers.Sequence([
                    pre_tokenizers.Split(" ", "merged_with_previous"),
                    pre_tokenizers.Split("s", "merged_with_next"),
                    pre_tokenizers.Split("i", "contiguous"), pre_tokenizers.Split("e", "removed"),
                    pre_tokenizers.Split("a", "merged_with_next", invert=True),
                    pre_tokenizers.CharDelimiterSplit("n")]),
                decoder=decoders.BPEDecoder())
    return t


KINDS = {"gpt2": gpt2, "llama3": llama3, "qwen2": qwen2, "llama2": llama2, "llama2-old": llama2_old,
         "bert": lambda: bert(True), "bert-cased": lambda: bert(False), "roberta": roberta,
         "smollm": smollm, "unigram": unigram, "words": words, "splits": splits}


def main():
    folder = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else HERE / "tokenizers"
    seed, count = map(int, sys.argv[2:]) if len(sys.argv) > 1 else (20261201, 60)
    folder.mkdir(exist_ok=True)
    spare = pathlib.Path(HERE / "tokenizers")
    for name, make in KINDS.items():
        kept = spare / f"{name}.json"  # a trainer's ties depend on the order of a hash
        tokenizer = (Tokenizer.from_str(json.dumps(json.loads(kept.read_text())["tokenizer"]))
                     if kept.exists() else make())
        rng = random.Random(f"{seed} {name}")
        specials = [t.content for t in tokenizer.get_added_tokens_decoder().values()] or ["<s>"]
        texts = ["", " ", "hello", " hello world"]
        texts += [random_text(rng, specials) for _ in range(count)]
        ids = [rng.randrange(tokenizer.get_vocab_size()) for _ in range(6 * count)]
        pairs = [(rng.choice(texts), rng.choice(texts)) for _ in range(count // 6)]
        encoded = [tokenizer.encode(a, b) for a, b in pairs]
        (folder / f"{name}.json").write_text(json.dumps({
            "tokenizer": json.loads(tokenizer.to_str()),
            "samples": [{"text": text, "ids": (e := tokenizer.encode(text)).ids,
                         "plain": tokenizer.encode(text, add_special_tokens=False).ids,
                         "decoded": tokenizer.decode(e.ids)} for text in texts],
            "pairs": [{"texts": pair, "ids": e.ids, "types": e.type_ids}
                      for pair, e in zip(pairs, encoded)],
            "decoded": [{"ids": ids[i:i + 6],
                         "text": tokenizer.decode(ids[i:i + 6], skip_special_tokens=False)}
                        for i in range(0, len(ids), 6)],
        }, ensure_ascii=False) + "\n")


main()
