#!/usr/bin/env bash
# sacrebleu: a corpus of short answers that are all right has a BLEU of 0.
#
# BLEU multiplies the precisions of 1- to 4-grams. Where no sentence has four words there are no
# 4-grams, and corpus_bleu counts the precision of none out of none as 0, also with the smoothing
# that is on by default. One longer sentence anywhere, and the same answers count for 100. sentence_bleu leaves
# out the orders that do not exist (`effective_order`) and gives 100. So a test set of dates, names
# or single words reads as a model that has learned nothing.
set -euo pipefail
source "$(dirname -- "${BASH_SOURCE[0]}")/packages.sh"
need sacrebleu==2.6.0
"$python" - <<'EOF'
import sacrebleu

answers = ["yes", "the cat", "a red car"]


def corpus(texts, **options):
    return sacrebleu.corpus_bleu(texts, [texts], **options).score


longer = answers + ["the cat sat on the mat"]
print("expected: 100 for answers that equal their references")
print("observed: corpus_bleu", corpus(answers), "and with one longer sentence", corpus(longer))
print("          sentence_bleu", [sacrebleu.sentence_bleu(a, [a]).score for a in answers])
print("          effective_order", corpus(answers, use_effective_order=True))
assert corpus(answers) == 0
assert abs(corpus(longer) - 100) < 1e-6
assert all(abs(sacrebleu.sentence_bleu(a, [a]).score - 100) < 1e-6 for a in answers)
assert abs(corpus(answers, use_effective_order=True) - 100) < 1e-6
EOF
