"""Language tags as user-defined pieces of a SentencePiece model, as MADLAD-400 has them (<2de>).

    python language_tags.py            remake spec/data/tokenizer/language-tags.json.gz
    python language_tags.py --check    remake beside and compare; exits 1 when anything differs
"""

import argparse
import base64
import gzip
import io
import json
import sys

import sentencepiece

from compare import check
from paths import ROOT

DATA = ROOT / "spec" / "data" / "tokenizer"
TAGS = ["<2de>", "<2fr>", "<2zh_Hant>"]


def train():
    """A small Unigram model whose user-defined pieces are the tags."""
    cases = json.loads(gzip.open(DATA / "sentencepiece-reference.json.gz").read())["cases"]
    written = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter([case["text"] for case in cases]),
        model_writer=written,
        vocab_size=400,
        hard_vocab_limit=False,
        character_coverage=1.0,
        normalization_rule_name="identity",
        pad_id=0,
        eos_id=1,
        unk_id=2,
        bos_id=-1,
        user_defined_symbols=TAGS,
        num_threads=1,
        minloglevel=2,
    )
    return written.getvalue(), [case["text"] for case in cases][:60]


def record(folder):
    """Ids and decoded texts of sentences with tags in front, in the middle, glued to words, doubled and misspelt."""
    model, sentences = train()
    processor = sentencepiece.SentencePieceProcessor(model_proto=model)
    texts = []
    for i, sentence in enumerate(sentences):
        tag, other = TAGS[i % 3], TAGS[(i + 1) % 3]
        half = len(sentence) // 2
        texts += [
            f"{tag} {sentence}",
            f"{tag}{sentence}",
            f"{sentence[:half]}{tag}{sentence[half:]} {other}",
            f"{tag}{tag} {other} {sentence[:half]} {tag[:-1]} 2de> <2xx>",
        ]
    cases = []
    for text in texts:
        ids = processor.encode(text)
        # SentencePiece writes an unknown id as ⁇; Hugging Face's tokenizers leave it out as a special token.
        decoded = None if processor.unk_id() in ids else processor.decode(ids)
        cases.append({"text": text, "ids": ids, "decoded": decoded})
    content = {"model": base64.b64encode(model).decode(), "tags": TAGS, "cases": cases}
    with open(folder / "language-tags.json.gz", "wb") as file:
        with gzip.GzipFile(fileobj=file, mode="wb", mtime=0, filename="") as packed:
            packed.write(json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode())


def main():
    parser = argparse.ArgumentParser(description="Goldens of language tags")
    parser.add_argument("--check", action="store_true", help="compare with the committed file instead of writing it")
    if parser.parse_args().check:
        return check(DATA, record, "language-tags")
    record(DATA)
    return 0


if __name__ == "__main__":
    sys.exit(main())
