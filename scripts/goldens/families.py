"""Small random checkpoints, one for every family row and every way a head or a table can be stored."""

import json
import math
import pathlib
from dataclasses import dataclass, field

import numpy as np
import torch
from safetensors.torch import save_file

UNUSED = "decoder.block.0.layer.1.EncDecAttention.relative_attention_bias.weight"


@dataclass(frozen=True)
class Family:
    """One checkpoint: its config.json as written, and what the file holds."""

    name: str
    seed: int
    config: dict
    # The head's matrix is lm_head.weight in the file; otherwise the shared table.
    own_head: bool = False
    # Whether the reference scales the head by d_model^-0.5.
    scaled: bool = True
    # Names under which the shared table is stored.
    table_names: tuple = ("shared.weight",)
    # Also store the cross-attention bias that old files carry and nothing reads.
    unused_bias: bool = False
    dtype: str = "float32"
    shards: int = 1
    embedding_std: float = 1.0
    beams: bool = False
    notes: str = ""
    sources: tuple = field(default=(11, 1, 40))


def config(model_type, feed_forward, sizes, **more):
    """config.json's content; sizes is (vocab, d_model, d_kv, heads, d_ff, encoder layers, decoder layers)."""
    vocab, d_model, d_kv, heads, d_ff, encoder, decoder = sizes
    return {
        "architectures": [{"t5": "T5", "mt5": "MT5", "umt5": "UMT5"}[model_type] + "ForConditionalGeneration"],
        "model_type": model_type,
        "feed_forward_proj": feed_forward,
        "vocab_size": vocab,
        "d_model": d_model,
        "d_kv": d_kv,
        "num_heads": heads,
        "d_ff": d_ff,
        "num_layers": encoder,
        "num_decoder_layers": decoder,
        "relative_attention_num_buckets": 32,
        "relative_attention_max_distance": 128,
        "layer_norm_epsilon": 1e-6,
        "dropout_rate": 0.1,
        "initializer_factor": 1.0,
        "is_encoder_decoder": True,
        "decoder_start_token_id": 0,
        "eos_token_id": 1,
        "pad_token_id": 0,
        "use_cache": True,
        **more,
    }


def without(mapping, *keys):
    return {key: value for key, value in mapping.items() if key not in keys}


V1_0 = (128, 32, 8, 4, 64, 2, 2)
V1_1 = (160, 24, 16, 3, 40, 2, 2)

FAMILIES = [
    # T5 v1.0 as published: no tie_word_embeddings, no max distance, no decoder count; every copy of the table; the unused bias.
    Family(
        "t5-v1.0",
        seed=10,
        config=without(
            config("t5", "relu", V1_0), "relative_attention_max_distance", "num_decoder_layers", "feed_forward_proj"
        ),
        table_names=("shared.weight", "encoder.embed_tokens.weight", "decoder.embed_tokens.weight"),
        unused_bias=True,
        sources=(11, 1, 40, 150),
        beams=True,
    ),
    Family(
        "t5-v1.1",
        seed=3,
        config=config("t5", "gated-gelu", V1_1, tie_word_embeddings=False),
        own_head=True,
        scaled=False,
        sources=(11, 1, 40, 150),
        beams=True,
    ),
    # As transformers from 5.17 on saves it: tied for all, and the truth in scale_decoder_outputs.
    Family(
        "flan-t5-resaved",
        seed=2,
        config=config(
            "t5", "gated-gelu", (96, 40, 12, 5, 48, 2, 1), tie_word_embeddings=True, scale_decoder_outputs=False
        ),
        own_head=True,
        scaled=False,
    ),
    Family(
        "ul2",
        seed=1,
        config=config("t5", "gated-silu", (100, 32, 16, 2, 48, 2, 2), tie_word_embeddings=False),
        own_head=True,
        scaled=False,
    ),
    # More decoder than encoder layers, heads · d_kv below d_model, and buckets that saturate within a few tokens.
    Family(
        "t5-deep-decoder",
        seed=7,
        config=config(
            "t5",
            "relu",
            (80, 40, 8, 3, 56, 1, 4),
            tie_word_embeddings=True,
            relative_attention_num_buckets=8,
            relative_attention_max_distance=20,
        ),
        beams=True,
    ),
    Family(
        "mt5",
        seed=1,
        config=config("mt5", "gated-gelu", (300, 24, 8, 4, 32, 2, 2), tie_word_embeddings=False),
        own_head=True,
        scaled=False,
    ),
    # mT5 as transformers 5 saves it: tied, it says, and no scale_decoder_outputs; yet transformers 5 never scales an mT5.
    Family(
        "mt5-resaved",
        seed=2,
        config=config(
            "mt5", "gated-gelu", (120, 24, 8, 3, 32, 1, 2), tie_word_embeddings=True, transformers_version="5.23.0"
        ),
        own_head=True,
        scaled=False,
    ),
    Family(
        "umt5",
        seed=3,
        config=config("umt5", "gated-gelu", (140, 32, 8, 3, 40, 3, 3), tie_word_embeddings=False),
        own_head=True,
        scaled=False,
        sources=(11, 1, 40, 150),
        notes="transformers 5 scales every umT5 head; this file says it is not tied, as Google's do, and is not scaled.",
    ),
    Family(
        "umt5-tied",
        seed=1,
        config=config("umt5", "gated-gelu", (90, 24, 8, 2, 32, 1, 2), tie_word_embeddings=True),
    ),
    Family(
        "byt5",
        seed=1,
        config=config(
            "t5",
            "gated-gelu",
            (384, 24, 12, 2, 32, 3, 1),
            tie_word_embeddings=False,
            tokenizer_class="ByT5Tokenizer",
        ),
        own_head=True,
        scaled=False,
    ),
    Family(
        "t5-tied-unscaled",
        seed=24,
        config=config(
            "t5", "relu", (64, 16, 4, 4, 32, 2, 2), tie_word_embeddings=True, scale_decoder_outputs=False
        ),
        scaled=False,
        embedding_std=0.5,
    ),
    # Said to be tied and scaled, yet the file has a head of its own, and that one counts.
    Family(
        "t5-tied-own-head",
        seed=3,
        config=config("t5", "relu", (64, 32, 16, 2, 32, 1, 1), tie_word_embeddings=True),
        own_head=True,
    ),
    Family(
        "t5-table-in-encoder",
        seed=21,
        config=config("t5", "relu", (64, 16, 8, 2, 32, 1, 1), tie_word_embeddings=True),
        table_names=("encoder.embed_tokens.weight",),
    ),
    Family(
        "t5-table-in-decoder",
        seed=26,
        config=config("t5", "relu", (72, 16, 8, 2, 32, 1, 1), tie_word_embeddings=True),
        table_names=("decoder.embed_tokens.weight",),
    ),
    Family(
        "t5-sharded",
        seed=2,
        config=config("t5", "gated-gelu", (96, 24, 8, 3, 32, 2, 2), tie_word_embeddings=False),
        own_head=True,
        scaled=False,
        shards=3,
    ),
    Family("t5-float16", seed=10, config=config("t5", "relu", V1_0, tie_word_embeddings=True), dtype="float16"),
    Family(
        "t5-bfloat16",
        seed=3,
        config=config("t5", "gated-gelu", V1_1, tie_word_embeddings=False),
        own_head=True,
        scaled=False,
        dtype="bfloat16",
    ),
]


