"""Beam search under settings that the goldens of the models leave out: lengths, endings, processors, several EOS."""

import json

import torch
from transformers import T5ForConditionalGeneration

from families import FAMILIES
from record import Refused
from store import compact

MOST_TOKENS = 14

# Tandem's name of a setting, and transformers' name of it.
NAMES = {
    "beams": "num_beams",
    "lengthPenalty": "length_penalty",
    "earlyStopping": "early_stopping",
    "noRepeatNgramSize": "no_repeat_ngram_size",
    "minNewTokens": "min_new_tokens",
    "suppress": "suppress_tokens",
    "badWords": "bad_words_ids",
    "repetitionPenalty": "repetition_penalty",
    "sequenceBias": "sequence_bias",
    "encoderRepetitionPenalty": "encoder_repetition_penalty",
    "encoderNoRepeatNgramSize": "encoder_no_repeat_ngram_size",
    "forcedBosToken": "forced_bos_token_id",
    "forcedEosToken": "forced_eos_token_id",
    "exponentialDecayLengthPenalty": "exponential_decay_length_penalty",
    "beginSuppressTokens": "begin_suppress_tokens",
    "renormalizeLogits": "renormalize_logits",
}


def settings_of(tokens):
    """Settings to try; `tokens` are those that the model chooses when it is greedy, so that forbidding them matters."""
    first, second, third = tokens[:3]
    for ending in (True, False, "never"):
        for penalty in (-0.7, 0.0, 2.0):
            yield {"beams": 3, "lengthPenalty": penalty, "earlyStopping": ending}
    yield {"beams": 5, "lengthPenalty": 1.0, "earlyStopping": "never"}
    yield {"beams": 8, "lengthPenalty": 1.0, "earlyStopping": False}
    for more in (
        {"noRepeatNgramSize": 1},
        {"noRepeatNgramSize": 2},
        {"minNewTokens": 6},
        {"suppress": [first, third]},
        {"badWords": [[first, second], [third]]},
        {"repetitionPenalty": 1.7},
        {"repetitionPenalty": 0.6},
        {"repetitionPenalty": 1.3, "noRepeatNgramSize": 3, "minNewTokens": 4, "suppress": [second]},
    ):
        yield {"beams": 3, "lengthPenalty": 1.0, "earlyStopping": False, **more}


def rules_of(tokens, eos):
    """Rules that change any token's log-probability, alone and together."""
    first, second, third = tokens[:3]
    for more in (
        {"sequenceBias": [[[first], -2.0], [[second], 1.5], [[second, third], -3.0]]},
        {"encoderRepetitionPenalty": 2.0},
        {"encoderNoRepeatNgramSize": 1},
        {"forcedBosToken": third},
        {"forcedEosToken": eos[0]},
        {"exponentialDecayLengthPenalty": (3, 1.5)},
        {"beginSuppressTokens": [first, second]},
        {"suppress": [first, third], "renormalizeLogits": True},
        {"sequenceBias": [[[first], -1.0], [[third], 2.0]], "renormalizeLogits": True, "repetitionPenalty": 1.5},
        {"allow": [3, 1]},
        {"allow": [2, 0], "forcedEosToken": eos[0], "minNewTokens": 3},
        {"forcedBosToken": second, "beginSuppressTokens": [first], "encoderRepetitionPenalty": 0.6, "badWords": [[third]]},
    ):
        yield {"beams": 3, "lengthPenalty": 1.0, "earlyStopping": False, **more}


def allowed_by(modulus, rest, vocabulary):
    """The ids that leave the rest by the modulus together with the sum of the ids before."""
    return lambda _, ids: [id for id in range(vocabulary) if (id + int(ids.sum())) % modulus == rest]


def search(model, source, settings, eos):
    """Tokens up to the end of sequence, and scores, best first. No cache: the library's fails on deep decoders."""
    allow = settings.get("allow")
    with torch.no_grad():
        output = model.generate(
            input_ids=torch.tensor([source]),
            num_return_sequences=settings["beams"],
            max_new_tokens=MOST_TOKENS,
            eos_token_id=eos,
            pad_token_id=model.config.pad_token_id,
            do_sample=False,
            use_cache=False,
            return_dict_in_generate=True,
            output_scores=True,
            prefix_allowed_tokens_fn=allowed_by(*allow, model.config.vocab_size) if allow else None,
            **{NAMES[name]: value for name, value in settings.items() if name in NAMES},
        )
    found = []
    for sequence, score in zip(output.sequences.tolist(), output.sequences_scores.tolist()):
        tokens = sequence[1:]
        ends = [i for i, token in enumerate(tokens) if token in eos]
        found.append({"tokens": tokens[: ends[0] + 1] if ends else tokens, "score": score})
    return found


def record_beam_settings(folder, models):
    """For each small model that has beams, every setting with one end of sequence and with two."""
    record_searches((folder, models), "beam-settings", lambda tokens, _: settings_of(tokens))


def record_beam_rules(folder, models):
    """The same models under rules that look at whole rows."""
    record_searches((folder, models), "beam-rules", rules_of)


def record_searches(folders, golden, settings_for):
    folder, models = folders
    results = []
    for family in FAMILIES:
        if not family.beams:
            continue
        model = T5ForConditionalGeneration.from_pretrained(
            models / family.name, dtype=torch.float32, attn_implementation="eager"
        ).eval()
        doubled = T5ForConditionalGeneration.from_pretrained(
            models / family.name, dtype=torch.float64, attn_implementation="eager"
        ).eval()
        case = json.loads((models / f"{family.name}.json").read_text())["cases"][0]
        source, tokens = case["source"], list(dict.fromkeys(case["greedy"]["tokens"]))
        searches = []
        for eos in ([tokens[6]], [tokens[5], tokens[7]]):
            for settings in settings_for(tokens, eos):
                found = search(model, source, settings, eos)
                again = search(doubled, source, settings, eos)
                if [one["tokens"] for one in found] != [one["tokens"] for one in again]:
                    raise Refused(f"{family.name}: {settings}: float32 and float64 find different sequences")
                searches.append({"eos": eos, "settings": settings, "sequences": found})
        results.append(
            {"checkpoint": family.name, "source": source, "maxNewTokens": MOST_TOKENS, "searches": searches}
        )
    (folder / f"{golden}.json").write_text(compact(results) + "\n")
