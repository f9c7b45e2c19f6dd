"""The keys that transformers knows in the files of a T5: lists for the spec that holds Tandem's tables of keys to them.

    python keys.py            writes spec/data/keys/transformers-<version>.json for the version that is installed
    python keys.py --check    compares that file with a fresh one; exits 1 when anything differs

The lists are committed for two versions. What transformers 5 has dropped still stands in files that transformers 4 wrote.
"""

import argparse
import dataclasses
import inspect
import json
import re
import sys

import transformers
from transformers import (
    ByT5Tokenizer,
    GenerationConfig,
    MT5Config,
    PretrainedConfig,
    T5Config,
    T5Tokenizer,
    T5TokenizerFast,
    UMT5Config,
)
from transformers.activations import ACT2CLS
from transformers.tokenization_utils_base import PreTrainedTokenizerBase
from transformers.utils import quantization_config

from compare import check
from paths import ROOT

KEYS = ROOT / "spec" / "data" / "keys"

# What is handed to a loader and never stands in a file.
OF_LOADERS = {
    "_configuration_file", "_from_auto", "_from_pipeline", "cache_dir", "commit_message", "force_download", "gguf_file",
    "local_files_only", "max_target_length", "prepend_batch_axis", "proxies", "repo_id", "return_unused_kwargs", "revision",
    "save_jinja_files", "subfolder", "token", "trust_remote_code", "use_auth_token", "config_file_name",
    "padding", "text", "boxes", "pair", "kwargs", "self", "vocab", "merges",
}  # fmt: skip


def taken(function):
    """Keys that a function takes out of a dictionary of keywords, and its own parameters."""
    keys = set(inspect.signature(function).parameters)
    try:
        source = inspect.getsource(function)
    except OSError:  # a function that dataclasses has made has no source, and its parameters are all it takes
        return keys
    return keys | set(re.findall(r'kwargs\.(?:pop|get)\(\s*"(\w+)"', source))


def config_keys():
    keys = set()
    for kind in (PretrainedConfig, T5Config, MT5Config, UMT5Config):
        keys |= taken(kind.__init__) | set(kind().to_dict()) | set(kind.attribute_map)
        if dataclasses.is_dataclass(kind):
            keys |= {field.name for field in dataclasses.fields(kind)} | taken(kind.__post_init__)
    return keys


def generation_keys():
    return taken(GenerationConfig.__init__) | set(GenerationConfig().to_dict())


def tokenizer_keys():
    keys = set(PreTrainedTokenizerBase.SPECIAL_TOKENS_ATTRIBUTES)
    for kind in (PreTrainedTokenizerBase, T5Tokenizer, T5TokenizerFast, ByT5Tokenizer):
        keys |= taken(kind.__init__)
        for function in ("_from_pretrained", "save_pretrained"):
            source = inspect.getsource(getattr(kind, function))
            keys |= set(re.findall(r'(?:init_kwargs|tokenizer_config)(?:\.pop\(|\.get\(|\[)\s*"(\w+)"', source))
    return keys


def added_token_keys():
    from tokenizers import AddedToken

    return set(json.loads(json.dumps(AddedToken("a").__getstate__())))


def tokenizer_file_keys():
    """Members of tokenizer.json, from one with every member that the library writes."""
    from tokenizers import Tokenizer, models

    tokenizer = Tokenizer(models.Unigram([("a", 0.0)], 0, False))
    tokenizer.enable_padding()
    tokenizer.enable_truncation(1)
    return set(json.loads(tokenizer.to_str()))


def quantization():
    methods = {method.value for method in quantization_config.QuantizationMethod}
    bits_and_bytes = taken(quantization_config.BitsAndBytesConfig.__init__) | set(
        quantization_config.BitsAndBytesConfig().to_dict()
    )
    return methods, bits_and_bytes


def listed(keys):
    return sorted(key for key in keys if key not in OF_LOADERS)


def record(folder):
    methods, bits_and_bytes = quantization()
    known = {
        "transformers": transformers.__version__,
        "config.json": listed(config_keys()),
        "generation_config.json": listed(generation_keys()),
        "tokenizer_config.json": listed(tokenizer_keys()),
        "special_tokens_map.json": listed(set(PreTrainedTokenizerBase.SPECIAL_TOKENS_ATTRIBUTES)),
        "tokenizer.json": sorted(tokenizer_file_keys()),
        "added token": listed(added_token_keys()),
        "quantization_config": listed(bits_and_bytes),
        "quantization methods": sorted(methods),
        "activations": sorted(ACT2CLS),
    }
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"transformers-{transformers.__version__}.json"
    path.write_text(json.dumps(known, indent=1) + "\n")
    print(f"{path}: {sum(len(value) for value in known.values() if isinstance(value, list))} names")


def main():
    parser = argparse.ArgumentParser(description="The keys that transformers knows")
    parser.add_argument("--check", action="store_true", help="compare with the committed file instead of writing it")
    if parser.parse_args().check:
        return check(KEYS, record, "the installed version")
    record(KEYS)
    return 0


if __name__ == "__main__":
    sys.exit(main())
