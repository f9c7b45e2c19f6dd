"""Small tokenizers of every kind that T5-family directories hold, made with Hugging Face's tokenizers library."""

import gzip
import json
import types
import warnings

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import ByT5Tokenizer

from paths import ROOT

DATA = ROOT / "spec" / "data" / "tokenizer"
SPECIAL = ["<pad>", "</s>", "<unk>"]
# Every flag that an added token can have.
ADDED = [
    AddedToken("<hl>", normalized=False),
    AddedToken("New York", normalized=True),
    AddedToken("<lr>", lstrip=True, rstrip=True, normalized=False, special=True),
    AddedToken("<sw>", single_word=True, normalized=False),
    AddedToken("<extra_id_0>", special=True),
    AddedToken("<extra_id_1>", special=True, lstrip=True),
    AddedToken("{", normalized=True),
]


def corpus():
    cases = json.loads(gzip.open(DATA / "sentencepiece-reference.json.gz").read())["cases"]
    return [case["text"] for case in cases]


def metaspace(scheme="always"):
    return pre_tokenizers.Metaspace(replacement="▁", prepend_scheme=scheme)


def train_unigram(steps, words, byte_fallback=False, size=500):
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.normalizer = normalizers.Sequence(steps)
    tokenizer.pre_tokenizer = words
    trainer = trainers.UnigramTrainer(
        vocab_size=size, special_tokens=SPECIAL, unk_token="<unk>", show_progress=False
    )
    tokenizer.train_from_iterator(corpus(), trainer)
    if byte_fallback:
        model = json.loads(tokenizer.to_str())["model"]
        vocab = [(piece, score) for piece, score in model["vocab"]]
        vocab += [(f"<0x{byte:02X}>", -20.0) for byte in range(256)]
        tokenizer.model = models.Unigram(vocab, unk_id=2, byte_fallback=True)
    return tokenizer


def train_bpe(words, size=500, normalizer=None, **options):
    tokenizer = Tokenizer(models.BPE(**options))
    if normalizer:
        tokenizer.normalizer = normalizer
    if words:
        tokenizer.pre_tokenizer = words
    alphabet = pre_tokenizers.ByteLevel.alphabet() if isinstance(words, (pre_tokenizers.ByteLevel, pre_tokenizers.Sequence)) else []
    special = SPECIAL + ([f"<0x{byte:02X}>" for byte in range(256)] if options.get("byte_fallback") else [])
    trainer = trainers.BpeTrainer(
        vocab_size=size + len(special), special_tokens=special, initial_alphabet=alphabet, show_progress=False
    )
    tokenizer.train_from_iterator(corpus(), trainer)
    return tokenizer


def closed(tokenizer, decoder, added=True):
    """Puts EOS behind a text, and adds tokens with every flag."""
    if added:
        tokenizer.add_tokens([token for token in ADDED if not token.special])
        tokenizer.add_special_tokens([token for token in ADDED if token.special])
    end = ("</s>", tokenizer.token_to_id("</s>"))
    tokenizer.post_processor = processors.TemplateProcessing(single=["$A", "</s>"], special_tokens=[end])
    if decoder:
        tokenizer.decoder = decoder
    return tokenizer


def unigram_lower():
    steps = [normalizers.Nmt(), normalizers.NFKC(), normalizers.Replace(Regex(" {2,}"), " "), normalizers.Lowercase()]
    words = pre_tokenizers.Sequence(
        [metaspace(), pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.Punctuation()]
    )
    return closed(train_unigram(steps, words), decoders.Metaspace(replacement="▁", prepend_scheme="always"))


def unigram_nfkc():
    steps = [normalizers.Nmt(), normalizers.NFKC(), normalizers.Replace(Regex(" {2,}"), " ")]
    return closed(train_unigram(steps, metaspace()), decoders.Metaspace(replacement="▁", prepend_scheme="always"))


