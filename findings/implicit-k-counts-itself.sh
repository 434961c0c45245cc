#!/usr/bin/env bash
# implicit: the K neighbours of an item include the item itself.
#
# CosineRecommender(K=20) and its kin keep the K largest similarities of each item, and the largest is
# that of the item with itself. So there are K − 1 neighbours: 19 by default, and none for K=1, where
# all scores are 0 and what is recommended has nothing to do with the user. Item-kNN is the usual
# baseline in papers on recommendation; a K taken from a paper, or a search over K that includes 1, gives
# other results here than elsewhere.
set -euo pipefail
source "$(dirname -- "${BASH_SOURCE[0]}")/packages.sh"
need implicit==0.7.3 scipy==1.17.1
"$python" - 2>/dev/null <<'EOF'
import numpy as np
from implicit.nearest_neighbours import CosineRecommender
from scipy.sparse import csr_matrix

# Users by items: items 0 and 1 often go together, and so do 2 and 3.
liked = csr_matrix(
    np.array([[1.0, 1, 0, 0], [1, 1, 0, 0], [1, 0, 0, 0], [0, 0, 1, 1], [0, 0, 1, 1], [0, 0, 1, 0]])
)
newcomer = csr_matrix(np.array([[0.0, 0, 1, 0]]))  # likes item 2
observed = {}
for K in (1, 2):
    model = CosineRecommender(K=K)
    model.fit(liked, show_progress=False)
    others = model.similarity.toarray() - np.diag(model.similarity.diagonal())
    items, scores = model.recommend(0, newcomer, N=1)
    observed[K] = (int((others > 0).sum(axis=1).max()), int(items[0]), float(scores[0]))
print("expected: with K=1 every item keeps its one neighbour, and item 3 is recommended")
for K, (neighbours, item, score) in observed.items():
    print(f"observed: K={K}: {neighbours} neighbours, recommends item {item} with score {score:.2f}")
assert observed[1][0] == 0 and observed[1][2] == 0
assert observed[2][0] == 1 and observed[2][1] == 3 and abs(observed[2][2] - 2 / 6**0.5) < 1e-6
EOF
