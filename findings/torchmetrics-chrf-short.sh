#!/usr/bin/env bash
# torchmetrics: a short answer that is right gets a chrF of 0.25 to 0.75.
#
# chrF++ averages over 1- to 6-grams of characters, and over words and pairs of words. A text of three
# letters has none of the longer ones. sacrebleu, whose implementation the documentation says it
# follows, averages over those that exist, and gives 100. torchmetrics counts the others as 0. (With
# BLEU it is the other way round: there it is sacrebleu that gives 0 to such answers.)
set -euo pipefail
source "$(dirname -- "${BASH_SOURCE[0]}")/packages.sh"
need torchmetrics==1.9.0 torch==2.15.0 sacrebleu==2.6.0
"$python" - <<'EOF'
from sacrebleu.metrics import CHRF
from torchmetrics.text import CHRFScore

answers = ["a", "yes", "Paris", "the cat"]
expected = [CHRF(word_order=2).corpus_score([text], [[text]]).score for text in answers]
observed = [CHRFScore()([text], [[text]]).item() for text in answers]
print("expected, from sacrebleu:", dict(zip(answers, expected)))
print("observed, from torchmetrics:", dict(zip(answers, observed)))
assert expected == [100] * 4 and observed == [0.25, 0.5, 0.75, 1]
EOF
