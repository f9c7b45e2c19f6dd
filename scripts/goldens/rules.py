"""What Hugging Face's logits processors make of 12,000 rows, each under several rules at once, in the library's own order.

The library's `generate` chooses and orders the processors itself (`_get_logits_processor`); they run in float64. Rows are made from
a seed in the same way here and in the spec, so the golden holds the settings, and for each row which tokens are left and one number
that depends on all of their probabilities.
"""

import random

import torch
from safetensors.torch import save_file
from transformers import GenerationConfig, T5Config, T5ForConditionalGeneration

from store import compact

VOCABULARY = 32
SETTINGS = 400
ROWS = 30  # for each of the settings

# Tandem's name of a setting, and transformers' name of it.
NAMES = {
    "topH": "top_h",
    "topK": "top_k",
    "topP": "top_p",
    "minP": "min_p",
    "typicalP": "typical_p",
    "epsilonCutoff": "epsilon_cutoff",
    "etaCutoff": "eta_cutoff",
    "sequenceBias": "sequence_bias",
    "encoderRepetitionPenalty": "encoder_repetition_penalty",
    "repetitionPenalty": "repetition_penalty",
    "noRepeatNgramSize": "no_repeat_ngram_size",
    "encoderNoRepeatNgramSize": "encoder_no_repeat_ngram_size",
    "badWords": "bad_words_ids",
    "minNewTokens": "min_new_tokens",
    "forcedBosToken": "forced_bos_token_id",
    "forcedEosToken": "forced_eos_token_id",
    "exponentialDecayLengthPenalty": "exponential_decay_length_penalty",
    "suppressTokens": "suppress_tokens",
    "beginSuppressTokens": "begin_suppress_tokens",
    "renormalizeLogits": "renormalize_logits",
}


def seeded(seed):
    """mulberry32: numbers in [0, 1) of 32 bits, as `seeded` of the specs."""
    state = seed & 0xFFFFFFFF

    def multiply(a, b):
        return (a * b) & 0xFFFFFFFF

    def draw():
        nonlocal state
        state = (state + 0x6D2B79F5) & 0xFFFFFFFF
        t = multiply(state ^ (state >> 15), state | 1)
        t ^= (t + multiply(t ^ (t >> 7), t | 61)) & 0xFFFFFFFF
        return (t ^ (t >> 14)) / 4294967296

    return draw


def row_of(seed):
    """Decoder ids, source ids and logits of a row. Ids come from few tokens, so that rules about repetition have something to do."""
    draw = seeded(seed)
    few = 2 + int(draw() * 8)
    ids = [0] + [int(draw() * few) for _ in range(int(draw() * 12))]
    source = [int(draw() * few) for _ in range(3 + int(draw() * 8))] + [1]
    scale = [1.5, 4, 12][int(draw() * 3)]
    return ids, source, [(draw() * 2 - 1) * scale for _ in range(VOCABULARY)]


def settings_of(chance):
    """Settings at random. Biases and cutoffs are numbers that float32 holds exactly: the library keeps them so."""
    token = lambda: chance.randrange(VOCABULARY)
    some = lambda most: [chance.randrange(12) for _ in range(chance.randint(1, most))]
    rules = {
        "sequenceBias": lambda: [[some(3), chance.randrange(-40, 40) / 8] for _ in range(chance.randint(1, 6))],
        "encoderRepetitionPenalty": lambda: chance.choice([0.5, 1.3, 2.0]),
        "repetitionPenalty": lambda: chance.choice([0.7, 1.2, 2.5]),
        "noRepeatNgramSize": lambda: chance.randint(1, 4),
        "encoderNoRepeatNgramSize": lambda: chance.randint(1, 3),
        "badWords": lambda: [some(3) for _ in range(chance.randint(1, 6))] + [[1]],
        "minNewTokens": lambda: chance.randint(1, 9),
        "allow": lambda: [chance.randint(2, 5), chance.randrange(2)],
        "forcedBosToken": token,
        "forcedEosToken": lambda: chance.choice([1, [1, 2]]),
        "exponentialDecayLengthPenalty": lambda: [chance.randint(0, 6), chance.choice([0.8, 1.1, 1.6])],
        "suppressTokens": lambda: [token() for _ in range(chance.randint(1, 5))],
        "beginSuppressTokens": lambda: [token() for _ in range(chance.randint(1, 5))],
        "renormalizeLogits": lambda: True,
    }
    truncations = {
        "topH": lambda: chance.choice([0.2, 0.4, 0.7, 0.9]),
        "topK": lambda: chance.randint(1, 20),
        "topP": lambda: chance.choice([0.3, 0.6, 0.9, 0.97, 1.0]),
        "minP": lambda: chance.choice([0.0, 0.02, 0.1, 0.4]),
        "typicalP": lambda: chance.choice([0.2, 0.5, 0.9, 0.98, 1.0]),
        "epsilonCutoff": lambda: chance.choice([0.0, 0.0009765625, 0.0078125, 0.0625]),
        "etaCutoff": lambda: chance.choice([0.0, 0.0009765625, 0.00390625, 0.0625]),
    }
    greedy = chance.random() < 0.15
    settings = {"temperature": 0 if greedy else chance.choice([0.3, 0.7, 1.0, 1.0, 1.6])}
    for name in chance.sample(list(rules), chance.choice([0, 1, 1, 2, 3, 5])):
        settings[name] = rules[name]()
    for name in chance.sample(list(truncations), 0 if greedy else chance.choice([0, 1, 1, 2, 3, 4])):
        settings[name] = truncations[name]()
    forced = [settings.get("forcedBosToken")] + torch.tensor(settings.get("forcedEosToken", 1)).flatten().tolist()
    if "suppressTokens" in settings:  # the library refuses to force what is suppressed
        settings["suppressTokens"] = [id for id in settings["suppressTokens"] if id not in forced] or [31]
    return {"eos": chance.choice([[1], [1, 2]]), "maxNewTokens": chance.randint(4, 12), "settings": settings}


