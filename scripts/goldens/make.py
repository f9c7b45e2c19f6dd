"""Makes the goldens of spec/data/goldens with Hugging Face's T5 (PyTorch, CPU), or compares them with fresh ones.

    python make.py            remake everything
    python make.py --check    remake beside and compare; exits 1 when anything differs
    python make.py --seeds    print, for every family, the first seed that is not refused
"""

import argparse
import dataclasses
import sys

import torch
from transformers.utils import logging

from beam_settings import record_beam_rules, record_beam_settings
from buckets import record_buckets
from bundled import record_bundled
from compare import check
from families import FAMILIES
from paths import GOLDENS
from random_models import find_seed, record_model
from rules import record_rules
from torch_files import record_torch_files
from stated import record_stated


def make(folder, only):
    folder.mkdir(parents=True, exist_ok=True)
    models = GOLDENS if only else folder  # one golden alone is made of the committed models
    for family in FAMILIES:
        if only and only != family.name:
            continue
        golden = record_model(family, folder)
        gaps = [gap for case in golden["cases"] for gap in case["greedy"]["gaps"]]
        print(f"{family.name}: {len(gaps)} greedy tokens, smallest gap {min(gaps):.4f}")
    if not only or only == "relative-buckets":
        record_buckets(folder)
    if not only or only == "beam-settings":
        record_beam_settings(folder, models)
    if not only or only == "beam-rules":
        record_beam_rules(folder, models)
    if not only or only == "rules":
        record_rules(folder)
    if not only or only == "torch-files":
        record_torch_files(folder, models)
    if not only or only == "stated":
        record_stated(folder)
    for role in ("target", "draft"):
        if not only or only == f"modernize-{role}":
            record_bundled(role, folder)
    for path in folder.rglob("*.safetensors"):
        path.chmod(0o644)


def main():
    parser = argparse.ArgumentParser(description="Goldens made by Hugging Face's T5")
    parser.add_argument("--check", action="store_true", help="compare with the committed files instead of writing them")
    parser.add_argument("--seeds", action="store_true", help="search for seeds that no check refuses")
    parser.add_argument("--only", help="one golden's name")
    options = parser.parse_args()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    torch.manual_seed(0)
    torch.set_num_threads(1)
    if options.seeds:
        for family in FAMILIES:
            if options.only and options.only != family.name:
                continue
            seed = find_seed(
                family, lambda seed, scratch: record_model(dataclasses.replace(family, seed=seed), scratch)
            )
            print(f"{family.name}: seed {seed}")
        return 0
    if not options.check:
        make(GOLDENS, options.only)
        return 0
    return check(GOLDENS, lambda folder: make(folder, options.only), options.only)


if __name__ == "__main__":
    sys.exit(main())
