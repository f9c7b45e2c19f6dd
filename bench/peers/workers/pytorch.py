"""Hugging Face transformers on PyTorch."""

import torch
import transformers
from protocol import serve


def load(request):
    torch.set_num_threads(request["threads"])
    torch.set_num_interop_threads(1)
    transformers.utils.logging.set_verbosity_error()
    dtype = {"f32": torch.float32, "bf16": torch.bfloat16}[request["type"]]
    path = f"{request['folder']}/checkpoints/{request['shape']}-{request['type']}"
    model = transformers.T5ForConditionalGeneration.from_pretrained(path, dtype=dtype).eval()

    def run_many(sources, tokens):
        with torch.inference_mode():
            found = model.generate(
                input_ids=torch.tensor(sources),
                attention_mask=torch.ones(len(sources), len(sources[0]), dtype=torch.long),
                min_new_tokens=tokens,
                max_new_tokens=tokens,
                do_sample=False,
                num_beams=1,
            )
        return found[:, 1:].tolist()

    def run(source, tokens):
        return run_many([source], tokens)[0]

    return f"PyTorch {torch.__version__}, transformers {transformers.__version__}", run, run_many


serve(load)
