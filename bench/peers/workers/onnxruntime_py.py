"""onnxruntime's Python API with the exporter's merged decoder. Keys and values stay in the runtime's own values."""

import json

import numpy as np
import onnxruntime as ort
from protocol import serve


def load(request):
    folder = f"{request['folder']}/onnx/{request['shape']}"
    suffix = {"f32": "", "q8": "_quantized"}[request["type"]]
    options = ort.SessionOptions()
    options.intra_op_num_threads = request["threads"]
    options.inter_op_num_threads = 1
    session = lambda graph: ort.InferenceSession(
        f"{folder}/onnx/{graph}{suffix}.onnx", options, providers=["CPUExecutionProvider"]
    )
    encoder, decoder = session("encoder_model"), session("decoder_model_merged")
    with open(f"{folder}/config.json") as file:
        config = json.load(file)
    value = ort.OrtValue.ortvalue_from_numpy
    names = [f"{i}.{part}" for i in range(config["num_decoder_layers"]) for part in PARTS]
    outputs = ["logits"] + [f"present.{name}" for name in names]

    def run_many(sources, tokens):
        count = len(sources)
        empty = value(np.zeros((count, config["num_heads"], 0, config["d_kv"]), np.float32))
        fresh = {f"past_key_values.{name}": empty for name in names}
        mask = value(np.ones((count, len(sources[0])), np.int64))
        ids = value(np.array(sources, np.int64))
        (states,) = encoder.run_with_ort_values(None, {"input_ids": ids, "attention_mask": mask})
        feed = {"encoder_attention_mask": mask, "encoder_hidden_states": states, **fresh}
        found, last = [], np.full(count, config["decoder_start_token_id"], np.int64)
        for step in range(tokens):
            feed["input_ids"] = value(last[:, None])
            feed["use_cache_branch"] = value(np.array([step > 0]))
            logits, *present = decoder.run_with_ort_values(outputs, feed)
            for name, tensor in zip(names, present):
                # The cached branch returns empty encoder keys and values, so those of the first step stay.
                if step == 0 or ".decoder." in name:
                    feed[f"past_key_values.{name}"] = tensor
            last = logits.numpy()[:, -1].argmax(axis=-1)
            found.append(last)
        return np.array(found).T.tolist()

    def run(source, tokens):
        return run_many([source], tokens)[0]

    return f"onnxruntime {ort.__version__}", run, run_many


PARTS = ("decoder.key", "decoder.value", "encoder.key", "encoder.value")
serve(load)
