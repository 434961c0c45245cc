#!/usr/bin/env bash
# mean-average-precision: a detector that misses every small object has an AP of 1.
#
# The package computes what its readme calls COCO's mAP. But it adds a pixel to every width and
# height, as the tools of Pascal VOC did when the last pixel belonged to a box; COCO's do not. For
# an object of 4 × 4 pixels that moves an IoU of 0.45 to 0.54. Classes of which there is no object
# count as 0 as well; in COCO's mean they are left out.
set -euo pipefail
source "$(dirname -- "${BASH_SOURCE[0]}")/packages.sh"
need mean-average-precision==2024.1.5.0 pycocotools==2.0.11 numpy==2.3.5 pandas==2.3.3
"$python" - <<'EOF'
import contextlib
import io

import numpy as np
from mean_average_precision import MetricBuilder
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval


def package(found, truth, classes):
    metric = MetricBuilder.build_evaluation_metric("map_2d", async_mode=False, num_classes=classes)
    metric.add(np.array([[*found, 0, 0.9]]), np.array([[*truth, 0, 0, 0]]))
    points = np.arange(0.0, 1.01, 0.01)
    return metric.value(iou_thresholds=0.5, recall_thresholds=points, mpolicy="soft")["mAP"]


def coco(found, truth):
    def box(b):
        return [b[0], b[1], b[2] - b[0], b[3] - b[1]]

    with contextlib.redirect_stdout(io.StringIO()):
        known = COCO()
        one = {"id": 1, "image_id": 1, "category_id": 1, "bbox": box(truth), "area": 16, "iscrowd": 0}
        images, names = [{"id": 1, "width": 50, "height": 50}], [{"id": i, "name": str(i)} for i in (1, 2)]
        known.dataset = {"info": {}, "images": images, "annotations": [one], "categories": names}
        known.createIndex()
        answer = [{"image_id": 1, "category_id": 1, "bbox": box(found), "score": 0.9}]
        result = COCOeval(known, known.loadRes(answer), "bbox")
        result.evaluate()
        result.accumulate()
        result.summarize()
    return result.stats[1]


truth, shifted, exact = [10, 10, 14, 14], [11.5, 10, 15.5, 14], [10, 10, 14, 14]
print(f"IoU 0.4545, one class:   pycocotools {coco(shifted, truth):.3f}, observed {package(shifted, truth, 1):.3f}")
print(f"same box, class 2 empty: pycocotools {coco(exact, truth):.3f}, observed {package(exact, truth, 2):.3f}")
assert coco(shifted, truth) == 0 and abs(package(shifted, truth, 1) - 1) < 1e-6
assert abs(coco(exact, truth) - 1) < 1e-6 and abs(package(exact, truth, 2) - 0.5) < 1e-6
EOF
