"""Golden files: a JSON of ids, tokens and scores, and a safetensors file of float32 tensors beside it."""

import json

import torch
from safetensors.torch import save_file


def compact(value, indent=0):
    """JSON with short lists of numbers on one line, so that diffs and eyes can follow."""
    pad = " " * indent
    if isinstance(value, dict):
        inner = [f"{pad} {json.dumps(key)}: {compact(item, indent + 1)}" for key, item in value.items()]
        return "{\n" + ",\n".join(inner) + f"\n{pad}}}"
    if isinstance(value, list) and any(isinstance(item, (dict, list)) for item in value):
        inner = [f"{pad} {compact(item, indent + 1)}" for item in value]
        return "[\n" + ",\n".join(inner) + f"\n{pad}]"
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def save_golden(folder, name, golden, tensors):
    (folder / f"{name}.json").write_text(compact(golden) + "\n")
    if tensors:
        plain = {key: tensor.detach().to(torch.float32).contiguous() for key, tensor in tensors.items()}
        save_file(plain, folder / f"{name}.tensors.safetensors")
