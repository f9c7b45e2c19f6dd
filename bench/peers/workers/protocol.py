"""A worker reads JSON lines from standard input until it ends, and answers each with one JSON line on standard output.

{"do": "load", "shape", "type", "threads", "folder"}       -> {"ok": true, "version", "many": whether runMany works}
{"do": "run", "source": [ids], "tokens": n}                -> {"ok": true, "ids": [n ids]}
{"do": "runMany", "sources": [[ids], ...], "tokens": n}    -> {"ok": true, "sequences": [[n ids], ...]}, decoded together
A request that fails                                       -> {"ok": false, "error"}
"""

import json
import os
import sys


def serve(load):
    """`load(request)` returns a version, a function (source, tokens) -> ids, and where many sequences share each step of the
    decoder a function (sources, tokens) -> lists of ids. All sources of a request have the same length."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # libraries print to standard output; this moves that to standard error
    run, many = None, []
    for line in sys.stdin:
        request = json.loads(line)
        try:
            if request["do"] == "load":
                version, run, *many = load(request)
                answer = {"ok": True, "version": version, "many": bool(many)}
            elif request["do"] == "runMany":
                answer = {"ok": True, "sequences": many[0](request["sources"], request["tokens"])}
            else:
                answer = {"ok": True, "ids": run(request["source"], request["tokens"])}
        except Exception as error:  # noqa: BLE001 - the answer reports it by name
            answer = {"ok": False, "error": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), file=answers, flush=True)
