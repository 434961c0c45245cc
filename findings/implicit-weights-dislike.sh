#!/usr/bin/env bash
# implicit: after the usual weighting, an item that everyone has played is one that everyone dislikes.
#
# Plays are weighted with bm25_weight or tfidf_weight before AlternatingLeastSquares is fitted, as in
# implicit's tutorial. The weights hold a factor log(N) − log(1 + n), where n of the N rows have the
# column: it is 0 for an item that all users but one have, and below 0 for one that all have. For the
# similarities between items that hardly matters. But ALS takes a negative value as "this user dislikes
# it, be sure of that", and scores the item at 0: everyone's choice is recommended last. (The tutorial
# weights the transposed matrix; there it befalls the user who has played all artists.)
set -euo pipefail
source "$(dirname -- "${BASH_SOURCE[0]}")/packages.sh"
need implicit==0.7.3 scipy==1.17.1 numpy==2.4.6
"$python" - 2>/dev/null <<'EOF'
import numpy as np
from implicit.als import AlternatingLeastSquares
from implicit.nearest_neighbours import bm25_weight, tfidf_weight
from scipy.sparse import csr_matrix

plays = (np.random.default_rng(0).random((30, 8)) < 0.4).astype(np.float32)
plays[:, 0] = 1  # all users play item 0, and about 4 in 10 play each of the others
observed = {}
for name, weight in (("plain", lambda matrix: matrix), ("BM25", bm25_weight), ("TF-IDF", tfidf_weight)):
    weighted = weight(csr_matrix(plays)).tocsr()
    model = AlternatingLeastSquares(factors=4, iterations=20, random_state=0, num_threads=1)
    model.fit(weighted, show_progress=False)
    scores = (model.user_factors @ model.item_factors.T).mean(axis=0)
    place = int((scores > scores[0]).sum()) + 1
    observed[name] = place
    print(f"{name}: weights of item 0 up to {weighted[:, 0].max():.3f}, its mean score {scores[0]:.2f}, "
          f"those of the others from {scores[1:].min():.2f}; place {place} of 8")
    assert (weighted[:, 0].max() < 0) == (name != "plain")
print("expected: item 0 comes first, or loses some places to rarer ones")
print("observed: its place:", observed)
assert observed == {"plain": 1, "BM25": 8, "TF-IDF": 8}
EOF
