#!/usr/bin/env python3
"""Writes model.safetensors into a Hugging Face directory that has only pytorch_model.bin.

    pip install torch safetensors
    python3 scripts/to_safetensors.py DIRECTORY

Weights are loaded with pickle's code execution switched off. Tensors that share storage (tied embeddings) are written only once.
"""

import sys
from pathlib import Path

import torch
from safetensors.torch import save_file


def main(arguments):
    if len(arguments) != 1:
        sys.exit("usage: to_safetensors.py DIRECTORY")
    directory = Path(arguments[0])
    parts = sorted(directory.glob("pytorch_model*.bin"))
    if not parts:
        sys.exit(f"{directory}: expected pytorch_model.bin, found none")
    tensors, seen = {}, set()
    for part in parts:
        for name, tensor in torch.load(part, map_location="cpu", weights_only=True).items():
            place = (tensor.untyped_storage().data_ptr(), tensor.storage_offset(), tuple(tensor.shape), tensor.stride())
            if place in seen:
                continue
            seen.add(place)
            tensors[name] = tensor.contiguous()
    target = directory / "model.safetensors"
    save_file(tensors, target, metadata={"format": "pt"})
    print(f"{target}: {len(tensors)} tensors")


main(sys.argv[1:])
