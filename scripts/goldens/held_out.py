"""Chooses the 200 held-out passages of models/held-out.json from a corpus of verse pairs (ref, source, target).

    python held_out.py kjv_modern.tsv.gz            writes models/held-out.json
    python held_out.py kjv_modern.tsv.gz --check    compares it with a fresh one; exits 1 when they differ

A passage is one to three consecutive verses of a book that neither bundled model saw in training. It has fewer than 100 tokens.
"""

import gzip
import json
import sys

import sentencepiece

from paths import HELD_OUT, MODELS

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
    """Neighbouring verses without overlap: one verse, then two, then three, then one again."""
    by_book = {book: [verse for verse in verses(path) if verse[0] == book] for book in BOOKS}
    for book, all_verses in by_book.items():
        at, passage_number = 0, 0
        while at < len(all_verses):
            count = min(1 + passage_number % 3, len(all_verses) - at)
            passage_number += 1
            while count > 1 and tokens(all_verses[at : at + count], pieces) > MOST_TOKENS:
                count -= 1
            chosen = all_verses[at : at + count]
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
    pieces = sentencepiece.SentencePieceProcessor(model_file=str(MODELS / "modernize-target" / "spiece.model"))
    found = list(passages(sys.argv[1], pieces))
    chosen = [found[i * len(found) // PASSAGES] for i in range(PASSAGES)]
    lines = ",\n".join("  " + json.dumps(one, ensure_ascii=False) for one in chosen)
    text = f"[\n{lines}\n]\n"
    print(f"{len(chosen)} of {len(found)} passages")
    if "--check" not in sys.argv:
        HELD_OUT.write_text(text, encoding="utf-8")
    elif HELD_OUT.read_text(encoding="utf-8") != text:
        sys.exit(f"{HELD_OUT}: differs from a fresh one")


if __name__ == "__main__":
    main()
