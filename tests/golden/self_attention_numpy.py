"""Numbers for the self-attention example in tests/autograd/attention_test.cpp.

Single-head self-attention as it stands in many tutorials, by numpy alone:
    python3 tests/golden/self_attention_numpy.py
"""
import numpy as np

np.random.seed(42)
X = np.random.rand(5, 4)
WQ, WK, WV = np.random.rand(4, 4), np.random.rand(4, 4), np.random.rand(4, 4)
Q, K, V = X @ WQ, X @ WK, X @ WV
scores = Q @ K.T / np.sqrt(4)
weights = np.exp(scores - scores.max(axis=1, keepdims=True))
weights /= weights.sum(axis=1, keepdims=True)
for row in weights @ V:
    print(", ".join(f"{value:.17g}" for value in row) + ",")
