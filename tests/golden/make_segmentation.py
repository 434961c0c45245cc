"""Writes segmentation.safetensors: the loss of masks and its gradient, by PyTorch.

    python tests/golden/make_segmentation.py

Cross-entropy weighted by class, without and with label smoothing, plus 0.7 times the dice loss; on
2 pictures of 3 × 4 pixels with 3 classes, of which one does not occur, and void (255).
"""

import pathlib

import torch
from safetensors.torch import save_file

VOID = 255


def dice(logits, masks):
    known = masks != VOID
    p = logits.softmax(1) * known[:, None]
    scores = []
    for c in masks[known].unique():
        truth = (masks == c).double()
        scores.append(1 - 2 * (p[:, c] * truth).sum() / (p[:, c].sum() + truth.sum()))
    return torch.stack(scores).mean()


def main():
    torch.manual_seed(6)
    logits = torch.randn(2, 3, 3, 4, dtype=torch.float64).requires_grad_()
    masks = torch.randint(0, 2, (2, 3, 4))
    masks[0, 1, 1:3] = VOID
    masks[1, 2, 3] = VOID
    weights = torch.tensor([0.5, 2.0, 1.0], dtype=torch.float64)
    total = weights[masks[masks != VOID]].sum()
    out = {"logits": logits.detach().clone(), "masks": masks, "weights": weights, "total": total}
    for name, share, smoothing in [("plain", 0, 0), ("smooth", 0.7, 0.1)]:
        loss = torch.nn.functional.cross_entropy(logits, masks, weights, ignore_index=VOID,
                                                 label_smoothing=smoothing)
        loss = loss + share * dice(logits, masks)
        out |= {f"{name}.loss": loss.detach().clone(),
                f"{name}.dlogits": torch.autograd.grad(loss, logits)[0].contiguous()}
    save_file(out, pathlib.Path(__file__).with_name("segmentation.safetensors"))


if __name__ == "__main__":
    main()
