"""Writes build/peers/checkpoints/<shape>-f32 as GGUF for llama.cpp: build/peers/gguf/<shape>-<type>.gguf."""

import argparse
import json
import pathlib
import re

import gguf
from gguf import GGMLQuantizationType as Type
from gguf.quants import quantize
from safetensors.numpy import load_file

TYPES = {"f32": Type.F32, "bf16": Type.BF16, "q8": Type.Q8_0}
FEED_FORWARD = {"wi": "ffn_up", "wi_0": "ffn_gate", "wi_1": "ffn_up", "wo": "ffn_down"}


def gguf_name(name):
    """llama.cpp's name for a tensor, from Hugging Face's name."""
    whole = {
        "shared.weight": "token_embd.weight",
        "lm_head.weight": "output.weight",
        "encoder.final_layer_norm.weight": "enc.output_norm.weight",
        "decoder.final_layer_norm.weight": "dec.output_norm.weight",
    }
    if name in whole:
        return whole[name]
    side, block, layer, rest = re.fullmatch(r"(enc|dec)oder\.block\.(\d+)\.layer\.(\d)\.(.+)\.weight", name).groups()
    kind, _, part = rest.rpartition(".")
    norm = {("enc", "0"): "attn_norm", ("dec", "0"): "attn_norm", ("dec", "1"): "cross_attn_norm"}
    own = {
        "": norm.get((side, layer), "ffn_norm"),
        "SelfAttention": "attn_rel_b" if part == "relative_attention_bias" else f"attn_{part}",
        "EncDecAttention": f"cross_attn_{part}",
        "DenseReluDense": FEED_FORWARD.get(part),
    }[kind]
    return f"{side}.blk.{block}.{own}.weight"


def write(checkpoint, path, kind):
    config = json.loads((checkpoint / "config.json").read_text())
    writer = gguf.GGUFWriter(path, "t5")
    writer.add_context_length(512)
    writer.add_embedding_length(config["d_model"])
    writer.add_feed_forward_length(config["d_ff"])
    writer.add_block_count(config["num_layers"])
    writer.add_decoder_block_count(config["num_decoder_layers"])
    writer.add_head_count(config["num_heads"])
    writer.add_key_length(config["d_kv"])
    writer.add_value_length(config["d_kv"])
    writer.add_layer_norm_eps(config["layer_norm_epsilon"])
    writer.add_layer_norm_rms_eps(config["layer_norm_epsilon"])
    writer.add_relative_attn_buckets_count(config["relative_attention_num_buckets"])
    writer.add_decoder_start_token_id(config["decoder_start_token_id"])
    write_vocabulary(writer, config)
    for name, values in sorted(load_file(checkpoint / "model.safetensors").items()):
        plain = values.ndim == 1 or "relative_attention_bias" in name
        own = Type.F32 if plain else TYPES[kind]
        writer.add_tensor(gguf_name(name), values if own is Type.F32 else quantize(values, own), raw_dtype=own)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def write_vocabulary(writer, config):
    """Writes meaningless pieces: only ids go in and out."""
    size = config["vocab_size"]
    pieces = ["<pad>", "</s>", "<unk>"] + [f"w{i}" for i in range(3, size)]
    writer.add_tokenizer_model("t5")
    writer.add_tokenizer_pre("default")
    writer.add_token_list(pieces)
    writer.add_token_scores([0.0, 0.0, 0.0] + [-1.0] * (size - 3))
    control, unknown, normal = gguf.TokenType.CONTROL, gguf.TokenType.UNKNOWN, gguf.TokenType.NORMAL
    writer.add_token_types([control, control, unknown] + [normal] * (size - 3))
    writer.add_pad_token_id(0)
    writer.add_eos_token_id(1)
    writer.add_unk_token_id(2)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=pathlib.Path, help="build/peers")
    parser.add_argument("shapes", nargs="+")
    options = parser.parse_args()
    (options.folder / "gguf").mkdir(exist_ok=True)
    for shape in options.shapes:
        for kind in TYPES:
            path = options.folder / "gguf" / f"{shape}-{kind}.gguf"
            if not path.exists():
                write(options.folder / "checkpoints" / f"{shape}-f32", path, kind)
                print(path.name)


if __name__ == "__main__":
    main()
