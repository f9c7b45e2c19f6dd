"""Makes spec/data/transformers: a small random T5 as a Hugging Face directory, and the same model as ONNX for transformers.js.

Run it in the environment of bench/peers/requirements-export.txt, which has the exporter. The tokenizer is trained on
models/modern.txt; the weights are random, with gains of both signs in the last norm, so that greedy text varies.
"""

import argparse
import json
import pathlib
import shutil
import tempfile

import torch
from optimum.exporters.onnx import main_export
from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import T5Config, T5ForConditionalGeneration, T5TokenizerFast

ROOT = pathlib.Path(__file__).resolve().parents[2]
PIECES = 384
GRAPHS = ("encoder_model.onnx", "decoder_model_merged.onnx")
PREFIXES = {
    "summarization": {"prefix": "summarize: ", "max_length": 200, "num_beams": 4},
    "translation_en_to_de": {"prefix": "translate English to German: ", "max_length": 300},
}


def tokenizer(folder):
    made = Tokenizer(models.Unigram())
    made.normalizer = normalizers.Sequence([normalizers.NFKC(), normalizers.Replace(" {2,}", " ")])
    made.pre_tokenizer = pre_tokenizers.Metaspace()
    made.decoder = decoders.Metaspace()
    trainer = trainers.UnigramTrainer(
        vocab_size=PIECES - 8, special_tokens=["<pad>", "</s>", "<unk>"], unk_token="<unk>", show_progress=False
    )
    made.train([str(ROOT / "models" / "modern.txt")], trainer)
    made.post_processor = processors.TemplateProcessing(
        single="$A </s>", pair="$A </s> $B </s>", special_tokens=[("</s>", made.token_to_id("</s>"))]
    )
    made.add_special_tokens([AddedToken(f"<extra_id_{i}>", special=True) for i in range(8)])
    fast = T5TokenizerFast(
        tokenizer_object=made,
        extra_ids=0,
        additional_special_tokens=[f"<extra_id_{i}>" for i in range(8)],
        model_max_length=64,
        clean_up_tokenization_spaces=False,
    )
    fast.save_pretrained(folder)
    return fast


def model(vocabulary):
    torch.manual_seed(11)
    config = T5Config(
        vocab_size=vocabulary, d_model=32, d_kv=8, d_ff=48, num_layers=2, num_heads=4, dropout_rate=0.0,
        decoder_start_token_id=0, task_specific_params=PREFIXES, initializer_factor=1.5,
    )
    made = T5ForConditionalGeneration(config).eval()
    with torch.no_grad():
        made.decoder.final_layer_norm.weight.mul_(torch.where(torch.rand(config.d_model) < 0.5, -1.0, 1.0))
        made.shared.weight[config.eos_token_id] *= 0.9
    return made


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=pathlib.Path, default=ROOT / "spec" / "data" / "transformers")
    out = parser.parse_args().out
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    fast = tokenizer(out)
    made = model(len(fast))
    made.save_pretrained(out)
    (out / "special_tokens_map.json").unlink(missing_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        main_export(str(out), output=folder, task="text2text-generation-with-past", do_validation=False)
        (out / "onnx").mkdir()
        for graph in GRAPHS:
            shutil.copy(pathlib.Path(folder) / graph, out / "onnx" / graph)
    config = json.loads((out / "config.json").read_text())
    print(f"{sum(p.stat().st_size for p in out.rglob('*') if p.is_file())} bytes, vocabulary {config['vocab_size']}")


if __name__ == "__main__":
    main()
