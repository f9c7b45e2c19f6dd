"""Makes spec/data/uses: what Hugging Face's T5 gives for scoring, embedding, masked sources, attention and Chronos, on small models.

    python uses.py            remake
    python uses.py --check    remake beside and compare; exits 1 when anything differs
"""

import argparse
import json
import math
import sys

import numpy as np
import sentencepiece
import torch
from safetensors.torch import save_file
from transformers import (
    MT5ForConditionalGeneration,
    T5EncoderModel,
    T5ForConditionalGeneration,
    UMT5EncoderModel,
    UMT5ForConditionalGeneration,
)
from transformers.utils import logging

from bundled import load as load_bundled
from compare import check
from families import config, standard_deviation, Family
from paths import GOLDENS, MODELS, ROOT
from store import compact, save_golden

USES = ROOT / "spec" / "data" / "uses"


def whole_model(name):
    kinds = {"mt5": MT5ForConditionalGeneration, "umt5": UMT5ForConditionalGeneration}
    kind = kinds.get(name, T5ForConditionalGeneration)
    model = kind.from_pretrained(GOLDENS / name, dtype=torch.float32, attn_implementation="eager").eval()
    if name == "umt5":
        model.config.tie_word_embeddings = False  # its head is not scaled; the configuration class forces this to true
    return model


def log_probs(logits):
    return torch.log_softmax(logits.double(), dim=-1)


def record_scores(folder):
    """Log-probabilities of given targets, and of greedy tokens with their best alternatives."""
    random = np.random.RandomState(7)
    cases = []
    for name in ("t5-v1.0", "t5-v1.1", "mt5"):
        model = whole_model(name)
        ids = lambda count: random.randint(2, model.config.vocab_size, size=count).tolist()
        source, start = ids(11) + [1], ids(2)
        targets = [ids(1), start + ids(1) + [1], start + ids(4) + [1], ids(9)]
        scores = []
        with torch.no_grad():
            for target in targets:
                logits = model(input_ids=torch.tensor([source]), labels=torch.tensor([target])).logits[0]
                rows = log_probs(logits)
                scores.append([rows[i, token].item() for i, token in enumerate(target)])
            found = model.generate(
                input_ids=torch.tensor([source]),
                do_sample=False,
                max_new_tokens=8,
                min_new_tokens=8,
                output_logits=True,
                return_dict_in_generate=True,
                use_cache=False,
            )
        tokens = found.sequences[0].tolist()[1:]
        greedy = []
        for token, logits in zip(tokens, found.logits):
            row = log_probs(logits[0])
            top = row.topk(3)
            greedy.append(
                {
                    "token": token,
                    "logProb": row[token].item(),
                    "top": [[t, v] for t, v in zip(top.indices.tolist(), top.values.tolist())],
                }
            )
        cases.append({"checkpoint": name, "source": source, "targets": targets, "scores": scores, "greedy": greedy})
    (folder / "scores.json").write_text(compact({"cases": cases, "monoT5": record_mono_t5()}) + "\n")


QUERY = "who was swallowed by a great fish"
DOCUMENTS = [
    "Now the LORD had prepared a great fish to swallow up Jonah.",
    "In the beginning God created the heaven and the earth.",
    "Jesus wept.",
]


def record_mono_t5():
    """monoT5's relevance (Nogueira et al. 2020): the softmax of the first step over the tokens `true` and `false`."""
    directory = MODELS / "modernize-target"
    model = load_bundled(directory)
    pieces = sentencepiece.SentencePieceProcessor(model_file=str(directory / "spiece.model"))
    words = [pieces.piece_to_id("▁true"), pieces.piece_to_id("▁false")]
    relevance = []
    for document in DOCUMENTS:
        source = pieces.encode(f"Query: {QUERY} Document: {document} Relevant:") + [1]
        with torch.no_grad():
            logits = model(input_ids=torch.tensor([source]), decoder_input_ids=torch.tensor([[0]])).logits[0, 0]
        relevance.append(torch.softmax(logits[words].double(), dim=0)[0].item())
    return {"query": QUERY, "documents": DOCUMENTS, "relevance": relevance}


