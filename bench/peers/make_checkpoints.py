"""Writes random checkpoints in real shapes, for timing only: build/peers/checkpoints/<shape>-<type>.

The head's rows for pad and EOS are zero, so greedy decoding never stops early.
"""

import argparse
import json
import pathlib

import torch
from lazy import make_lazy
from safetensors.torch import save_file
from tokenizers import Tokenizer, models
from transformers import T5Config, T5ForConditionalGeneration

# d_model, d_ff, heads, layers, feed-forward, tied. In every shape d_kv is 64 and the vocabulary has 32,128 entries.
SHAPES = {
    "t5-small": (512, 2048, 8, 6, "relu", True),
    "flan-t5-small": (512, 1024, 6, 8, "gated-gelu", False),
    "t5-base": (768, 3072, 12, 12, "relu", True),
    "t5-small-lazy": (512, 2048, 8, 6, "relu", True),
    "t5-base-lazy": (768, 3072, 12, 12, "relu", True),
}
# Share of the feed-forward units that are above zero for a token. A shape without an entry has the half that random weights leave.
# Trained T5-Base has 3.0 % (Li et al. 2022, "The Lazy Neuron Phenomenon", arXiv 2210.06313). The 5 % of t5-small-lazy are an assumption,
# between that figure and a dense model: the paper's abstract says that larger models have fewer, and names T5-Base alone.
ACTIVE = {"t5-small-lazy": 0.05, "t5-base-lazy": 0.03}
VOCABULARY = 32128


def config_of(shape):
    d_model, d_ff, heads, layers, feed_forward, tied = SHAPES[shape]
    return {
        "architectures": ["T5ForConditionalGeneration"],
        "model_type": "t5",
        "vocab_size": VOCABULARY,
        "d_model": d_model,
        "d_kv": 64,
        "d_ff": d_ff,
        "num_heads": heads,
        "num_layers": layers,
        "num_decoder_layers": layers,
        "feed_forward_proj": feed_forward,
        "relative_attention_num_buckets": 32,
        "relative_attention_max_distance": 128,
        "layer_norm_epsilon": 1e-6,
        "dropout_rate": 0.0,
        "tie_word_embeddings": tied,
        "is_encoder_decoder": True,
        "decoder_start_token_id": 0,
        "eos_token_id": 1,
        "pad_token_id": 0,
    }


def random_state(config, seed):
    """T5's own initialisation, with larger position biases and residual branches so that the text varies."""
    generator = torch.Generator().manual_seed(seed)
    tied = config["tie_word_embeddings"]
    with torch.device("meta"):
        model = T5ForConditionalGeneration(T5Config(**config))
    state = {}
    for name, parameter in sorted(model.state_dict().items()):
        if "embed_tokens" in name or (tied and name == "lm_head.weight"):
            continue
        shape = tuple(parameter.shape)
        if "layer_norm" in name:
            state[name] = torch.ones(shape)
            if name == "decoder.final_layer_norm.weight":
                # With gains of both signs, a tied head does not answer every token with the same token.
                state[name] -= 2 * torch.randint(0, 2, shape, generator=generator)
            continue
        deviation = {"shared.weight": 1.0}.get(name, shape[-1] ** -0.5)
        if name.endswith(".q.weight"):
            deviation *= config["d_kv"] ** -0.5 * 2
        if name.endswith(".relative_attention_bias.weight"):
            deviation = 4.0
        if name.endswith((".o.weight", ".wo.weight")):
            deviation *= 3
        state[name] = torch.empty(shape).normal_(0, deviation, generator=generator)
    state["shared.weight" if tied else "lm_head.weight"][:2] = 0
    return state


def write(shape, dtype, state, folder):
    folder.mkdir(parents=True, exist_ok=True)
    config = config_of(shape)
    (folder / "config.json").write_text(json.dumps({**config, "dtype": dtype}, indent=2) + "\n")
    generation = {"decoder_start_token_id": 0, "eos_token_id": 1, "pad_token_id": 0}
    (folder / "generation_config.json").write_text(json.dumps(generation, indent=2) + "\n")
    write_tokenizer(folder)
    save_file(
        {name: tensor.to(getattr(torch, dtype)) for name, tensor in state.items()},
        folder / "model.safetensors",
        metadata={"format": "pt"},
    )


def write_tokenizer(folder):
    """Writes one meaningless piece per id: converters refuse a checkpoint without a vocabulary."""
    pieces = [("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0)] + [(f"w{i}", -1.0) for i in range(3, VOCABULARY)]
    Tokenizer(models.Unigram(pieces, unk_id=2)).save(str(folder / "tokenizer.json"))
    names = {"tokenizer_class": "PreTrainedTokenizerFast", "pad_token": "<pad>", "eos_token": "</s>", "unk_token": "<unk>"}
    (folder / "tokenizer_config.json").write_text(json.dumps(names, indent=2) + "\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("shapes", nargs="*", default=list(SHAPES))
    options = parser.parse_args()
    for shape in options.shapes:
        if (options.folder / f"{shape}-bf16" / "model.safetensors").exists():
            continue
        state = random_state(config_of(shape), seed=1)
        # The float32 file holds the bfloat16 values, so every peer computes with the same numbers, whatever file it reads.
        state = {name: tensor.to(torch.bfloat16).float() for name, tensor in state.items()}
        if shape in ACTIVE:
            make_lazy(config_of(shape), state, ACTIVE[shape])
        for name, dtype in (("f32", "float32"), ("bf16", "bfloat16")):
            write(shape, dtype, state, options.folder / f"{shape}-{name}")
            print(f"{shape}-{name}")


if __name__ == "__main__":
    main()
