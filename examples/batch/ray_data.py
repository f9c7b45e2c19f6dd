"""Decodes with Ray Data: each actor has a `tandem batch` that stays loaded, and answers one block of rows after the other.

    python ray_data.py in.jsonl out --tandem "npx tandem" --actors 2

Each row has an id and an input. The rows that come out have the record of `tandem batch` beside them. Random numbers depend on the
id, so the records are the same for any number of actors. A process has one copy of the weights: take few actors with more threads.
"""

import argparse
import json
import shlex
import subprocess
import sys
import threading

import ray


class Tandem:
    """A `tandem batch` that reads lines and answers each with a record, in order."""

    def __init__(self, command: list[str]) -> None:
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8")

    def __call__(self, batch: dict) -> dict:
        lines = [json.dumps({"id": str(id), "input": str(text)}) for id, text in zip(batch["id"], batch["input"])]
        # The lines are sent beside the reading: neither pipe may fill up while the other one is waited for.
        sender = threading.Thread(target=self._send, args=(lines,))
        sender.start()
        records = [json.loads(self._answer()) for _ in lines]
        sender.join()
        batch["text"] = [record.get("text", "") for record in records]
        batch["error"] = [record.get("error", {}).get("message", "") for record in records]
        return batch

    def _send(self, lines: list[str]) -> None:
        self.process.stdin.write("".join(f"{line}\n" for line in lines))
        self.process.stdin.flush()

    def _answer(self) -> str:
        answer = self.process.stdout.readline()
        if answer == "":
            raise RuntimeError(f"tandem batch ended with code {self.process.wait()}; its standard error says why")
        return answer


def main() -> int:
    parser = argparse.ArgumentParser(description="Decodes lines of JSON with Ray Data.")
    parser.add_argument("input", help="lines of JSON, each with an id and an input")
    parser.add_argument("output", help="folder to write lines of JSON to")
    parser.add_argument("--tandem", default="npx tandem", help="the command (default: %(default)s)")
    parser.add_argument("--flags", default="", help="flags of tandem batch, as --flags='--model google/flan-t5-base'")
    parser.add_argument("--actors", type=int, default=1, help="processes (default: %(default)s)")
    args = parser.parse_args()

    command = [*shlex.split(args.tandem), "batch", "--quiet", *shlex.split(args.flags)]
    rows = ray.data.read_json(args.input, lines=True)
    decoded = rows.map_batches(
        Tandem, fn_constructor_args=(command,), batch_size=64, compute=ray.data.ActorPoolStrategy(size=args.actors)
    )
    decoded.write_json(args.output)
    return 0


if __name__ == "__main__":
    sys.exit(main())
