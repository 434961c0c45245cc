"""Writes boxes.json: assignments by SciPy, average precision by pycocotools.

    pip install numpy==2.4.6 scipy==1.17.1 pycocotools==2.0.11
    python tests/golden/make_boxes.py
"""

import contextlib
import io
import json
import pathlib

import numpy as np
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval
from scipy.optimize import linear_sum_assignment


def assignments(chance):
    costs = [
        [[2, 1], [1, 0]], [[1, 2], [2, 3]], np.zeros((4, 4)), np.zeros((3, 5)), np.zeros((5, 3)),
        [[np.inf, 1], [1, np.inf]], [[4, 1, 3], [2, 0, 5], [3, 2, 2]],
    ]
    for rows, columns in [(1, 1), (1, 7), (7, 1), (6, 6), (5, 9), (9, 5), (12, 40), (30, 30)]:
        costs.append(chance.integers(-9, 10, (rows, columns)))
        costs.append(chance.normal(size=(rows, columns)).round(3))
    with_gaps = chance.normal(size=(10, 12)).round(3)
    with_gaps[chance.random(with_gaps.shape) < 0.4] = np.inf
    costs.append(with_gaps)
    out = []
    for cost in costs:
        cost = np.asarray(cost, float)
        rows, columns = linear_sum_assignment(cost)
        out.append({
            "cost": [["inf" if np.isinf(x) else x for x in row] for row in cost.tolist()],
            "rows": rows.tolist(),
            "columns": columns.tolist(),
            "sum": cost[rows, columns].sum(),
        })
    return out


def evaluated(truth, found, classes):
    """The 12 numbers of COCO, and the AP at IoU 0.5 of every class. -1 where there is none."""
    images = max([one["image"] for one in truth + found]) + 1
    with contextlib.redirect_stdout(io.StringIO()):
        coco = COCO()
        coco.dataset = {
            "images": [{"id": i + 1} for i in range(images)],
            "categories": [{"id": c + 1} for c in range(classes)],
            "annotations": [{
                "id": i + 1, "image_id": one["image"] + 1, "category_id": one["label"] + 1,
                "bbox": one["box"], "iscrowd": int(one.get("crowd", False)),
                "area": one.get("area", one["box"][2] * one["box"][3]),
            } for i, one in enumerate(truth)],
        }
        coco.createIndex()
        results = coco.loadRes([{
            "image_id": one["image"] + 1, "category_id": one["label"] + 1, "bbox": one["box"],
            "score": one["score"],
        } for one in found])
        run = COCOeval(coco, results, "bbox")
        run.evaluate()
        run.accumulate()
        run.summarize()
    per_class = run.eval["precision"][0, :, :, 0, 2].mean(axis=0)
    return {"stats": [float(x) for x in run.stats], "per_class": [float(x) for x in per_class]}


def obj(box, image=0, label=0, **more):
    return {"image": image, "label": label, "box": box, **more}


def hit(box, score, image=0, label=0):
    return {"image": image, "label": label, "box": box, "score": score}


def row_of_objects(count, found):
    """`count` objects, of which the first are found exactly."""
    boxes = [[20 * i, 0, 10, 10] for i in range(count)]
    return [obj(box) for box in boxes], [hit(box, 0.9) for box in boxes[:found]]


