"""Files of torch.save, with the values that torch itself reads from them."""

import json

import torch
from safetensors.torch import load_file

TABLES = ("shared.weight", "encoder.embed_tokens.weight", "decoder.embed_tokens.weight", "lm_head.weight")
SAFETENSORS_TYPES = {
    torch.float32: "F32",
    torch.float16: "F16",
    torch.bfloat16: "BF16",
    torch.float64: "F64",
    torch.int64: "I64",
    torch.int32: "I32",
    torch.int16: "I16",
    torch.int8: "I8",
    torch.uint8: "U8",
    torch.bool: "BOOL",
}


def record_torch_files(folder, models):
    """Writes FOLDER/torch-files: every kind of tensor, and small models of the other goldens as pytorch_model.bin."""
    target = folder / "torch-files"
    target.mkdir(exist_ok=True)
    state = every_kind()
    torch.save(state, target / "kinds.bin")
    torch.save(state, target / "kinds-protocol-4.bin", pickle_protocol=4)
    torch.save(state, target / "kinds-before-1.6.bin", _use_new_zipfile_serialization=False)
    tensors = {name: value for name, value in state.items() if isinstance(value, torch.Tensor)}
    expected = {name: describe(tensor) for name, tensor in tensors.items()}
    (target / "kinds.json").write_text(json.dumps(expected, indent=1) + "\n")
    torch.save(tied(load_file(models / "t5-tied-unscaled" / "model.safetensors")), target / "tied.bin")
    small = tied(load_file(models / "t5-table-in-encoder" / "model.safetensors"))
    torch.save(small, target / "tied-before-1.6.bin", _use_new_zipfile_serialization=False)
    names = sorted(small)
    halves = {"pytorch_model-00001-of-00002.bin": names[::2], "pytorch_model-00002-of-00002.bin": names[1::2]}
    for file, part in halves.items():
        torch.save({name: small[name].clone() for name in part}, target / file)
    weight_map = {name: file for file, part in halves.items() for name in part}
    index = {"metadata": {}, "weight_map": weight_map}
    (target / "pytorch_model.bin.index.json").write_text(json.dumps(index, indent=1) + "\n")


def every_kind():
    """A state dict with all types, views of one storage, tensors in other orders, parameters, and values that are no tensors."""
    generator = torch.Generator().manual_seed(7)
    base = torch.randn(6, 8, generator=generator)
    state = torch.nn.Linear(3, 2).state_dict()  # an OrderedDict with attributes
    for name in state:
        state[name] = torch.randn(state[name].shape, generator=generator)
    for dtype in SAFETENSORS_TYPES:
        state[f"type.{SAFETENSORS_TYPES[dtype]}"] = (base * 50).to(torch.int32).to(dtype)
    state["base"] = base
    state["rows"] = base[2:5]
    state["columns"] = base[:, 1:4]
    state["transposed"] = base.T
    state["steps"] = base[::2, ::3]
    state["mixed"] = base.reshape(2, 3, 8).permute(2, 0, 1)
    state["same"] = base
    state["parameter"] = torch.nn.Parameter(torch.randn(4, generator=generator))
    state["scalar"] = torch.tensor(2.5)
    state["empty"] = torch.empty(3, 0)
    state["steps_done"] = 1234567890123
    state["nothing"] = None
    return state


def describe(tensor):
    content = tensor.detach().contiguous()
    raw = content.reshape(-1).view(torch.uint8) if content.numel() else torch.empty(0, dtype=torch.uint8)
    return {"type": SAFETENSORS_TYPES[tensor.dtype], "shape": list(tensor.shape), "hex": bytes(raw.tolist()).hex()}


def tied(state):
    """As Hugging Face saved a T5: the table under every name that it has in the model, one storage for all."""
    table = next(state[name] for name in TABLES if name in state)
    return {**{name: table for name in TABLES}, **{name: value for name, value in state.items() if name not in TABLES}}
