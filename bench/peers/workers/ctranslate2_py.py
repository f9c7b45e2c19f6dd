"""CTranslate2's Translator."""

import json

import ctranslate2
from protocol import serve


def load(request):
    compute = {"f32": "float32", "q8": "int8"}[request["type"]]
    path = f"{request['folder']}/ctranslate2/{request['shape']}-{compute}"
    translator = ctranslate2.Translator(
        path, device="cpu", compute_type=compute, inter_threads=1, intra_threads=request["threads"]
    )
    with open(f"{path}/shared_vocabulary.json", encoding="utf-8") as file:
        pieces = json.load(file)
    ids = {piece: i for i, piece in enumerate(pieces)}

    def run_many(sources, tokens):
        results = translator.translate_batch(
            [[pieces[i] for i in source] for source in sources],
            beam_size=1,
            min_decoding_length=tokens,
            max_decoding_length=tokens,
            max_input_length=0,
        )
        return [[ids[piece] for piece in result.hypotheses[0]] for result in results]

    def run(source, tokens):
        return run_many([source], tokens)[0]

    return f"CTranslate2 {ctranslate2.__version__}", run, run_many


serve(load)