def encoder_config(model_type, architecture, feed_forward, sizes, **more):
    return {**config(model_type, feed_forward, sizes), "architectures": [architecture], **more}


ENCODERS = [
    ("prot-t5", T5EncoderModel, encoder_config("t5", "T5EncoderModel", "relu", (128, 32, 8, 4, 64, 2, 2)), {}),
    (
        "umt5-encoder",
        UMT5EncoderModel,
        encoder_config("umt5", "UMT5EncoderModel", "gated-gelu", (140, 24, 8, 3, 40, 2, 2), is_encoder_decoder=False),
        {},
    ),
    (
        "sentence-t5",
        T5EncoderModel,
        encoder_config("t5", "T5EncoderModel", "relu", (96, 16, 8, 2, 32, 2, 2)),
        {"dense": 12},
    ),
    (
        "t5-v1.1-encoder",  # as text encoders of image models have it
        T5EncoderModel,
        encoder_config("t5", "T5EncoderModel", "gated-gelu", (140, 24, 8, 3, 40, 2, 2), tie_word_embeddings=False),
        {},
    ),
]


def random_encoder(kind, cfg, seed):
    """The encoder with random numbers, and its tensors as its file has them."""
    family = Family("encoder", seed=seed, config=cfg)
    made = kind.config_class(**cfg)
    made._attn_implementation = "eager"
    model = kind(made).eval()
    random = np.random.RandomState(seed)
    tensors = {}
    with torch.no_grad():
        for name, parameter in sorted(model.state_dict().items()):
            if name == "encoder.embed_tokens.weight":
                continue
            shape = tuple(parameter.shape)
            noise = random.standard_normal(shape)
            values = 1.0 + 0.25 * noise if "layer_norm" in name else noise * standard_deviation(name, shape, cfg, family)
            tensors[name] = torch.from_numpy(values.astype(np.float32))
            parameter.copy_(tensors[name])
        model.encoder.embed_tokens.weight = model.shared.weight
    return model, tensors, random


def write_sentence_head(folder, width, size, random):
    """modules.json and its steps, as sentence-transformers writes them for sentence-t5."""
    kinds = ["Transformer", "Pooling", "Dense", "Normalize"]
    paths = ["", "1_Pooling", "2_Dense", "3_Normalize"]
    modules = [
        {"idx": i, "name": str(i), "path": path, "type": f"sentence_transformers.models.{kind}"}
        for i, (kind, path) in enumerate(zip(kinds, paths))
    ]
    (folder / "modules.json").write_text(json.dumps(modules, indent=2) + "\n")
    pooling = {
        "word_embedding_dimension": width,
        "pooling_mode_cls_token": False,
        "pooling_mode_mean_tokens": True,
        "pooling_mode_max_tokens": False,
        "pooling_mode_mean_sqrt_len_tokens": False,
    }
    dense = {
        "in_features": width,
        "out_features": size,
        "bias": False,
        "activation_function": "torch.nn.modules.linear.Identity",
    }
    for path, content in (("1_Pooling", pooling), ("2_Dense", dense)):
        (folder / path).mkdir(exist_ok=True)
        (folder / path / "config.json").write_text(json.dumps(content, indent=2) + "\n")
    weight = torch.from_numpy((random.standard_normal((size, width)) * width**-0.5).astype(np.float32))
    save_file({"linear.weight": weight}, folder / "2_Dense" / "model.safetensors", metadata={"format": "pt"})
    return weight


