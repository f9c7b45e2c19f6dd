"""Goldens of the small random models."""

import copy
import pathlib
import tempfile

import numpy as np
import torch
from transformers import MT5ForConditionalGeneration, T5ForConditionalGeneration, UMT5ForConditionalGeneration

from families import random_tensors, write_checkpoint
from record import Refused, beams, greedy, layer_tensors, logits
from store import save_golden

CLASSES = {
    "t5": T5ForConditionalGeneration,
    "mt5": MT5ForConditionalGeneration,
    "umt5": UMT5ForConditionalGeneration,
}
GREEDY_TOKENS = 28
BEAM_TOKENS = 16
FEWEST_DISTINCT = 9


def empty_model(family):
    """A model of this family's shape whose head and tables are separate parameters."""
    kind = CLASSES[family.config["model_type"]]
    cfg = kind.config_class(**copy.deepcopy(family.config))
    cfg._attn_implementation = "eager"
    return kind(cfg).eval()


def fill(model, family, tensors):
    """Puts the tensors in by hand: what the files mean, whatever the library makes of them."""
    with torch.no_grad():
        state = {name: tensor.float() for name, tensor in tensors.items()}
        head = state.get("lm_head.weight", state["shared.weight"])
        model.lm_head.weight = torch.nn.Parameter(head.clone())
        for name, parameter in model.named_parameters():
            if name in state:
                parameter.copy_(state[name])
        for stack in (model.encoder, model.decoder):
            stack.embed_tokens.weight = model.shared.weight
    set_scaling(model, family)
    return model


def set_scaling(model, family):
    if family.config["model_type"] == "umt5":
        # The switch that umT5's forward reads; the configuration class forces it to true.
        model.config.tie_word_embeddings = family.scaled
    elif family.config["model_type"] == "t5" and model.config.scale_decoder_outputs != family.scaled:
        raise AssertionError(f"{family.name}: the library reads scale_decoder_outputs otherwise")


def check_files(model, family, folder):
    """The library reads back from the files the very parameters that the goldens are made with."""
    loaded = type(model).from_pretrained(folder, dtype=torch.float32, attn_implementation="eager").eval()
    for name, parameter in model.named_parameters():
        found = loaded.get_parameter(name)
        if not torch.equal(found, parameter):
            raise AssertionError(f"{family.name}: {name} is read back otherwise")


def numbers(random, count, vocabulary):
    """Ids above pad and EOS."""
    return random.randint(2, vocabulary, size=count).tolist()


def cases_of(family):
    """Source and decoder ids: the first case is short and recorded layer by layer, the others at a few rows."""
    random = np.random.RandomState(1000 + family.seed)
    vocabulary = family.config["vocab_size"]
    lengths = {11: 9, 1: 1, 40: 30, 150: 140}
    for i, length in enumerate(family.sources):
        steps = lengths[length]
        rows = sorted({0, steps // 2, steps - 1})
        source = numbers(random, length - 1, vocabulary) + [family.config["eos_token_id"]]
        yield {"source": source, "decoder": [0] + numbers(random, steps - 1, vocabulary), "rows": rows, "layers": i == 0}


def record_model(family, folder: pathlib.Path):
    """Writes the checkpoint folder/<name>/ and its golden beside it."""
    model = empty_model(family)
    tensors = random_tensors(family, model)
    fill(model, family, tensors)
    doubled = fill(empty_model(family), family, tensors).double()
    cases, stored = [], {}
    cross_layer = family.config.get("num_decoder_layers", family.config["num_layers"]) - 1
    for i, case in enumerate(cases_of(family)):
        if case["layers"]:
            seen = layer_tensors(model, case["source"], case["decoder"], cross_layer)
        else:
            seen = {"logits": logits(model, case["source"], case["decoder"])}
        seen["logits"] = seen["logits"][case["rows"]]
        stored.update({f"{i}.{name}": tensor for name, tensor in seen.items()})
        case["greedy"] = greedy(model, case["source"], GREEDY_TOKENS)
        cases.append(case)
    fewest = min(len(set(case["greedy"]["tokens"])) for case in cases)
    if fewest < FEWEST_DISTINCT:
        raise Refused(f"a greedy case has only {fewest} distinct tokens")
    check_precision(doubled, cases, stored)
    golden = {"checkpoint": family.name, "crossLayer": cross_layer, "cases": cases}
    if family.notes:
        golden["notes"] = family.notes
    if family.beams:
        golden["beamSearch"] = record_beams(model, doubled, cases)
    write_checkpoint(family, tensors, folder / family.name)
    check_files(model, family, folder / family.name)
    save_golden(folder, family.name, golden, stored)
    return golden


def check_precision(doubled, cases, stored):
    """float32 against float64 arithmetic: the goldens themselves must be well inside the specs' 1e-5 of scale."""
    for i, case in enumerate(cases):
        exact = logits(doubled, case["source"], case["decoder"])[case["rows"]]
        scale = exact.abs().max().item()
        error = (stored[f"{i}.logits"].double() - exact).abs().max().item() / scale
        if error > 5e-6:
            raise Refused(f"case {i}: float32 is {error:.1e} of scale away from float64")


def record_beams(model, doubled, cases):
    """Beams over two sources, with a token that the model likes as the end of a sequence."""
    results = []
    for case in (cases[0], cases[2]):
        eos = case["greedy"]["tokens"][7]
        settings = beams(model, doubled, case["source"], BEAM_TOKENS, eos)
        results.append({"source": case["source"], "eos": eos, "maxNewTokens": BEAM_TOKENS, "settings": settings})
    return results


def find_seed(family, make):
    """The first seed, counting up, whose goldens are not refused: for a person changing families.py."""
    with tempfile.TemporaryDirectory() as scratch:
        for seed in range(1, 1000):
            try:
                make(seed, pathlib.Path(scratch))
                return seed
            except Refused as refusal:
                print(f"  {family.name} seed {seed}: {refusal}")
    raise SystemExit(f"{family.name}: no seed serves")
