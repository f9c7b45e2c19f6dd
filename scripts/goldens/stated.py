"""What a checkpoint states: activations by every name, settings of generation in its files, and weights in 8 bits."""

import copy
import json
import pathlib
import tempfile
import warnings

import torch
from safetensors.torch import save_file
from transformers import T5Config, T5ForConditionalGeneration
from transformers.activations import ACT2CLS

from record import Refused, greedy, logits
from store import compact, save_golden

SEED = 12
VOCABULARY = 64
SOURCE = [17, 5, 40, 33, 8, 22, 59, 1]
DECODER = [0, 12, 45, 7, 30, 51]
ROWS = [0, 3, 5]
MOST_TOKENS = 12
# Functions of ACT2CLS that Tandem computes. The others have weights or kernels of their own, and no T5 uses them.
COMPUTED = ["relu", "gelu", "gelu_python", "gelu_new", "gelu_fast", "gelu_accurate", "gelu_pytorch_tanh", "gelu_python_tanh", "silu", "swish"]  # fmt: skip

CONFIG = {
    "architectures": ["T5ForConditionalGeneration"],
    "model_type": "t5",
    "feed_forward_proj": "gated-gelu",
    "vocab_size": VOCABULARY,
    "d_model": 16,
    "d_kv": 8,
    "num_heads": 2,
    "d_ff": 24,
    "num_layers": 2,
    "num_decoder_layers": 2,
    "relative_attention_num_buckets": 8,
    "relative_attention_max_distance": 20,
    "is_encoder_decoder": True,
    "tie_word_embeddings": False,
    "decoder_start_token_id": 0,
    "eos_token_id": 1,
    "pad_token_id": 0,
}


def tensors():
    """Random weights in which every part matters. Both kinds of feed-forward layer are there: wi, and wi_0 with wi_1."""
    random = torch.Generator().manual_seed(SEED)
    named = {}
    for projection in ("relu", "gated-gelu"):
        model = T5ForConditionalGeneration(T5Config(**{**CONFIG, "feed_forward_proj": projection}))
        for name, parameter in model.named_parameters():
            named.setdefault(name, parameter.shape)
    named["lm_head.weight"] = torch.Size([VOCABULARY, CONFIG["d_model"]])
    weights = {}
    for name, shape in sorted(named.items()):
        drawn = torch.randn(shape, generator=random)
        if "layer_norm" in name:
            weights[name] = 1 + 0.1 * drawn
        elif "relative" in name or name == "shared.weight":
            weights[name] = drawn
        else:
            spread = 12.0 if name.endswith("wo.weight") else 2.0 if "lm_head" in name else 1.0
            weights[name] = spread * drawn * shape[1] ** -0.5
    return weights


def model_of(config, weights):
    model = T5ForConditionalGeneration(T5Config(**copy.deepcopy(config))).eval()
    model.lm_head.weight = torch.nn.Parameter(weights["lm_head.weight"].clone())
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            parameter.copy_(weights[name])
    return model


def write(folder, config, weights, generation=None):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(compact(config) + "\n")
    save_file({name: tensor.contiguous() for name, tensor in weights.items()}, folder / "model.safetensors", {"format": "pt"})
    if generation is not None:
        (folder / "generation_config.json").write_text(json.dumps(generation))


def activations(weights):
    """Logits and greedy tokens of one model with each function, gated or not."""
    cases, stored = [], {}
    stated = [{"feed_forward_proj": f"{gate}{name}"} for gate in ("", "gated-") for name in COMPUTED]
    stated.append({"feed_forward_proj": "gated-gelu", "dense_act_fn": "gelu"})
    stated.append({"feed_forward_proj": "relu", "dense_act_fn": "silu", "is_gated_act": True})
    for i, config in enumerate(stated):
        model = model_of({**CONFIG, **config}, weights)
        stored[f"{i}.logits"] = logits(model, SOURCE, DECODER)[ROWS]
        cases.append({"config": config, "greedy": greedy(model, SOURCE, MOST_TOKENS)["tokens"]})
    unknown = sorted(name for name in ACT2CLS if name not in COMPUTED)
    return {"source": SOURCE, "decoder": DECODER, "rows": ROWS, "cases": cases, "others": unknown}, stored