def processors_of(model, case, source):
    settings = {name: value for name, value in case["settings"].items() if name in NAMES}
    if "sequenceBias" in settings:
        settings["sequenceBias"] = [[ids, float(bias)] for ids, bias in settings["sequenceBias"]]
    if "exponentialDecayLengthPenalty" in settings:
        settings["exponentialDecayLengthPenalty"] = tuple(settings["exponentialDecayLengthPenalty"])
    temperature = case["settings"]["temperature"]
    config = GenerationConfig(
        num_beams=1,
        do_sample=temperature > 0,
        temperature=float(temperature) if temperature > 0 else None,
        eos_token_id=case["eos"],
        max_length=1 + case["maxNewTokens"],
        **{NAMES[name]: value for name, value in settings.items()},
    )
    config._eos_token_tensor = torch.tensor(case["eos"])
    modulus, rest = case["settings"].get("allow", [0, 0])
    allowed = lambda _, ids: [id for id in range(VOCABULARY) if (id + int(ids.sum())) % modulus == rest]
    return model._get_logits_processor(
        config,
        input_ids_seq_length=1,
        encoder_input_ids=torch.tensor([source]),
        prefix_allowed_tokens_fn=allowed if modulus else None,
        device="cpu",
    )


def distribution_of(model, case, seed):
    """Probabilities of all tokens; none where the rules forbid every one."""
    ids, source, logits = row_of(seed)
    scores = torch.tensor([logits], dtype=torch.float64)
    scores = processors_of(model, case, source)(torch.tensor([ids]), scores)[0]
    if scores.max().item() == -float("inf") or scores.isnan().any():
        return torch.zeros(VOCABULARY, dtype=torch.float64)
    if case["settings"]["temperature"] > 0:
        return scores.softmax(-1)
    return torch.nn.functional.one_hot(scores.argmax(), VOCABULARY).double()


def record_rules(folder):
    """`rules.json`: the settings. `rules.tensors.safetensors`: for each row the tokens that are left, a bit each, and Σ p · weight."""
    chance = random.Random(20)
    cases = [settings_of(chance) for _ in range(SETTINGS)]
    config = T5Config(vocab_size=VOCABULARY, d_model=8, d_kv=4, d_ff=8, num_layers=1, num_heads=2, decoder_start_token_id=0)
    model = T5ForConditionalGeneration(config)
    weights = torch.tensor([(id + 1) * 0.6180339887498949 % 1 for id in range(VOCABULARY)], dtype=torch.float64)
    bits = 2 ** torch.arange(8)
    kept, means = [], []
    for i, case in enumerate(cases):
        for j in range(ROWS):
            probabilities = distribution_of(model, case, i * ROWS + j)
            kept.append(((probabilities > 0).long().view(-1, 8) * bits).sum(-1))
            means.append((probabilities * weights).sum())
    tensors = {"kept": torch.stack(kept).to(torch.uint8), "mean": torch.stack(means).to(torch.float32)}
    golden = {"vocabulary": VOCABULARY, "rows": ROWS, "cases": cases}
    (folder / "rules.json").write_text(compact(golden) + "\n")
    save_file(tensors, folder / "rules.tensors.safetensors")
