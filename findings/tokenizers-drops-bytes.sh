#!/usr/bin/env bash
# tokenizers: a byte-level BPE loses what was not in its training text, and joins over the gap.
#
# Byte-level BPE is chosen because it can write any text: it begins with the 256 bytes. A tokenizer
# with the ByteLevel pre-tokenizer, trained as in the library's quick tour, has only those bytes
# that occurred, unless the trainer is given `initial_alphabet=ByteLevel.alphabet()`. Others
# disappear without a word. What stands on both sides of the gap is then merged: a token that the
# text does not contain, with offsets that are one short.
set -euo pipefail
source "$(dirname -- "${BASH_SOURCE[0]}")/packages.sh"
need tokenizers==0.23.3
"$python" - <<'EOF'
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers


def trained(**options):
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(show_progress=False, **options)
    tokenizer.train_from_iterator(["abc abc abc"], trainer)
    return tokenizer


text = "abzc"
as_documented = trained()
result = as_documented.encode(text)
print("expected:", repr(text), "is encoded and decoded to itself, or an error")
print("observed:", repr(as_documented.decode(result.ids)), result.tokens, result.offsets)
whole = trained(initial_alphabet=pre_tokenizers.ByteLevel.alphabet())
print("with initial_alphabet:", repr(whole.decode(whole.encode(text).ids)))
assert result.tokens == ["abc"] and result.offsets == [(0, 3)]
assert as_documented.encode("xyz").tokens == []
assert whole.decode(whole.encode(text).ids) == text
EOF
