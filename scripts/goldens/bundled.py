"""Goldens of the bundled pair. The weights stay in models/; the golden names them by their hash."""

import hashlib
import json

import sentencepiece
import torch
from transformers import T5ForConditionalGeneration

from paths import HELD_OUT, MODELS
from record import Refused, beams, greedy, layer_tensors
from store import save_golden

PREFIX = "modernize: "
LAYER_TEXT = "Jesus wept."
SENTENCES = 20
MOST_TOKENS = 96
BEAM_SENTENCES = 6


def record_bundled(role, folder):
    name = f"modernize-{role}"
    directory = MODELS / name
    model = load(directory)
    pieces = sentencepiece.SentencePieceProcessor(model_file=str(directory / "spiece.model"))
    encode = lambda text: pieces.encode(PREFIX + text) + [model.config.eos_token_id]
    source = encode(LAYER_TEXT)
    eos = model.config.eos_token_id
    decoder = [model.config.decoder_start_token_id] + greedy(model, source, 5, eos)["tokens"]
    seen = layer_tensors(model, source, decoder, model.config.num_decoder_layers - 1)
    rows = sorted({0, len(decoder) // 2, len(decoder) - 1})
    seen["logits"] = seen["logits"][rows]
    golden = {
        "checkpoint": name,
        "sha256": hashlib.sha256((directory / "model.safetensors").read_bytes()).hexdigest(),
        "crossLayer": model.config.num_decoder_layers - 1,
        "cases": [{"text": LAYER_TEXT, "source": source, "decoder": decoder, "rows": rows, "layers": True}],
        "sentences": record_sentences(model, encode, pieces),
    }
    if role == "target":
        golden["beamSearch"] = record_beams(model, load(directory).double(), golden["sentences"])
    save_golden(folder, name, golden, {f"0.{key}": tensor for key, tensor in seen.items()})
    gaps = [gap for sentence in golden["sentences"] for gap in sentence["greedy"]["gaps"]]
    print(f"{name}: {len(gaps)} greedy tokens, smallest gap {min(gaps):.4f}")


def load(directory):
    """The model with the file's bfloat16 values, in float32 arithmetic."""
    model = T5ForConditionalGeneration.from_pretrained(directory, dtype=torch.float32, attn_implementation="eager")
    return model.eval()


def record_sentences(model, encode, pieces):
    """Every tenth held-out passage as text, ids and greedy tokens up to EOS. A refused passage is replaced by the next one."""
    held_out = json.loads(HELD_OUT.read_text())
    sentences = []
    for start in range(0, len(held_out), len(held_out) // SENTENCES):
        for passage in held_out[start : start + len(held_out) // SENTENCES]:
            source = encode(passage["source"])
            try:
                found = greedy(model, source, MOST_TOKENS, model.config.eos_token_id)
            except Refused as refusal:
                print(f"  {passage['ref']} is replaced: {refusal}")
                continue
            text = pieces.decode([token for token in found["tokens"] if token != model.config.eos_token_id])
            sentences.append({"ref": passage["ref"], "source": source, "greedy": found, "text": text})
            break
    return sentences


def record_beams(model, doubled, sentences):
    """Beam searches of the shortest sentences for which float32 and float64 find the same sequences."""
    results = []
    for sentence in sorted(sentences, key=lambda sentence: len(sentence["greedy"]["tokens"])):
        if len(results) == BEAM_SENTENCES:
            break
        try:
            settings = beams(model, doubled, sentence["source"], MOST_TOKENS, model.config.eos_token_id)
        except Refused as refusal:
            print(f"  {sentence['ref']} is replaced: {refusal}")
            continue
        results.append(
            {
                "ref": sentence["ref"],
                "source": sentence["source"],
                "eos": model.config.eos_token_id,
                "maxNewTokens": MOST_TOKENS,
                "settings": settings,
            }
        )
    return results
