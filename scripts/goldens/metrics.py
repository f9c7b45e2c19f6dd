"""BLEU and chrF of small corpora by sacrebleu, for the spec of `tandem eval`.

    python metrics.py            writes spec/data/metrics.json
    python metrics.py --check    compares that file with a fresh one; exits 1 when anything differs
    python metrics.py --random N prints N random corpora with their scores, one JSON object a line, for a comparison by hand
"""

import argparse
import json
import random
import sys

import sacrebleu

from paths import ROOT

GOLDEN = ROOT / "spec" / "data" / "metrics.json"

# Name, hypotheses, references. Each is hard in a way of its own.
CORPORA = [
    ("equal", ["The cat sat on the mat.", "He went home."], ["The cat sat on the mat.", "He went home."]),
    ("near", ["The cat sat on a mat today.", "He went home"], ["The cat sat on the mat.", "He has gone home."]),
    ("nothing in common", ["alpha beta gamma", "delta"], ["one two three", "four"]),
    ("no 4-gram matches: smoothing", ["the cat is here now", "a dog ran"], ["the cat was here then", "the dog ran off"]),
    ("short of four tokens", ["yes", "no way"], ["yes", "no way"]),
    ("empty hypotheses", ["", "a text that is there", ""], ["a reference", "a text that was there", "another"]),
    ("empty references", ["a text", "more words of it"], ["", "more words of it"]),
    ("all empty", ["", ""], ["", ""]),
    ("white space alone", ["   ", "\t \u00a0", "a\u2003b  c\u3000d e"], ["x", "y", "a b c d e"]),
    ("repeated words are clipped", ["the the the the the the the"], ["the cat is on the mat and the dog"]),
    ("brevity", ["It is"], ["It is a guide to action which ensures that the army heeds the commands"]),
    ("too long", ["It is a guide to action which ensures that the army heeds the commands"], ["It is a guide"]),
    ("numbers", ["It cost $1,234.56, or 3.14-2.7% (v1.2.3) in 1999-2000.", "At 10:30, 5-6 men; .5 or 5."],
     ["It cost $1,234.56 or 3.14 - 2.7 % (v1.2.3) in 1999-2000.", "At 10:30, 5 to 6 men: .5 or 5."]),
    ("punctuation", ['"Well," he said; "it\'s (almost) done!" -- [see: a/b_c@d.e] {x|y}~ #1 <tag> `q` ^ \\ * + = ?',
                     "Don't stop... now?!"],
     ['"Well", he said: "it\'s almost done!" - [see a/b_c@d.e] {x|y} #1 <tag> q ^ \\ * + = ?', "Do n't stop ... now ?!"]),
    ("entities", ["&quot;R&amp;D&quot; &lt;b&gt; &amp;lt; <skipped> done", "a & b"], ['"R&D" <b> &lt; done', "a &amp; b"]),
    ("hyphens", ["a well-known state-of-the-art method-", "10-20 twenty-one -5 A-1 1-A"],
     ["a well known state-of-the-art method", "10 - 20 twenty-one -5 A-1 1-A"]),
    ("periods and commas", ["U.S.A., e.g. 1.5, a,b 1,2 3,a b.4 ...end. ,x .y", "No.5,No.6"],
     ["U.S.A., e.g. 1.5 a,b 1,2 3,a b.4 ... end. , x . y", "No. 5, No. 6"]),
    ("German", ["Die Größe der Straße beträgt „zehn“ Meter – ungefähr.", "Ärger über Öl"],
     ["Die Größe der Straße beträgt ungefähr „zehn“ Meter.", "Ärger um das Öl"]),
    ("French with no-break spaces", ["L’été, c’est « bon »\u00a0! Vraiment\u202f?"], ["L'été, c'est «\u00a0bon\u00a0»\u00a0! Vraiment ?"]),
    ("combining marks", ["e\u0301te\u0301 nai\u0308ve"], ["été naïve"]),
    ("Russian", ["Он пошёл домой, а она — нет.", "Что это?"], ["Он ушёл домой, а она нет.", "Что это такое?"]),
    ("Chinese", ["我喜欢吃苹果。", "今天天气很好，我们去公园吧！"], ["我爱吃苹果。", "今天天气不错，我们去公园。"]),
    ("Arabic and Hebrew", ["ذهب الولد إلى المدرسة، ثم عاد.", "שלום, עולם!"], ["ذهب الولد الى المدرسة ثم عاد.", "שלום עולם."]),
    ("emoji beyond the basic plane", ["I 💛 it 👩‍👩‍👧 👍🏽!", "𝔘𝔫𝔦𝔠𝔬𝔡𝔢, 𝟙.𝟚 𝟛-𝟜"], ["I 💛💛 it 👩‍👧 👍!", "𝔘𝔫𝔦𝔠𝔬𝔡𝔢 𝟙.𝟚 𝟛-𝟜"]),
    ("digits of other scripts", ["٣٫١٤ १२.५ ５，６ 3.५"], ["٣٫١٤ १२.५ ５，６ 3 . ५"]),
    ("control and format characters", ["a\u001cb\u001fc\u0085d", "zero\u200bwidth\ufeffbom\u00adsoft"],
     ["a b c d", "zero width bom soft"]),
    ("case is kept", ["THE CAT SAT ON THE MAT"], ["the cat sat on the mat"]),
    ("one character", ["a", "b"], ["a", "c"]),
    ("many segments", [f"line {i} of the text has {i * 7 % 10} marks." for i in range(60)],
     [f"line {i} of this text had {i * 7 % 10} marks." if i % 3 else f"line {i} of the text has {i * 7 % 10} marks." for i in range(60)]),
]


