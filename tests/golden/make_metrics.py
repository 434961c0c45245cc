"""Writes metrics.json: scores by sacreBLEU and scikit-learn.

    pip install sacrebleu==2.6.0 scikit-learn
    python tests/golden/make_metrics.py
"""

import json
import pathlib

from sacrebleu.metrics import BLEU
from sacrebleu.tokenizers.tokenizer_13a import Tokenizer13a
from sklearn.metrics import accuracy_score, f1_score, precision_recall_fscore_support

LINES = [
    "",
    "   ",
    "A man, in an orange hat, is starring at something.",
    "It costs $1,234.56 (or 3.5 %) -- not 7,5, nor .5 nor 5. nor 5.x",
    "1990-2000, 5-year, well-known, a-1, -3, 3-, 3--4",
    "don't 'quote' \"double\" `back` ‘curly’ “curly”",
    "a.,b ..., ,.,. 1.,2 1,.2 x.y.z a,b,c 1,2,3",
    "&quot;x&quot; &amp;lt; &lt;tag&gt; &apos;s &amp;quot;",
    "<skipped>before<skipped>after",
    "Größe, Übung. é.é 中文,字。 x½,½",
    "no\u00a0break\u2003em\u3000wide\u2028line\x1cfs\x1fus\ttab",
    "[a]{b}~c^d_e|f\\g@h/i:j;k<l=m>n?o!p#q%r*s+t",
    "trailing-\n",
    "trailing-\n\u00a0\u3000",
    "hyphen-\nated and\nbroken",
    ".", ",", "-", "'", "3", "a.", ".a", "5.", ".5",
    "end with spaces \u00a0 ",
]

CORPORA = [
    (["the cat is on the mat ."], ["the cat sat on the mat ."]),
    (["the the the the the the the"], ["the cat is on the mat"]),
    (["A man in an orange hat starring at something.", "Ein Hund.", ""],
     ["A man in an orange hat is starring at something.", "A dog runs on the grass.", "Gone."]),
    (["much longer than the reference is , by far , and right at first"], ["much longer than the"]),
    (["one two three", "four five"], ["one two three", "four five"]),
    (["x y z w"], ["a b c d"]),
    (["", ""], ["a b c d", "e"]),
    (["a b c x d e f y g h"], ["a b c d e f g h"]),
    (["a x b y c z d"], ["a b c d e f g"]),
    (["same words here , 1,5 %", "and &quot;there&quot;"], ["same words here, 1,5%", "and \"there\""]),
    (["a b c d", "e f g h i"], ["", "e f g h i"]),
]

CLASSES = [
    ([0, 1, 2, 2, 1, 0, 0, 2], [0, 2, 2, 2, 1, 0, 1, 2], 3),
    ([0, 0, 0], [1, 1, 1], 2),
    ([0, 1, 1, 0], [0, 1, 1, 0], 4),
    ([3, 1, 3, 0, 3], [3, 3, 1, 0, 3], 4),
]


def bleu(translations, references):
    found = BLEU().corpus_score(translations, [references])
    return {"translations": translations, "references": references, "score": found.score,
            "precisions": found.precisions, "bp": found.bp, "matches": found.counts,
            "totals": found.totals, "length": found.sys_len, "reference_length": found.ref_len,
            "text": str(found)}


def classes(truth, predicted, count):
    labels = list(range(count))
    precision, recall, f1, _ = precision_recall_fscore_support(
        truth, predicted, labels=labels, zero_division=0)
    return {"truth": truth, "predicted": predicted, "classes": count,
            "accuracy": float(accuracy_score(truth, predicted)),
            "macro_f1": float(f1_score(truth, predicted, average="macro", zero_division=0)),
            "precision": precision.tolist(), "recall": recall.tolist(), "f1": f1.tolist()}


words = Tokenizer13a()
golden = {
    "words": [{"line": line, "words": words(line.rstrip()).split()} for line in LINES],
    "bleu": [bleu(*corpus) for corpus in CORPORA],
    "classes": [classes(*case) for case in CLASSES],
}
path = pathlib.Path(__file__).parent / "metrics.json"
path.write_text(json.dumps(golden) + "\n")