def record_embeddings(folder):
    """Encoder states, their mean under the mask, and what sentence-t5's head makes of it, all texts in one padded batch."""
    golden, stored = {}, {}
    for seed, (name, kind, cfg, head) in enumerate(ENCODERS, start=3):
        model, tensors, random = random_encoder(kind, cfg, seed)
        directory = folder / name
        directory.mkdir(parents=True, exist_ok=True)
        (directory / "config.json").write_text(json.dumps(cfg, indent=2) + "\n")
        save_file(tensors, directory / "model.safetensors", metadata={"format": "pt"})
        loaded = kind.from_pretrained(directory, dtype=torch.float32, attn_implementation="eager").eval()
        for key, value in tensors.items():
            if not torch.equal(loaded.state_dict()[key], value):
                raise AssertionError(f"{name}: {key} is read back otherwise")
        sources = [random.randint(2, cfg["vocab_size"], size=count).tolist() + [1] for count in (7, 1, 40, 19)]
        longest = max(len(source) for source in sources)
        ids = torch.tensor([source + [0] * (longest - len(source)) for source in sources])
        mask = torch.tensor([[1] * len(source) + [0] * (longest - len(source)) for source in sources])
        with torch.no_grad():
            states = loaded(input_ids=ids, attention_mask=mask).last_hidden_state
            pooled = (states * mask.unsqueeze(-1)).sum(1) / mask.sum(1, keepdim=True)
            stored[f"{name}.mean"] = pooled
            for i, source in enumerate(sources):
                stored[f"{name}.states.{i}"] = states[i, : len(source)]
            if head:
                weight = write_sentence_head(directory, cfg["d_model"], head["dense"], random)
                stored[f"{name}.sentence"] = torch.nn.functional.normalize(pooled @ weight.T, dim=-1)
        golden[name] = {"sources": sources}
    save_golden(folder, "embeddings", golden, stored)


def holes(random, length):
    """Padding in front, holes inside, padding behind."""
    mask = [1] * length
    for place in [0, 1, *random.choice(np.arange(3, length - 3), size=4, replace=False).tolist(), length - 1]:
        mask[place] = 0
    return mask


def record_masks(folder):
    """Logits and encoder states of sources with an attention mask."""
    random = np.random.RandomState(21)
    golden, stored = {}, {}
    for name in ("t5-v1.0", "t5-v1.1", "umt5"):
        model = whole_model(name)
        cases = []
        for i, length in enumerate((14, 60)):
            ids = random.randint(2, model.config.vocab_size, size=length).tolist()
            mask, decoder = holes(random, length), [0] + random.randint(2, model.config.vocab_size, size=5).tolist()
            with torch.no_grad():
                output = model(
                    input_ids=torch.tensor([ids]),
                    attention_mask=torch.tensor([mask]),
                    decoder_input_ids=torch.tensor([decoder]),
                    use_cache=False,
                )
            stored[f"{name}.{i}.logits"] = output.logits[0]
            kept = torch.tensor(mask, dtype=torch.bool)
            stored[f"{name}.{i}.states"] = output.encoder_last_hidden_state[0][kept]
            cases.append({"ids": ids, "mask": mask, "decoder": decoder})
        golden[name] = cases
    save_golden(folder, "masks", golden, stored)


CHRONOS = {
    "tokenizer_class": "MeanScaleUniformBins",
    "tokenizer_kwargs": {"low_limit": -15.0, "high_limit": 15.0},
    "n_tokens": 128,
    "n_special_tokens": 2,
    "pad_token_id": 0,
    "eos_token_id": 1,
    "use_eos_token": True,
    "model_type": "seq2seq",
    "context_length": 64,
    "prediction_length": 6,
    "num_samples": 20,
    "temperature": 1.0,
    "top_k": 50,
    "top_p": 1.0,
}


def record_attentions(folder):
    """Attention weights of every encoder layer, and of every cross-attention: `output_attentions`."""
    random = np.random.RandomState(23)
    golden, stored = {}, {}
    for name, length in (("t5-v1.0", 21), ("t5-deep-decoder", 5), ("umt5", 12)):
        model = whole_model(name)
        ids = lambda count: random.randint(2, model.config.vocab_size, size=count).tolist()
        source, output = ids(length - 1) + [1], [model.config.decoder_start_token_id] + ids(4)
        mask = holes(random, length) if name == "umt5" else [1] * length
        with torch.no_grad():
            found = model(
                input_ids=torch.tensor([source]),
                attention_mask=torch.tensor([mask]),
                decoder_input_ids=torch.tensor([output]),
                output_attentions=True,
                use_cache=False,
            )
        seen = [i for i, one in enumerate(mask) if one == 1]
        golden[name] = {"source": source, "mask": mask, "output": output}
        for i, weights in enumerate(found.encoder_attentions):
            stored[f"{name}.encoder.{i}"] = weights[0][:, seen][:, :, seen]
        for i, weights in enumerate(found.cross_attentions):
            stored[f"{name}.cross.{i}"] = weights[0][:, :, seen]
    save_golden(folder, "attentions", golden, stored)


