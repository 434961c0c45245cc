#!/usr/bin/env bash
# JAX: a query whose keys are all masked attends to all of them.
#
# jax.nn.dot_product_attention puts a large negative number where the mask is False. Where it is False
# for a whole row, that number is the same for all keys, and softmax makes equal weights: the result
# is the mean of the values that were masked out, padding included. PyTorch gives zeros, and the same
# mask as a bias of −∞ gives NaN. Here it looks like a result. With key_value_seq_lengths of 0, an
# empty sequence, it is the same.
set -euo pipefail
source "$(dirname -- "${BASH_SOURCE[0]}")/packages.sh"
need jax==0.10.2 jaxlib==0.10.2
"$python" - <<'EOF'
import jax
import jax.numpy as jnp

query = key = jnp.ones((1, 2, 1, 2))  # batch, position, head, feature
value = jnp.array([[[[10.0, 20.0]], [[30.0, 40.0]]]])
mask = jnp.array([[[[False, False], [True, False]]]])
attend = jax.nn.dot_product_attention
observed = {
    "mask": attend(query, key, value, mask=mask),
    "bias of −∞": attend(query, key, value, bias=jnp.where(mask, 0.0, -jnp.inf)),
    "length 0": attend(query, key, value, key_value_seq_lengths=jnp.array([0])),
}
rows = {name: result[0, 0, 0].tolist() for name, result in observed.items()}
print("expected: zeros or NaN for the first query, which may not look at any key")
print("observed:", rows)
assert rows["mask"] == rows["length 0"] == [20, 30]  # the mean of both values
assert jnp.isnan(observed["bias of −∞"][0, 0, 0]).all()
assert observed["mask"][0, 1, 0].tolist() == [10, 20]
EOF
