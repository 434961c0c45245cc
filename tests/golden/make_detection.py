"""Writes detection.safetensors: the losses of a set of guesses, and their gradients, by PyTorch.

    python tests/golden/make_detection.py

Formulas as in the code of DETR and Deformable DETR (class 2, L1 5, GIoU 2), on 2 pictures with 6
guesses of 3 classes each, and 2 and 3 objects. The cheapest assignment is found by trying all.
"""

import itertools
import pathlib

import torch
from safetensors.torch import save_file

COUNTS = [2, 3]
LABELS = [0, 2, 1, 1, 0]


def xyxy(boxes):
    x, y, w, h = boxes.unbind(-1)
    return torch.stack([x - w / 2, y - h / 2, x + w / 2, y + h / 2], -1)


def overlap(a, b):
    """IoU and GIoU, element by element."""
    corner = torch.maximum(a[..., :2], b[..., :2]), torch.minimum(a[..., 2:], b[..., 2:])
    shared = (corner[1] - corner[0]).clamp(min=0).prod(-1)
    both = (a[..., 2:] - a[..., :2]).prod(-1) + (b[..., 2:] - b[..., :2]).prod(-1) - shared
    hull = torch.minimum(a[..., :2], b[..., :2]), torch.maximum(a[..., 2:], b[..., 2:])
    around = (hull[1] - hull[0]).prod(-1)
    return shared / both, shared / both - (around - both) / around


def focal(logits, targets):
    """torchvision.ops.sigmoid_focal_loss; for other targets the quality focal loss."""
    entropy = torch.nn.functional.binary_cross_entropy_with_logits(logits, targets, reduction="none")
    weight = torch.where(targets > 0, 0.25, 0.75)
    return weight * (targets - logits.sigmoid()).abs() ** 2 * entropy


def costs(logits, boxes, labels, wanted):
    p = logits.sigmoid()[:, labels].T
    label = 0.25 * (1 - p) ** 2 * -p.log() - 0.75 * p ** 2 * -(1 - p).log()
    apart = (boxes[None] - wanted[:, None]).abs().sum(-1)
    return 2 * label + 5 * apart - 2 * overlap(xyxy(boxes)[None], xyxy(wanted)[:, None])[1]


def cheapest(cost):
    rows = range(cost.shape[0])
    return min(itertools.permutations(range(cost.shape[1]), cost.shape[0]),
               key=lambda columns: sum(cost[r, c].item() for r, c in zip(rows, columns)))


def main():
    torch.manual_seed(5)
    logits = torch.randn(2, 6, 3, dtype=torch.float64).requires_grad_()
    boxes = (0.2 + 0.6 * torch.rand(2, 6, 4, dtype=torch.float64)).requires_grad_()
    wanted = 0.2 + 0.6 * torch.rand(5, 4, dtype=torch.float64)
    queries, start = [], 0
    for b, count in enumerate(COUNTS):
        part = slice(start, start + count)
        queries += [6 * b + q for q in
                    cheapest(costs(logits[b], boxes[b], LABELS[part], wanted[part]))]
        start += count
    out = {"logits": logits.detach().clone(), "boxes": boxes.detach().clone(), "wanted": wanted,
           "labels": torch.tensor(LABELS), "counts": torch.tensor(COUNTS),
           "queries": torch.tensor(queries)}
    found = boxes.reshape(-1, 4)[queries]
    fit, giou = overlap(xyxy(found), xyxy(wanted))
    for name, target in [("plain", torch.ones(5, dtype=torch.float64)), ("quality", fit.detach())]:
        targets = torch.zeros(12, 3, dtype=torch.float64)
        targets[queries, LABELS] = target
        loss = (2 * focal(logits.reshape(-1, 3), targets).sum() + 5 * (found - wanted).abs().sum()
                + 2 * (1 - giou).sum()) / 5
        gradients = torch.autograd.grad(loss, [logits, boxes], retain_graph=True)
        out |= {f"{name}.loss": loss.detach().clone(), f"{name}.dlogits": gradients[0].contiguous(),
                f"{name}.dboxes": gradients[1].contiguous()}
    save_file(out, pathlib.Path(__file__).with_name("detection.safetensors"))


if __name__ == "__main__":
    main()