def chronos_tokens(series):
    """Ids, mask and scale of a series as MeanScaleUniformBins gives them (chronos-forecasting, chronos/chronos.py)."""
    values = torch.tensor(series, dtype=torch.float32)
    mask = ~torch.isnan(values)
    centers = torch.linspace(-15.0, 15.0, CHRONOS["n_tokens"] - CHRONOS["n_special_tokens"] - 1)
    bounds = torch.concat([torch.tensor([-1e20]), (centers[1:] + centers[:-1]) / 2, torch.tensor([1e20])])
    scale = torch.nansum(values.abs() * mask) / torch.nansum(mask)
    ids = torch.bucketize(values / scale, bounds, right=True) + CHRONOS["n_special_tokens"]
    ids.clamp_(0, CHRONOS["n_tokens"] - 1)
    ids[~mask] = CHRONOS["pad_token_id"]
    return ids.tolist() + [CHRONOS["eos_token_id"]], mask.int().tolist() + [1], scale.item()


def record_chronos(folder):
    """A tiny random model of Chronos-T5's family, a series with missing values, and the first step's logits."""
    cfg = {
        **config("t5", "relu", (128, 24, 8, 3, 48, 2, 2), tie_word_embeddings=True),
        "chronos_config": CHRONOS,
    }
    family = Family("chronos-t5", seed=11, config=cfg)
    made = T5ForConditionalGeneration.config_class(**{k: v for k, v in cfg.items() if k != "chronos_config"})
    made._attn_implementation = "eager"
    model = T5ForConditionalGeneration(made).eval()
    random = np.random.RandomState(family.seed)
    tensors = {}
    with torch.no_grad():
        for name, parameter in sorted(model.state_dict().items()):
            if name in ("encoder.embed_tokens.weight", "decoder.embed_tokens.weight", "lm_head.weight"):
                continue
            noise = random.standard_normal(tuple(parameter.shape))
            values = 1.0 + 0.25 * noise if "layer_norm" in name else noise * standard_deviation(name, tuple(parameter.shape), cfg, family)
            tensors[name] = torch.from_numpy(values.astype(np.float32))
    directory = folder / "chronos-t5"
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "config.json").write_text(json.dumps(cfg, indent=2) + "\n")
    save_file(tensors, directory / "model.safetensors", metadata={"format": "pt"})
    model = T5ForConditionalGeneration.from_pretrained(directory, dtype=torch.float32, attn_implementation="eager").eval()
    series = [10.0 + 4.0 * math.sin(i / 3.0) + 0.1 * i for i in range(40)]
    for place in (0, 1, 7, 18, 19, 33):
        series[place] = math.nan
    ids, mask, scale = chronos_tokens(series)
    with torch.no_grad():
        logits = model(
            input_ids=torch.tensor([ids]),
            attention_mask=torch.tensor([mask]),
            decoder_input_ids=torch.tensor([[0]]),
            use_cache=False,
        ).logits[0, 0]
    golden = {
        "series": [None if math.isnan(value) else value for value in series],
        "ids": ids,
        "mask": mask,
        "scale": scale,
        "logits": logits.tolist(),
    }
    (folder / "chronos.json").write_text(compact(golden) + "\n")


def make(folder):
    folder.mkdir(parents=True, exist_ok=True)
    record_scores(folder)
    record_embeddings(folder)
    record_masks(folder)
    record_attentions(folder)
    record_chronos(folder)
    for path in folder.rglob("*.safetensors"):
        path.chmod(0o644)


def main():
    parser = argparse.ArgumentParser(description="Goldens of scoring, embedding, masks, attention and Chronos, made by Hugging Face's T5")
    parser.add_argument("--check", action="store_true", help="compare with the committed files instead of writing them")
    options = parser.parse_args()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    torch.manual_seed(0)
    torch.set_num_threads(1)
    if not options.check:
        make(USES)
        return 0
    return check(USES, make)


if __name__ == "__main__":
    sys.exit(main())
