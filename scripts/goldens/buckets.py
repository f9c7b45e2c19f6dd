"""Buckets of relative positions, as Hugging Face's T5 computes them in float32."""

import torch
from transformers.models.t5.modeling_t5 import T5Attention

from store import compact

FURTHEST = 300
RULES = [(32, 128), (32, 256), (8, 20), (16, 64), (12, 50), (64, 200)]


def record_buckets(folder):
    """For each rule, the buckets at distances −FURTHEST … FURTHEST (key position − query position)."""
    distances = torch.arange(-FURTHEST, FURTHEST + 1)
    rules = []
    for buckets, furthest in RULES:
        for bidirectional in (True, False):
            found = T5Attention._relative_position_bucket(
                distances, bidirectional=bidirectional, num_buckets=buckets, max_distance=furthest
            )
            rules.append(
                {
                    "buckets": buckets,
                    "maxDistance": furthest,
                    "bidirectional": bidirectional,
                    "first": -FURTHEST,
                    "found": found.tolist(),
                }
            )
    (folder / "relative-buckets.json").write_text(compact(rules) + "\n")
