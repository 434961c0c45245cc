#!/usr/bin/env bash
# JAX: standardize() with the variance that it says it uses gives another result.
#
# jax.nn.standardize is documented to use x.var() unless a variance is given. It uses the mean of the
# squares less the square of the mean, which in float32 is rounding error where the mean is large.
# Giving variance=x.var(), which changes nothing by the documentation, makes the result right.
set -euo pipefail
source "$(dirname -- "${BASH_SOURCE[0]}")/packages.sh"
need jax==0.10.2 jaxlib==0.10.2
"$python" - <<'EOF'
import jax
import jax.numpy as jnp

x = 10000 + jnp.arange(8.0)
plain = float(jax.nn.standardize(x).max())
given = float(jax.nn.standardize(x, variance=x.var()).max())
print("expected: the largest of 10000 … 10007, standardized, is 1.5275, with or without variance=x.var()")
print("observed:", plain, "without,", given, "with it")
assert abs(given - 1.5275) < 1e-3 and not abs(plain - 1.5275) < 0.2
EOF