def generation_cases(tokens, eos):
    """(generation_config.json, what the caller says in Hugging Face's words, and in Tandem's; keys of config.json)."""
    first, second, third = tokens[:3]
    n, short = {"max_new_tokens": MOST_TOKENS}, {"maxNewTokens": MOST_TOKENS}
    alone = [
        {},
        {"decoder_start_token_id": 25},
        {"bos_token_id": 25},
        {"forced_bos_token_id": 9},
        {"forced_eos_token_id": eos},
        {"suppress_tokens": [second]},
        {"begin_suppress_tokens": [first]},
        {"begin_suppress_tokens": [second], "forced_bos_token_id": first},
        {"bad_words_ids": [[first, second]]},
        {"bad_words_ids": [[eos], [third]]},
        {"min_length": 6},
        {"min_length": 7},
        {"min_new_tokens": 6},
        {"min_length": 10},
        {"min_new_tokens": 9},
        {"min_length": 3, "min_new_tokens": 9},
        {"repetition_penalty": 1.6},
        {"encoder_repetition_penalty": 2.5},
        {"no_repeat_ngram_size": 1},
        {"encoder_no_repeat_ngram_size": 1},
        {"sequence_bias": [[[first], -30.0], [[9], 3.0]]},
        {"exponential_decay_length_penalty": [2, 1.9]},
        {"eos_token_id": [eos, second]},
        {"num_beams": 3, "length_penalty": 2.0, "early_stopping": True},
        {"num_beams": 4, "length_penalty": -1.0, "num_return_sequences": 3},
        {"num_beams": 3, "no_repeat_ngram_size": 1, "min_length": 6, "early_stopping": "never"},
        {"do_sample": False, "temperature": 0.3, "top_p": 0.5, "top_k": 3, "min_p": 0.1, "typical_p": 0.2},
        {"length_penalty": 3.0, "early_stopping": True},
        {
            "temperature": 1.0, "top_k": 50, "top_p": 1.0, "repetition_penalty": 1.0, "no_repeat_ngram_size": 0, "num_beams": 1,
            "encoder_repetition_penalty": 1.0, "min_length": 0, "length_penalty": 1.0, "early_stopping": False, "bad_words_ids": None,
            "suppress_tokens": None, "num_return_sequences": 1, "num_beam_groups": 1, "diversity_penalty": 0.0, "guidance_scale": 1.0,
            "penalty_alpha": 0.0, "use_cache": True, "output_scores": True, "forced_bos_token_id": None, "do_sample": None,
        },  # fmt: skip
    ]
    for file in alone:
        yield file, n, short, {}
    yield {"max_length": 5}, {}, {}, {}
    yield {"max_new_tokens": 3}, {}, {}, {}
    yield {"max_new_tokens": 3, "max_length": 9}, {}, {}, {}
    yield {"max_length": 5}, n, short, {}
    yield {"num_beams": 4, "length_penalty": 2.0}, {**n, "num_beams": 1}, {**short, "numBeams": 1}, {}
    yield {"num_beams": 4}, {**n, "num_beams": 2}, {**short, "numBeams": 2}, {}
    yield {"suppress_tokens": [second]}, {**n, "suppress_tokens": [third]}, {**short, "suppressTokens": [third]}, {}
    yield {"do_sample": True, "temperature": 2.0}, {**n, "do_sample": False}, {**short, "temperature": 0}, {}
    # No generation_config.json: the keys of an old config.json.
    yield None, n, short, {"suppress_tokens": [second], "min_length": 9}
    yield None, {}, {}, {"num_beams": 3, "max_length": 7, "no_repeat_ngram_size": 1}


def sampling_cases():
    """(generation_config.json, what the caller says in Hugging Face's words, and in Tandem's)."""
    yield {"do_sample": True}, {}, {}
    yield {"do_sample": True, "temperature": 0.7, "top_k": 0}, {}, {}
    yield {"do_sample": True, "temperature": 1.5, "top_k": 9, "top_p": 0.8}, {}, {}
    yield {"do_sample": True, "top_k": 0, "top_p": 1.0, "min_p": 0.02}, {}, {}
    yield {"do_sample": True, "top_k": 0, "typical_p": 0.6, "repetition_penalty": 1.3}, {}, {}
    yield {"do_sample": True, "epsilon_cutoff": 0.01, "eta_cutoff": 0.02}, {}, {}
    yield {"do_sample": True, "top_h": 0.7, "top_k": 0}, {}, {}
    yield {"do_sample": True, "temperature": 0.7}, {"temperature": 1.4, "top_p": 0.9}, {"temperature": 1.4, "topP": 0.9}
    yield {"temperature": 0.6, "top_k": 7}, {"do_sample": True, "temperature": 0.9}, {"temperature": 0.9}
    yield {"top_k": 7, "top_p": 0.9}, {"do_sample": True, "top_k": 20}, {"temperature": 1, "topK": 20}


