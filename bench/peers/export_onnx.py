"""Exports build/peers/checkpoints/<shape>-f32 to ONNX: build/peers/onnx/<shape>/onnx/*.onnx, in float32 and int8 (`_quantized`).

Run it in the environment of requirements-export.txt. transformers.js expects this layout.
"""

import argparse
import pathlib
import shutil

from onnxruntime.quantization import QuantType, quantize_dynamic
from optimum.exporters.onnx import main_export

GRAPHS = ("encoder_model", "decoder_model_merged")


def export(checkpoint, folder):
    onnx = folder / "onnx"
    onnx.mkdir(parents=True, exist_ok=True)
    main_export(str(checkpoint), output=str(onnx), task="text2text-generation-with-past", do_validation=False)
    for name in ("config.json", "generation_config.json", "tokenizer.json", "tokenizer_config.json"):
        shutil.copy(checkpoint / name, folder / name)
    for graph in GRAPHS:
        quantize_dynamic(
            onnx / f"{graph}.onnx",
            onnx / f"{graph}_quantized.onnx",
            per_channel=True,
            reduce_range=False,
            weight_type=QuantType.QInt8,
            extra_options={"EnableSubgraph": True},
        )
    for path in onnx.iterdir():
        if not any(path.name.startswith(f"{graph}.onnx") or path.name.startswith(f"{graph}_q") for graph in GRAPHS):
            path.unlink()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=pathlib.Path, help="build/peers")
    parser.add_argument("shapes", nargs="+")
    options = parser.parse_args()
    for shape in options.shapes:
        target = options.folder / "onnx" / shape
        if (target / "onnx" / "decoder_model_merged_quantized.onnx").exists():
            continue
        export(options.folder / "checkpoints" / f"{shape}-f32", target)
        print(f"{shape}: exported")


if __name__ == "__main__":
    main()
