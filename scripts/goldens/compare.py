"""Compares two folders of goldens: ids and tokens exactly, numbers within the rounding of another machine."""

import gzip
import json
import pathlib
import tempfile

import torch
from safetensors.torch import load_file

TENSOR_TOLERANCE = 2e-6  # of the tensor's largest magnitude
NUMBER_TOLERANCE = 1e-4


def check(committed, make, only=None):
    """Makes the goldens beside the committed ones, prints what differs, and gives the exit code."""
    with tempfile.TemporaryDirectory() as scratch:
        fresh = pathlib.Path(scratch)
        make(fresh)
        problems = compare_folders(committed, fresh, only)
    for problem in problems:
        print(problem)
    print("goldens agree" if not problems else f"{len(problems)} differences")
    return 1 if problems else 0


def compare_folders(committed, fresh, only):
    """A list of differences in words."""
    names = {path.relative_to(fresh) for path in fresh.rglob("*") if path.is_file()}
    here = {path.relative_to(committed) for path in committed.rglob("*") if path.is_file()}
    problems = [f"{name}: not committed" for name in sorted(names - here)]
    if not only:
        problems += [f"{name}: committed, but nothing makes it" for name in sorted(here - names)]
    for name in sorted(names & here):
        if name.suffix == ".safetensors":
            problems += compare_tensors(name, committed / name, fresh / name)
        elif name.suffix == ".bin":
            problems += compare_torch(name, committed / name, fresh / name)
        else:
            problems += compare_json(str(name), read_json(committed / name), read_json(fresh / name))
    return problems


def read_json(path):
    content = path.read_bytes()
    return json.loads(gzip.decompress(content) if path.suffix == ".gz" else content)


def compare_tensors(name, committed, fresh):
    ours, theirs = load_file(committed), load_file(fresh)
    if ours.keys() != theirs.keys():
        return [f"{name}: other tensors: {sorted(ours.keys() ^ theirs.keys())}"]
    problems = []
    for key, tensor in theirs.items():
        if ours[key].shape != tensor.shape or ours[key].dtype != tensor.dtype:
            problems.append(f"{name}: {key}: {list(ours[key].shape)} {ours[key].dtype} is now {list(tensor.shape)} {tensor.dtype}")
            continue
        scale = tensor.double().abs().max().item() or 1.0
        error = (ours[key].double() - tensor.double()).abs().max().item() / scale
        if error > TENSOR_TOLERANCE:
            problems.append(f"{name}: {key}: differs by {error:.1e} of its scale")
    return problems


def compare_torch(name, committed, fresh):
    """Compares values: the format before PyTorch 1.6 names a storage by its address in memory."""
    ours, theirs = (torch.load(path, weights_only=False) for path in (committed, fresh))
    same = ours.keys() == theirs.keys() and all(equal(ours[key], value) for key, value in theirs.items())
    return [] if same else [f"{name}: other values"]


def equal(one, other):
    return one == other if not isinstance(one, torch.Tensor) else one.dtype == other.dtype and torch.equal(one, other)


def compare_json(where, ours, theirs):
    if isinstance(theirs, float) and isinstance(ours, (int, float)):
        close = abs(ours - theirs) <= NUMBER_TOLERANCE * max(1.0, abs(theirs))
        return [] if close else [f"{where}: {ours} is now {theirs}"]
    if isinstance(ours, dict) and isinstance(theirs, dict) and ours.keys() == theirs.keys():
        return [problem for key in theirs for problem in compare_json(f"{where}: {key}", ours[key], theirs[key])]
    if isinstance(ours, list) and isinstance(theirs, list) and len(ours) == len(theirs):
        pairs = enumerate(zip(ours, theirs))
        return [problem for i, (one, other) in pairs for problem in compare_json(f"{where}[{i}]", one, other)]
    return [] if ours == theirs else [f"{where}: {ours} is now {theirs}"]