def standard_deviation(name, shape, cfg, family):
    """T5's own initialisation with louder branches and position biases: random models repeat one token for ever otherwise."""
    d_model, d_kv, heads = cfg["d_model"], cfg["d_kv"], cfg["num_heads"]
    if name == "shared.weight":
        return family.embedding_std
    if name == "lm_head.weight":
        return 2.0 if family.scaled else 2.0 / math.sqrt(d_model)
    if name.endswith("relative_attention_bias.weight"):
        return 4.0
    if name.endswith(".q.weight"):
        return 2.0 * (d_model * d_kv) ** -0.5
    if name.endswith(".o.weight"):
        return 3.0 * (heads * d_kv) ** -0.5
    if name.endswith(".wo.weight"):
        return 4.0 * shape[1] ** -0.5
    return shape[1] ** -0.5


def random_tensors(family, model):
    """Values for the model's own parameters, in sorted order of name, from a generator whose stream is frozen."""
    random = np.random.RandomState(family.seed)
    tensors = {}
    for name, parameter in sorted(model.state_dict().items()):
        if name in ("encoder.embed_tokens.weight", "decoder.embed_tokens.weight"):
            continue
        if name == "lm_head.weight" and not family.own_head:
            continue
        shape = tuple(parameter.shape)
        noise = random.standard_normal(shape)
        if "layer_norm" in name:
            values = 1.0 + 0.25 * noise
            if name == "decoder.final_layer_norm.weight":
                # Gains of either sign keep a tied head from answering every token with itself.
                values = 2.0 * values * random.choice([-1.0, 1.0], size=shape)
        else:
            values = noise * standard_deviation(name, shape, family.config, family)
        tensors[name] = torch.from_numpy(values.astype(np.float32)).to(getattr(torch, family.dtype))
    return tensors


def write_checkpoint(family, tensors, folder: pathlib.Path):
    """Writes config.json and the tensors under the names that this family's file uses."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(family.config, indent=2) + "\n")
    stored = {name: tensor for name, tensor in tensors.items() if name != "shared.weight"}
    for name in family.table_names:
        stored[name] = tensors["shared.weight"].clone()
    if family.unused_bias:
        stored[UNUSED] = torch.zeros(32, family.config["num_heads"])
    metadata = {"format": "pt"}
    if family.shards == 1:
        save_file(stored, folder / "model.safetensors", metadata=metadata)
        return
    names = sorted(stored)
    weight_map = {}
    for shard in range(family.shards):
        file = f"model-{shard + 1:05d}-of-{family.shards:05d}.safetensors"
        own = names[shard :: family.shards]
        save_file({name: stored[name] for name in own}, folder / file, metadata=metadata)
        weight_map.update({name: file for name in own})
    total = sum(tensor.numel() * tensor.element_size() for tensor in stored.values())
    index = {"metadata": {"total_size": total}, "weight_map": dict(sorted(weight_map.items()))}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index, indent=2) + "\n")
