"""Writes rouge.json: scores by rouge-score, without stemming.

    pip install rouge-score==0.1.2
    python tests/golden/make_rouge.py
"""

import json
import pathlib
import random

from rouge_score import rouge_scorer, tokenize

KINDS = ["rouge1", "rouge2", "rouge3", "rougeL", "rougeLsum"]

TEXTS = [
    "don't", "3.5", "U.S.", "foo_bar", "x-ray 1,000", "café", "naïve", "日本語", "İstanbul",
    "K 300 ÅNGSTRÖM", "", "!!!", "  Two\tWORDS\r\n", "ﬁne ½ Ⅻ x²",
]

# reference, prediction
PAIRS = [
    ("a", "a a a"), ("word", "word"), ("a b", "a"), ("", "a b"), ("a b", ""), ("", ""), ("!!!", "a"),
    ("a b\nc d", "c d\na b"), ("a b\n\n\nc d\n", "\nc d\n\na b"), ("a a a a", "a a\na a"),
    ("a a", "a\na\na"), ("a b. c d", "c d. a b"), ("the cat sat on the mat", "on the mat the cat sat"),
]


def pairs_at_random(count):
    chance = random.Random(7)
    for _ in range(count):
        words = chance.choice(["abc", "abcdef", ["the", "The", "cat", "cat's", "x-y", "Ü", "7"]])
        yield tuple(
            "".join(chance.choice(words) + chance.choice([" ", " ", " ", "\n", ", "])
                    for _ in range(chance.randrange(0, 12)))
            for _ in range(2))


def scored(scores):
    return {kind: [score.precision, score.recall, score.fmeasure] for kind, score in scores.items()}


def main():
    scorer = rouge_scorer.RougeScorer(KINDS)
    pairs = PAIRS + list(pairs_at_random(80))
    out = {
        "tokens": [[text, tokenize.tokenize(text, None)] for text in TEXTS],
        "pairs": [{"reference": reference, "text": text, **scored(scorer.score(reference, text))}
                  for reference, text in pairs],
        "several": {"references": ["a b", "a b c d"], "text": "a b c",
                    **scored(scorer.score_multi(["a b", "a b c d"], "a b c"))},
    }
    path = pathlib.Path(__file__).with_name("rouge.json")
    path.write_text(json.dumps(out, ensure_ascii=False, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
