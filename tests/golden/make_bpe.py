"""Golden files of byte-pair encoding.

    pip install tokenizers tiktoken
    python tests/golden/make_bpe.py [FOLDER]

bpe_vocab.json and bpe_merges.txt are a vocabulary that Hugging Face's BpeTrainer learns from TRAIN,
bpe_sample.json has TRAIN, SAMPLE and the ids that its tokenizer gives SAMPLE. bpe_tokenizer.json is
the same tokenizer, with an added token and a special one around each text, as tokenizers saves it
now (tokenizer.json); bpe_fuzz.json has random texts with the ids that it gives.

FOLDER has GPT-2's own vocab.json and merges.txt, which are too large to keep here (their SHA-256
are below); then gpt2_bpe_sample.json has SAMPLE with the ids that tiktoken gives it over them.
"""

import hashlib
import json
import pathlib
import random
import sys

import tiktoken.load
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers

HERE = pathlib.Path(__file__).parent
PATTERN = r"""'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"""
HASHES = {
    "vocab.json": "196139668be63f3b5d6574427317ae82f612a97c5d1cdaf36ed2256dbf636783",
    "merges.txt": "1ce1664773c50f3e0cc8842619a93edc4624525b728b188a9e0be33b7726adc5",
}

TRAIN = (
    "The bird that sings in the thicket sings the thing that the other birds sing; "
    "it's the birds' own song, and they're singing, singing it again. Don't you hear 12 of them? "
    "1,234 birds! Übermütige Vögel singen überall, größere und kleinere. aaaa aaa aa a\n"
    "\tthe bird\n\tthe other bird\n    the third\n" * 3
)
SAMPLE = (
    "The birds' song isn't THE song: we've sung, they'll sing, I'd've, 'tis, it's it'S rock'n'roll\n"
    "  two spaces,   three,\ttab\t\ttabs \n \n\n\r\n end of line  \n"
    "Vögel, größer, e\u0301 \u00a0\u3000NBSP \u2028 x²½Ⅷ٣ 1234567 3.14 a1b2 _under_score --- ...!?'s\n"
    "中文字符 русский हिन्दी العربية 𝒳𝒴 😀👨‍👩‍👧🇩🇪 \ufeff\x00\x1c\x7f <|endoftext|> "
    "aaaaaaaaaaaaaaaaa antidisestablishmentarianism SolidGoldMagikarp   "
)


def random_text(rng):
    """Pieces of the training text, contractions, white space of all kinds, and any characters."""
    pieces = [
        lambda: rng.choice(TRAIN.split()),
        lambda: TRAIN[(at := rng.randrange(len(TRAIN))):at + rng.randrange(12)],
        lambda: rng.choice(["'s", "'t", "'re", "'ve", "'m", "'ll", "'d", "'S", "''s", "'"]),
        lambda: rng.choice(" \t\n\r\v\f\u0085\u00a0\u1680\u2003\u2028\u2029\u202f\u3000\u200b")
        * rng.randrange(1, 4),
        lambda: " " * rng.randrange(1, 5),
        lambda: str(rng.randrange(10 ** rng.randrange(1, 7))),
        lambda: rng.choice("äßéñøłçœǅʰªº²½Ⅷ٣०中文字कи́ʼ’“”…—€😀👨\u200d👩🇩🇪\ufe0f\u0301"),
        lambda: chr(rng.choice([c for c in (rng.randrange(0x110000),) if not 0xD800 <= c < 0xE000]
                               or [65])),
        lambda: chr(rng.randrange(0x80)),
    ]
    return "".join(rng.choice(pieces)() for _ in range(rng.randrange(1, 16)))


def write(name, value):
    (HERE / name).write_text(json.dumps(value) + "\n")


def main():
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.train_from_iterator([TRAIN], trainers.BpeTrainer(
        vocab_size=330, min_frequency=2, show_progress=False,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet()))
    tokenizer.model.save(str(HERE), "bpe")
    (HERE / "bpe-vocab.json").rename(HERE / "bpe_vocab.json")
    (HERE / "bpe-merges.txt").rename(HERE / "bpe_merges.txt")
    write("bpe_sample.json", {"train": TRAIN, "text": SAMPLE, "ids": tokenizer.encode(SAMPLE).ids})

    tokenizer.add_special_tokens(["<|endoftext|>"])
    end = tokenizer.token_to_id("<|endoftext|>")
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<|endoftext|> $A", special_tokens=[("<|endoftext|>", end)])
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.save(str(HERE / "bpe_tokenizer.json"), pretty=False)
    rng = random.Random(20261129)
    texts = [random_text(rng) for _ in range(200)]
    write("bpe_fuzz.json", [{"text": text, "ids": tokenizer.encode(text, add_special_tokens=False).ids}
                            for text in texts])

    if len(sys.argv) < 2:
        return
    folder = pathlib.Path(sys.argv[1])
    for name, expected in HASHES.items():
        found = hashlib.sha256((folder / name).read_bytes()).hexdigest()
        assert found == expected, f"{folder / name} is not GPT-2's: {found}"
    tiktoken.load.read_file_cached = lambda path, expected=None: pathlib.Path(path).read_bytes()
    ranks = tiktoken.load.data_gym_to_mergeable_bpe_ranks(
        str(folder / "merges.txt"), str(folder / "vocab.json"))
    gpt2 = tiktoken.Encoding("gpt2", pat_str=PATTERN, mergeable_ranks=ranks,
                             special_tokens={"<|endoftext|>": 50256})
    write("gpt2_bpe_sample.json", {"text": SAMPLE, "ids": gpt2.encode_ordinary(SAMPLE)})


main()
