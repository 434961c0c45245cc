"""Golden files of byte-pair encoding.

    pip install tokenizers tiktoken
    python tests/golden/make_bpe.py [FOLDER]

bpe_vocab.json and bpe_merges.txt are a vocabulary that Hugging Face's BpeTrainer learns from TRAIN,
bpe_sample.json has TRAIN, SAMPLE and the ids that its tokenizer gives SAMPLE.

FOLDER has GPT-2's own vocab.json and merges.txt, which are too large to keep here (their SHA-256
are below); then gpt2_bpe_sample.json has SAMPLE with the ids that tiktoken gives it over them.
"""

import hashlib
import json
import pathlib
import sys

import tiktoken.load
from tokenizers import Tokenizer, models, pre_tokenizers, trainers

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
