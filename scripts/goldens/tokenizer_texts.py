"""Texts with their ids and what these decode to, by Hugging Face's tokenizers library, for small tokenizers of many kinds.

    python tokenizer_texts.py                       remake spec/data/tokenizer/library and sentencepiece-bytes.json.gz
    python tokenizer_texts.py --check               remake beside and compare; exits 1 when anything differs
    python tokenizer_texts.py --count 50000 DIR     many more texts, into a directory, for scripts/compare-tokenizers.ts
"""

import argparse
import base64
import gzip
import io
import json
import pathlib
import random
import sys

from sentencepiece import SentencePieceProcessor, SentencePieceTrainer

from compare import check
from tokenizers_made import ADDED, DATA, SPECIAL, TOKENIZERS, corpus

COUNT = 400
# Blocks of assigned characters of many scripts, with their marks.
BLOCKS = [
    (0x20, 0x7E), (0x20, 0x7E), (0x20, 0x7E), (0xA0, 0xFF), (0x100, 0x17F), (0x2B0, 0x2FF), (0x300, 0x36F), (0x3B1, 0x3C9),
    (0x410, 0x44F), (0x5D0, 0x5EA), (0x621, 0x64A), (0x660, 0x669), (0x905, 0x939), (0x93E, 0x94D), (0xE01, 0xE2E),
    (0x1E00, 0x1EFF), (0x2000, 0x200F), (0x2010, 0x2027), (0x2070, 0x2071), (0x2100, 0x214F), (0x2160, 0x2188), (0x2460, 0x24FF),
    (0x3001, 0x3020), (0x3041, 0x3096), (0x30A1, 0x30FA), (0x4E00, 0x4EFF), (0xAC00, 0xACFF), (0xFB00, 0xFB06), (0xFF01, 0xFF5E),
    (0x1D400, 0x1D454), (0x1F600, 0x1F64F), (0x1, 0x1F), (0x7F, 0x9F),
]  # fmt: skip
SPACES = [" ", " ", "  ", "   ", "\t", "\n", "\r\n", "\u00a0", "\u2009", "\u3000", "\u200b", "▁", " ▁"]
WORDS = ["'s", "'re", "n't", "don't", "``", "''", "1,234.5", "x²", "½", "ﬁ", "İ", "Σας", "ς", "New York", "new york", "_", "…"]


def random_text(rng, words):
    parts = []
    for _ in range(rng.randrange(1, 9)):
        kind = rng.random()
        if kind < 0.35:
            parts.append(rng.choice(words))
        elif kind < 0.5:
            parts.append(rng.choice(WORDS))
        elif kind < 0.65:
            parts.append(rng.choice([*SPECIAL, *[token.content for token in ADDED]]))
        else:
            first, last = rng.choice(BLOCKS)
            parts.append("".join(chr(rng.randint(first, last)) for _ in range(rng.randrange(1, 5))))
        if rng.random() < 0.6:
            parts.append(rng.choice(SPACES))
    return "".join(parts)


def committed_files(name):
    path = DATA / "library" / f"{name}.json.gz"
    return json.loads(gzip.decompress(path.read_bytes())).get("files") if path.exists() else None


def record(name, build, count):
    tokenizer, source = build(committed_files(name))
    rng = random.Random(f"{name} {count}")
    words = [word for text in corpus() for word in text.split()]
    added = tokenizer.get_added_tokens_decoder().items()
    normalize = tokenizer.normalizer.normalize_str if tokenizer.normalizer else str
    changed = {token for token, one in added if one.normalized and normalize(one.content) != one.content}
    cases = []
    for _ in range(count):
        text = random_text(rng, words)
        ids = tokenizer.encode(text).ids
        # Ids that no text gives, too: what a model says.
        said = ids if rng.random() < 0.5 else [rng.randrange(tokenizer.get_vocab_size()) for _ in range(rng.randrange(9))]
        # Since 0.23 the library decodes an added token to its normalised spelling, before to its own.
        said = ids if not changed & set(ids) and said is ids else [token for token in said if token not in changed]
        shown, kept = tokenizer.decode(said), tokenizer.decode(said, skip_special_tokens=False)
        cases.append({"text": text, "ids": ids, "said": None if said is ids else said, "shown": shown, "kept": kept})
    return {**source, "cases": cases}


def record_bytes(folder):
    """What SentencePiece makes of byte pieces that are no UTF-8."""
    model = io.BytesIO()
    options = {"vocab_size": 400, "pad_id": 0, "eos_id": 1, "unk_id": 2, "bos_id": -1, "minloglevel": 2, "num_threads": 1}
    options["normalization_rule_name"] = "identity"  # a small model
    texts = iter(corpus())
    SentencePieceTrainer.train(sentence_iterator=texts, model_writer=model, byte_fallback=True, **options)
    processor = SentencePieceProcessor(model_proto=model.getvalue())
    rng = random.Random(5)
    lead = [0x41, 0x7F, 0x80, 0x94, 0x9F, 0xA0, 0xBF, 0xC0, 0xC3, 0xE0, 0xE7, 0xED, 0xEF, 0xF0, 0xF4, 0xF5, 0xFF]
    cases = []
    for _ in range(COUNT):
        ids = []
        for _ in range(rng.randrange(1, 10)):
            byte = rng.choice(lead) if rng.random() < 0.7 else rng.randrange(256)
            # Neither control pieces nor the unknown one: SentencePiece shows the latter as a sign of its own.
            ids.append(processor.piece_to_id(f"<0x{byte:02X}>") if rng.random() < 0.8 else rng.randrange(259, 400))
        cases.append([ids, processor.decode(ids)])
    for text in corpus()[:20] + ["生 é 😀", "\U00020000a"]:
        cases.append([processor.encode(text), text])
    golden = {"model": base64.b64encode(model.getvalue()).decode(), "cases": cases[:COUNT], "texts": cases[COUNT:]}
    write(folder / "sentencepiece-bytes.json.gz", golden)


def write(path, golden):
    content = json.dumps(golden, ensure_ascii=False, separators=(",", ":")).encode()
    path.write_bytes(gzip.compress(content, mtime=0))
    print(f"{path.name}: {len(golden['cases'])} cases, {len(content)} bytes")


def record_library(folder, count=COUNT, only=None):
    folder.mkdir(parents=True, exist_ok=True)
    for name, build in TOKENIZERS.items():
        if not only or only == name:
            write(folder / f"{name}.json.gz", record(name, build, count))


def main():
    parser = argparse.ArgumentParser(description="Goldens of tokenizers")
    parser.add_argument("folder", nargs="?", type=pathlib.Path, default=DATA / "library")
    parser.add_argument("--check", action="store_true", help="compare with the committed files instead of writing them")
    parser.add_argument("--count", type=int, default=COUNT)
    parser.add_argument("--only", help="one tokenizer's name")
    options = parser.parse_args()
    if options.check:
        return max(check(DATA / "library", record_library), check(DATA, record_bytes, "sentencepiece-bytes"))
    record_library(options.folder, options.count, options.only)
    if options.folder == DATA / "library" and not options.only:
        record_bytes(DATA)
    return 0


if __name__ == "__main__":
    sys.exit(main())