def cases(chance):
    yield "one of two", *row_of_objects(2, 1), 1
    yield "one of three", *row_of_objects(3, 1), 1
    yield "six of ten", *row_of_objects(10, 6), 1
    yield "seven of ten", *row_of_objects(10, 7), 1
    yield "all", *row_of_objects(4, 4), 1
    for n in range(50, 101, 5):
        yield f"part {n}", [obj([0, 0, 100, 100])], [hit([0, 0, 100, n], 0.9)], 1
    yield "small and medium", [obj([0, 0, 32, 32])], [hit([0, 0, 32, 32], 0.9)], 1
    yield "medium and large", [obj([0, 0, 96, 96])], [hit([0, 0, 96, 96], 0.9)], 1
    yield "area given", [obj([0, 0, 40, 40], area=500)], [hit([0, 0, 40, 40], 0.9)], 1
    yield ("stray of another size", [obj([0, 0, 40, 40])],
           [hit([0, 0, 40, 40], 0.5), hit([200, 200, 10, 10], 0.9)], 1)
    crowd = obj([100, 100, 200, 200], crowd=True)
    inside = [hit([110 + 5 * i, 120, 20, 20], 0.9) for i in range(4)]
    yield "crowd", [obj([0, 0, 20, 20]), crowd], [hit([0, 0, 20, 20], 0.5), *inside], 1
    yield "crowds only", [crowd], inside, 1
    yield "class without objects", *row_of_objects(2, 2), 2
    yield ("strays of a class without objects", [obj([0, 0, 9, 9])],
           [hit([0, 0, 9, 9], 0.9), hit([0, 0, 9, 9], 0.9, label=1)], 2)
    yield ("detections of the other class", [obj([0, 0, 9, 9], label=1)],
           [hit([0, 0, 9, 9], 0.9)], 2)
    yield ("equal scores, hit first", [obj([0, 0, 9, 9])],
           [hit([0, 0, 9, 9], 0.5), hit([50, 50, 9, 9], 0.5)], 1)
    yield ("equal scores, stray first", [obj([0, 0, 9, 9])],
           [hit([50, 50, 9, 9], 0.5), hit([0, 0, 9, 9], 0.5)], 1)
    yield ("equal scores in two images", [obj([0, 0, 9, 9]), obj([0, 0, 9, 9], image=1)],
           [hit([0, 0, 9, 9], 0.5, image=1), hit([50, 50, 9, 9], 0.5)], 1)
    # The later of two objects with the same IoU: the second detection finds only the first.
    yield ("equal overlaps", [obj([0, 0, 20, 20]), obj([4, 0, 20, 20])],
           [hit([2, 0, 20, 20], 0.9), hit([0, 0, 20, 20], 0.8)], 1)
    yield ("found twice", [obj([0, 0, 9, 9])],
           [hit([0, 0, 9, 9], 0.9), hit([0, 0, 9, 9], 0.8)], 1)
    yield ("stray first", [obj([0, 0, 9, 9])],
           [hit([50, 50, 9, 9], 0.9), hit([0, 0, 9, 9], 0.8)], 1)
    yield "recall at 1", *row_of_objects(2, 2), 1
    strays = [hit([500 + 20 * i, 500, 9, 9], 0.9) for i in range(100)]
    yield "place 101", [obj([0, 0, 9, 9])], [*strays, hit([0, 0, 9, 9], 0.5)], 1
    yield "place 100", [obj([0, 0, 9, 9])], [*strays[:99], hit([0, 0, 9, 9], 0.5)], 1
    for number in range(6):
        truth, found = [], []
        for _ in range(40):
            size = chance.integers(4, 150, 2)
            box = [*chance.integers(0, 200, 2), *size]
            image, label = int(chance.integers(0, 5)), int(chance.integers(0, 3))
            more = {"crowd": True} if chance.random() < 0.1 else {}
            truth.append(obj([int(x) for x in box], image, label, **more))
            for _ in range(chance.integers(0, 3)):
                moved = np.asarray(box) + chance.normal(size=4) * 0.12 * np.concatenate([size, size])
                moved = [round(float(x), 2) for x in np.maximum(moved, 0.5)]
                found.append(hit(moved, round(float(chance.random()), 1), image,
                                 label if chance.random() < 0.9 else int(chance.integers(0, 3))))
        yield f"at random {number}", truth, found, 3


def main():
    chance = np.random.default_rng(7)
    out = {"assignments": assignments(chance)}
    out["precision"] = [{"name": name, "classes": classes, "truth": truth, "found": found,
                         **evaluated(truth, found, classes)}
                        for name, truth, found, classes in cases(chance)]
    path = pathlib.Path(__file__).with_name("boxes.json")
    path.write_text(json.dumps(out, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
