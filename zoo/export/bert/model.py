"""A BERT in plain PyTorch: the model that tarsier trained, under the same names.

    model = load("model.pt")         # the weights that tarsier kept
    logits = model(tokens)           # (B, T) -> (B, T, vocabulary)

config.json next to this file has the sizes. B batch, T time, C width.
"""
import json
import os

import torch
from torch import nn
from torch.nn import functional as F

FOLDER = os.path.dirname(os.path.abspath(__file__))


class Bert(nn.Module):
    """Hidden states of tokens, of which `padding` (B, T) marks those to ignore: (B, T, C)."""

    def __init__(self, c):
        super().__init__()
        width, eps = c["hidden_size"], c["layer_norm_eps"]
        self.word_embeddings = nn.Embedding(c["vocab_size"], width)
        self.position_embeddings = nn.Embedding(c["max_position_embeddings"], width)
        self.token_type_embeddings = (
            nn.Embedding(c["type_vocab_size"], width) if c["type_vocab_size"] else None)
        self.embedding_norm = nn.LayerNorm(width, eps)
        self.dropout = nn.Dropout(c["dropout"])
        layer = nn.TransformerEncoderLayer(
            width, c["num_attention_heads"], c["intermediate_size"], c["dropout"], c["hidden_act"],
            eps, batch_first=True)
        self.encoder = nn.TransformerEncoder(layer, c["num_hidden_layers"],
                                             enable_nested_tensor=False)

    def forward(self, tokens, padding=None, types=None):
        x = self.word_embeddings(tokens) + self.position_embeddings.weight[: tokens.shape[1]]
        if self.token_type_embeddings is not None:
            x = x + self.token_type_embeddings(torch.zeros_like(tokens) if types is None else types)
        return self.encoder(self.dropout(self.embedding_norm(x)), src_key_padding_mask=padding)


class Model(nn.Module):
    """Logits of the token at every place: (B, T) -> (B, T, vocabulary)."""

    def __init__(self, c):
        super().__init__()
        width = c["hidden_size"]
        self.activation = getattr(F, c["hidden_act"])
        self.bert = Bert(c)
        self.transform = nn.Linear(width, width)
        self.transform_norm = nn.LayerNorm(width, c["layer_norm_eps"])
        self.decoder = nn.Linear(width, c["vocab_size"])
        if c["tied"]:
            self.decoder.weight = self.bert.word_embeddings.weight

    def forward(self, tokens, padding=None, types=None):
        hidden = self.activation(self.transform(self.bert(tokens, padding, types)))
        return self.decoder(self.transform_norm(hidden))

    def loss(self, tokens, targets):
        """The mean cross-entropy at all places, in nats."""
        return F.cross_entropy(self(tokens).flatten(0, 1), targets.flatten())
