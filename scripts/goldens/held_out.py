"""Chooses the 200 held-out passages of spec/data/held-out.json from a corpus of verse pairs (ref, source, target).

    python held_out.py kjv_modern.tsv.gz

Passages are one to three consecutive verses of books that neither bundled model saw in training, of under 100 tokens.
"""

import gzip
import json
import pathlib
import sys

import sentencepiece

ROOT = pathlib.Path(__file__).resolve().parents[2]
BOOKS = ("Ruth", "Ecclesiastes", "Jonah", "James", "Galatians")
PASSAGES = 200
MOST_TOKENS = 99
PREFIX = "modernize: "


def verses(path):
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        for line in lines:
            ref, source, target = line.rstrip("\n").split("\t")
            book, place = ref.rsplit(" ", 1)
            if book in BOOKS:
                yield book, place, source, target


def passages(path, pieces):
    """Neighbouring verses in turns of one, two and three, without overlap."""
    by_book = {book: [verse for verse in verses(path) if verse[0] == book] for book in BOOKS}
    for book, own in by_book.items():
        at, turn = 0, 0
        while at < len(own):
            count = min(1 + turn % 3, len(own) - at)
            turn += 1
            while count > 1 and tokens(own[at : at + count], pieces) > MOST_TOKENS:
                count -= 1
            chosen = own[at : at + count]
            at += count
            if tokens(chosen, pieces) <= MOST_TOKENS:
                yield passage(book, chosen)


def tokens(chosen, pieces):
    return len(pieces.encode(PREFIX + joined(chosen, 2))) + 1


def joined(chosen, column):
    return " ".join(verse[column] for verse in chosen)


def passage(book, chosen):
    first, last = chosen[0][1], chosen[-1][1]
    chapter, verse = last.split(":")
    if first.startswith(f"{chapter}:"):
        last = verse
    ref = f"{book} {first}" if len(chosen) == 1 else f"{book} {first}–{last}"
    return {"ref": ref, "source": joined(chosen, 2), "reference": joined(chosen, 3)}


def main():
    pieces = sentencepiece.SentencePieceProcessor(model_file=str(ROOT / "models" / "modernize-target" / "spiece.model"))
    found = list(passages(sys.argv[1], pieces))
    chosen = [found[i * len(found) // PASSAGES] for i in range(PASSAGES)]
    lines = ",\n".join("  " + json.dumps(one, ensure_ascii=False) for one in chosen)
    (ROOT / "spec" / "data" / "held-out.json").write_text(f"[\n{lines}\n]\n", encoding="utf-8")
    print(f"{len(chosen)} of {len(found)} passages")


if __name__ == "__main__":
    main()