def unigram_first():
    steps = [normalizers.NFC(), normalizers.Strip(left=True, right=True), normalizers.Replace("``", '"')]
    words = pre_tokenizers.Sequence(
        [metaspace("first"), pre_tokenizers.Digits(), pre_tokenizers.Punctuation(behavior="contiguous")]
    )
    return closed(train_unigram(steps, words), decoders.Metaspace(replacement="▁", prepend_scheme="first"))


def unigram_bytes():
    decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(content=" ", left=1)]
    )
    return closed(train_unigram([normalizers.NFKD()], metaspace(), byte_fallback=True), decoder)


def unigram_words():
    steps = [normalizers.NFD(), normalizers.StripAccents(), normalizers.Prepend("_")]
    return closed(train_unigram(steps, pre_tokenizers.Whitespace()), None)


def bpe_byte_level():
    return closed(train_bpe(pre_tokenizers.ByteLevel(add_prefix_space=False)), decoders.ByteLevel())


def bpe_byte_level_split():
    pattern = r"[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
    words = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(pattern), behavior="isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    return closed(train_bpe(words, normalizer=normalizers.NFC()), decoders.ByteLevel())


def bpe_bytes():
    steps = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(content=" ", left=1)]
    )
    trained = train_bpe(None, normalizer=steps, unk_token="<unk>", fuse_unk=True, byte_fallback=True)
    return closed(trained, decoder)


def bpe_unknown():
    words = pre_tokenizers.Sequence([pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Punctuation("merged_with_previous")])
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>", end_of_word_suffix="</w>"))
    tokenizer.pre_tokenizer = words
    trainer = trainers.BpeTrainer(
        vocab_size=400, special_tokens=SPECIAL, end_of_word_suffix="</w>", limit_alphabet=60, show_progress=False
    )
    tokenizer.train_from_iterator(corpus(), trainer)
    return closed(tokenizer, decoders.BPEDecoder(suffix="</w>"))


def t5(**changes):
    """The tokenizer of T5 with other steps: those that conversions of SentencePiece models have."""
    file = json.loads(gzip.open(DATA / "t5.tokenizer.json.gz").read())
    charsmap = file["normalizer"]
    steps = [charsmap, {"type": "Strip", "strip_left": False, "strip_right": True}]
    steps.append({"type": "Replace", "pattern": {"Regex": " {2,}"}, "content": "▁"})
    scheme = changes["scheme"]
    words = {"type": "Metaspace", "replacement": "▁", "prepend_scheme": scheme, "split": True}
    patch = {"pre_tokenizer": words, "decoder": words}
    if changes.get("split_words"):
        patch["pre_tokenizer"] = {"type": "Sequence", "pretokenizers": [{"type": "WhitespaceSplit"}, words]}
    else:
        patch["normalizer"] = {"type": "Sequence", "normalizers": ["charsmap", *steps[1:]]}
    full = {**file, **patch}
    if "normalizer" in patch:
        full["normalizer"] = {"type": "Sequence", "normalizers": steps}
    tokenizer = Tokenizer.from_str(json.dumps(full))
    tokens = [token for token in ADDED if not token.content.startswith("<extra")] if changes.get("added") else []
    tokenizer.add_tokens([token for token in tokens if not token.special])
    tokenizer.add_special_tokens([token for token in tokens if token.special])
    patch["added_tokens"] = json.loads(tokenizer.to_str())["added_tokens"][len(file["added_tokens"]) :]
    return tokenizer, {"patch": patch}


def whole(make):
    def build(files):
        if files:
            return Tokenizer.from_str(files["tokenizer.json"]), {"files": files}
        tokenizer = make()
        return tokenizer, {"files": {"tokenizer.json": json.dumps(json.loads(tokenizer.to_str()), ensure_ascii=False)}}

    return build


def trained_files():
    model = json.loads(train_bpe(pre_tokenizers.ByteLevel(add_prefix_space=False)).to_str())["model"]
    return {**model["vocab"], "<s>": len(model["vocab"])}, [tuple(merge) for merge in model["merges"]]