def scored(name, hypotheses, references):
    found = sacrebleu.corpus_bleu(hypotheses, [references], force=True)
    return {
        "name": name,
        "hypotheses": hypotheses,
        "references": references,
        "bleu": found.score,
        "precisions": found.precisions,
        "brevityPenalty": found.bp,
        "hypothesisLength": found.sys_len,
        "referenceLength": found.ref_len,
        "chrf": sacrebleu.corpus_chrf(hypotheses, [references]).score,
        "tokens": [sacrebleu.metrics.BLEU().tokenizer(line.rstrip()) for line in hypotheses],
    }


ALPHABET = (
    list("abcdeABC0123456789 .,;:-'\"!?()[]{}<>&/\\@#$%^*+=_~`|  ")
    + ["&amp;", "&lt;", "&quot;", "<skipped>", "the ", "of ", "1.5", "2,000", "a-b", "é", "ß", "—", "„", "我", "好", "。", "😀", "𝔘"]
    + ["\u00a0", "\u2003", "\u3000", "\u0085", "\u001f", "\u200b", "\ufeff", "\u0301", "٣", "\t"]
)


def random_corpus(seed):
    rng = random.Random(seed)

    def line():
        return "".join(rng.choice(ALPHABET) for _ in range(rng.choice([0, 1, 3, 10, 40, 80])))

    def changed(text):
        return "".join(rng.choice(ALPHABET) if rng.random() < 0.1 else c for c in text if rng.random() > 0.05)

    references = [line() for _ in range(rng.choice([1, 2, 5, 20]))]
    hypotheses = [line() if rng.random() < 0.1 else changed(reference) for reference in references]
    return scored(f"random {seed}", hypotheses, references)


def main():
    parser = argparse.ArgumentParser(description="BLEU and chrF by sacrebleu")
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--random", type=int)
    options = parser.parse_args()
    if options.random:
        for seed in range(options.random):
            print(json.dumps(random_corpus(seed)))
        return
    content = {"sacrebleu": sacrebleu.__version__, "corpora": [scored(*corpus) for corpus in CORPORA]}
    text = json.dumps(content, ensure_ascii=True, indent=1) + "\n"
    if options.check:
        if GOLDEN.read_text() != text:
            sys.exit(f"{GOLDEN}: differs from what sacrebleu {sacrebleu.__version__} gives")
        print(f"{GOLDEN.name}: equal")
        return
    GOLDEN.write_text(text)
    print(f"{GOLDEN.name}: {len(CORPORA)} corpora")


main()
