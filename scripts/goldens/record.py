"""Runs Hugging Face's T5 and records layer tensors, logits, greedy tokens and beams."""

import torch

SMALLEST_GAP = 1e-3


class Refused(Exception):
    """A golden that a correct implementation could miss by rounding alone."""


def layer_tensors(model, source, decoder, cross_layer):
    """Hidden states after every block and final norm, and one layer's cross-attention keys and values; logits too."""
    seen = {}

    def keep(name):
        def hook(_module, _inputs, output):
            tensor = output[0] if isinstance(output, tuple) else output
            seen[name] = tensor.detach()[0].clone()

        return hook

    hooks = []
    for side in ("encoder", "decoder"):
        stack = getattr(model, side)
        for i, block in enumerate(stack.block):
            hooks.append(block.register_forward_hook(keep(f"{side}.block.{i}")))
        hooks.append(stack.final_layer_norm.register_forward_hook(keep(f"{side}.final")))
    cross = model.decoder.block[cross_layer].layer[1].EncDecAttention
    hooks.append(cross.k.register_forward_hook(keep(f"cross.{cross_layer}.keys")))
    hooks.append(cross.v.register_forward_hook(keep(f"cross.{cross_layer}.values")))
    try:
        seen["logits"] = logits(model, source, decoder)
    finally:
        for hook in hooks:
            hook.remove()
    return seen


def logits(model, source, decoder):
    """[decoder length, vocabulary]"""
    with torch.no_grad():
        output = model(
            input_ids=torch.tensor([source]), decoder_input_ids=torch.tensor([decoder]), use_cache=False
        )
    return output.logits[0]


def greedy(model, source, count, eos=None):
    """Arg-max decoding without a cache; stops at `eos` when one is given. Returns tokens and top-two gaps."""
    with torch.no_grad():
        hidden = model.encoder(input_ids=torch.tensor([source]))
        tokens, gaps = [], []
        decoder = [model.config.decoder_start_token_id]
        while len(tokens) < count:
            output = model(encoder_outputs=hidden, decoder_input_ids=torch.tensor([decoder]), use_cache=False)
            top = output.logits[0, -1].topk(2)
            gap = (top.values[0] - top.values[1]).item()
            if gap < SMALLEST_GAP:
                raise Refused(f"step {len(tokens)}: gap {gap:.2e} between the top two logits is under {SMALLEST_GAP}")
            tokens.append(top.indices[0].item())
            gaps.append(float(f"{gap:.5g}"))
            decoder.append(tokens[-1])
            if tokens[-1] == eos:
                break
    return {"tokens": tokens, "gaps": gaps}


BEAM_SETTINGS = [
    {"beams": beams, "lengthPenalty": penalty, "earlyStopping": early}
    for beams in (2, 4)
    for penalty in (1.0, 0.6)
    for early in (True, False)
]


def beam_search(model, source, settings, max_new_tokens, eos):
    """generate() with beams, no cache (its cache fails when the decoder is deeper than the encoder)."""
    with torch.no_grad():
        output = model.generate(
            input_ids=torch.tensor([source]),
            num_beams=settings["beams"],
            num_return_sequences=settings["beams"],
            length_penalty=settings["lengthPenalty"],
            early_stopping=settings["earlyStopping"],
            max_new_tokens=max_new_tokens,
            eos_token_id=eos,
            pad_token_id=model.config.pad_token_id,
            do_sample=False,
            use_cache=False,
            return_dict_in_generate=True,
            output_scores=True,
        )
    found = []
    for sequence, score in zip(output.sequences.tolist(), output.sequences_scores.tolist()):
        tokens = sequence[1:]
        if eos in tokens:
            tokens = tokens[: tokens.index(eos) + 1]
        found.append({"tokens": tokens, "score": score})
    return found


def beams(model, doubled, source, max_new_tokens, eos):
    """All settings; float32 and float64 arithmetic must find the same sequences, or the golden is refused."""
    results = []
    for settings in BEAM_SETTINGS:
        found = beam_search(model, source, settings, max_new_tokens, eos)
        again = beam_search(doubled, source, settings, max_new_tokens, eos)
        if [one["tokens"] for one in found] != [one["tokens"] for one in again]:
            raise Refused(f"beams {settings}: float32 and float64 find different sequences")
        results.append({**settings, "sequences": found})
    return results