def read_files(files):
    return json.loads(files["vocab.json"]), [tuple(line.split(" ")) for line in files["merges.txt"].splitlines()[1:]]


def bpe_files(files):
    """vocab.json and merges.txt with the small files that slow tokenizers save, and what RoBERTa's kind makes of them."""
    vocab, merges = read_files(files) if files else trained_files()
    tokenizer = Tokenizer(models.BPE(vocab=vocab, merges=merges))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.post_processor = processors.RobertaProcessing(("</s>", 1), ("<s>", vocab["<s>"]))
    # Files of this age name their added tokens without flags; special ones have them in special_tokens_map.json.
    tokenizer.add_tokens([AddedToken("<hl>", normalized=True)])
    special = AddedToken("<extra_id_0>", lstrip=True, normalized=False, special=True)
    tokenizer.add_special_tokens([special, *[AddedToken(name, special=True) for name in ["<s>", *SPECIAL]]])
    named = {"bos_token": "<s>", "cls_token": "<s>", "eos_token": "</s>", "sep_token": "</s>", "pad_token": "<pad>"}
    extra = {"content": "<extra_id_0>", "lstrip": True, "rstrip": False, "single_word": False, "normalized": False}
    files = {
        "vocab.json": vocab,
        "tokenizer_config.json": {"tokenizer_class": "RobertaTokenizer", "add_prefix_space": False},
        "special_tokens_map.json": {**named, "unk_token": "<unk>", "additional_special_tokens": [extra]},
        "added_tokens.json": {"<hl>": len(vocab), "<extra_id_0>": len(vocab) + 1},
    }
    files = {name: json.dumps(content, ensure_ascii=False) for name, content in files.items()}
    files["merges.txt"] = "#version: 0.2\n" + "".join(f"{a} {b}\n" for a, b in merges)
    return tokenizer, {"files": files}


class ByT5:
    """transformers' ByT5Tokenizer with the methods of the library's tokenizers."""

    normalizer = None

    def __init__(self):
        self.tokenizer = ByT5Tokenizer()
        self.tokenizer.add_tokens([AddedToken("<hl>", normalized=False), AddedToken("New York", normalized=False)])

    def encode(self, text):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return types.SimpleNamespace(ids=self.tokenizer(text).input_ids)

    def decode(self, ids, skip_special_tokens=True):
        return self.tokenizer.decode(ids, skip_special_tokens=skip_special_tokens)

    def get_vocab_size(self):
        return 386

    def get_added_tokens_decoder(self):
        return {}


def byt5(_):
    tokens = [{"id": 384, "content": "<hl>"}, {"id": 385, "content": "New York"}]
    flags = {"normalized": False, "special": False, "lstrip": False, "rstrip": False, "single_word": False}
    decoder = {str(token["id"]): {"content": token["content"], **flags} for token in tokens}
    config = {"tokenizer_class": "ByT5Tokenizer", "added_tokens_decoder": decoder}
    return ByT5(), {"files": {"tokenizer_config.json": json.dumps(config)}}


# Each takes the files that are committed, or None. The library trains another tokenizer every time, because ties have no order: one that
# is committed is kept, and its texts are recorded anew.
TOKENIZERS = {
    "unigram-lower": whole(unigram_lower),
    "unigram-nfkc": whole(unigram_nfkc),
    "unigram-first": whole(unigram_first),
    "unigram-bytes": whole(unigram_bytes),
    "unigram-words": whole(unigram_words),
    "bpe-byte-level": whole(bpe_byte_level),
    "bpe-byte-level-split": whole(bpe_byte_level_split),
    "bpe-bytes": whole(bpe_bytes),
    "bpe-unknown": whole(bpe_unknown),
    "bpe-files": bpe_files,
    "t5-always": lambda _: t5(scheme="always"),
    "t5-first": lambda _: t5(scheme="first", added=True),
    "t5-never": lambda _: t5(scheme="never"),
    "t5-added": lambda _: t5(scheme="always", split_words=True, added=True),
    "byt5": byt5,
}
