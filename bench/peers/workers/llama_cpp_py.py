"""llama.cpp through its C interface: one call encodes, then one call per token, with the arg-max over its logits."""

import ctypes

import llama_cpp as llama
import numpy as np
from protocol import serve


def load(request):
    quiet = llama.llama_log_callback(lambda level, text, data: None)
    load.keep = quiet  # the library holds only the pointer
    llama.llama_log_set(quiet, ctypes.c_void_p(0))
    llama.llama_backend_init()
    settings = llama.llama_model_default_params()
    settings.n_gpu_layers = 0
    # Its AMX repacking of q8_0 crashes on encoder-decoder models.
    settings.use_extra_bufts = request["type"] != "q8"
    path = f"{request['folder']}/gguf/{request['shape']}-{request['type']}.gguf"
    model = llama.llama_model_load_from_file(path.encode(), settings)
    if not model:
        raise RuntimeError(f"cannot load {path}")
    params = llama.llama_context_default_params()
    params.n_ctx = params.n_batch = params.n_ubatch = 512
    params.n_threads = params.n_threads_batch = request["threads"]
    context = llama.llama_init_from_model(model, params)
    vocabulary = llama.llama_vocab_n_tokens(llama.llama_model_get_vocab(model))
    start = llama.llama_model_decoder_start_token(model)

    def run(source, tokens):
        llama.llama_memory_clear(llama.llama_get_memory(context), True)
        ids = (llama.llama_token * len(source))(*source)
        if llama.llama_encode(context, llama.llama_batch_get_one(ids, len(source))) != 0:
            raise RuntimeError("llama_encode failed")
        found, last = [], start
        for _ in range(tokens):
            one = (llama.llama_token * 1)(last)
            if llama.llama_decode(context, llama.llama_batch_get_one(one, 1)) != 0:
                raise RuntimeError("llama_decode failed")
            logits = np.ctypeslib.as_array(llama.llama_get_logits_ith(context, -1), shape=(vocabulary,))
            last = int(logits.argmax())
            found.append(last)
        return found

    return f"llama.cpp (llama-cpp-python {llama.__version__})", run


serve(load)
