#!/usr/bin/env bash
# tokenizers: text that is cut to one token stays whole.
#
# enable_truncation(n) leaves room for the special tokens that the post-processor adds. With [CLS] and
# [SEP], a limit of 3 leaves one token of the text and a limit of 2 none. A limit of 1 cannot be kept,
# which one would expect to be an error, or the same as 2. It switches truncation off: the whole text
# comes back. A limit that is computed (what is left of the context, say) can come out at 1, and that
# is when the longest input passes.
set -euo pipefail
source "$(dirname -- "${BASH_SOURCE[0]}")/packages.sh"
need tokenizers==0.23.3
"$python" - <<'EOF'
from tokenizers import Tokenizer, models, pre_tokenizers, processors

tokenizer = Tokenizer(models.WordLevel({"a": 0, "[CLS]": 1, "[SEP]": 2}, unk_token="a"))
tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
tokenizer.post_processor = processors.TemplateProcessing(
    single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 1), ("[SEP]", 2)])


def length(limit):
    tokenizer.enable_truncation(limit)
    return len(tokenizer.encode("a " * 1000).ids)


observed = {limit: length(limit) for limit in (4, 3, 2, 1)}
print("expected: at most as many tokens as the limit, or an error")
print("observed: tokens of a text of 1000 words, by limit:", observed)
assert observed == {4: 4, 3: 3, 2: 2, 1: 1002}
EOF