def generated(model, caller):
    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        output = model.generate(
            torch.tensor([SOURCE]), pad_token_id=0, use_cache=False, **{**caller, "return_dict_in_generate": True, "output_scores": True}
        )
    return output


def sequences(model, caller, eos):
    """New tokens of every sequence, up to its end."""
    found = []
    for ids in generated(model, caller).sequences.tolist():
        ids = ids[1:]
        ends = [i for i, token in enumerate(ids) if token in eos]
        found.append(ids[: ends[0] + 1] if ends else ids)
    return found


def loaded(folder):
    return T5ForConditionalGeneration.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager").eval()


def generations(weights, eos, scratch):
    config = {**CONFIG, "eos_token_id": eos}
    tokens = greedy(model_of(config, weights), SOURCE, MOST_TOKENS)["tokens"]
    cases, sampled, stored = [], [], {}
    for i, (file, caller, options, keys) in enumerate(generation_cases(tokens, eos)):
        stated = {"decoder_start_token_id": 0, "eos_token_id": eos, "pad_token_id": 0, **file} if file is not None else None
        if file and "bos_token_id" in file:
            stated.pop("decoder_start_token_id")
        folder = scratch / f"generation-{i}"
        write(folder, {**config, **keys}, weights, stated)
        ends = {*(stated or config)["eos_token_id"]} if isinstance((stated or config)["eos_token_id"], list) else {eos}
        model = loaded(folder)
        ids = sequences(model, caller, ends)
        if sequences(model.double(), caller, ends) != ids:
            raise Refused(f"{stated} {caller}: float32 gives other tokens than float64")
        cases.append({"generation": stated, "config": keys, "options": options, "sequences": ids})
    if len({json.dumps(case["sequences"]) for case in cases}) < len(cases) * 2 // 5:
        raise Refused("too many settings give the same tokens")
    for i, (file, caller, options) in enumerate(sampling_cases()):
        stated = {"decoder_start_token_id": 0, "eos_token_id": eos, "pad_token_id": 0, **file}
        folder = scratch / f"sampling-{i}"
        write(folder, config, weights, stated)
        scores = generated(loaded(folder).double(), {**caller, "max_new_tokens": 1}).scores[0][0]
        stored[f"sampled.{i}"] = scores.softmax(-1)
        sampled.append({"generation": stated, "options": options})
    return {"eos": eos, "cases": cases, "sampled": sampled}, stored


def eight_bits(weights):
    """bitsandbytes's layout of every matrix but tables: codes of int8, and for each row its largest magnitude as SCB."""
    stored = {}
    for name, tensor in weights.items():
        if tensor.dim() != 2 or name in ("shared.weight", "lm_head.weight") or "relative" in name:
            stored[name] = tensor
            continue
        scale = tensor.abs().amax(dim=1)
        stored[name] = (tensor * (127.0 / scale)[:, None]).round().to(torch.int8)
        stored[name.replace("weight", "SCB")] = scale
        stored[f"{name}_format"] = torch.tensor(0, dtype=torch.uint8)
    return stored


def read_back(stored):
    """weight = code · SCB / 127."""
    return {
        name: (tensor.double() * stored[name.replace("weight", "SCB")].double()[:, None] / 127).float() if tensor.dtype == torch.int8 else tensor
        for name, tensor in stored.items()
        if not name.endswith(("SCB", "_format"))
    }  # fmt: skip


QUANTIZATION = {"load_in_4bit": False, "load_in_8bit": True, "llm_int8_threshold": 6.0, "quant_method": "bitsandbytes"}


def record_stated(folder: pathlib.Path):
    """Writes stated/model/, the same in 8 bits as stated/int8/, and the golden of both."""
    weights = tensors()
    write(folder / "stated" / "model", CONFIG, weights)
    activation, stored = activations(weights)
    free = greedy(model_of(CONFIG, weights), SOURCE, MOST_TOKENS)["tokens"]
    eos = next(token for i, token in enumerate(free) if i >= 5 and token not in free[:i])
    with tempfile.TemporaryDirectory() as scratch:
        generation, distributions = generations(weights, eos, pathlib.Path(scratch))
    quantised = eight_bits(weights)
    write(folder / "stated" / "int8", {**CONFIG, "quantization_config": QUANTIZATION}, quantised)
    model = model_of(CONFIG, read_back(quantised))
    stored["int8.logits"] = logits(model, SOURCE, DECODER)[ROWS]
    golden = {
        "checkpoint": "stated/model",
        "activations": activation,
        "generation": generation,
        "int8": {"greedy": greedy(model, SOURCE, MOST_TOKENS)["tokens"]},
    }
    save_golden(folder, "stated", golden, {**stored, **distributions})
