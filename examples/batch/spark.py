"""Decodes with Apache Spark: each partition is piped through a `tandem batch` of its own (RDD.pipe).

    spark-submit spark.py in.jsonl out --tandem "npx tandem" --partitions 4

Each line of the input is a line of `tandem batch` with an id. The output is a folder of records, one file a partition. An id stays
with its record, and random numbers depend on the id, so the records are the same for any number of partitions. A line that is wrong
has its error in its record: --exit-zero keeps the task from failing. Weights are loaded once for each task, and each process has a
copy of its own, so take few large partitions, and as many at once as the memory allows (--cores).
"""

import argparse
import json
import os
import shlex
import sys

from pyspark import SparkConf, SparkContext


def line_of(record: str) -> str:
    """What a record says, without what depends on the partition: the number of the line and the hash."""
    fields = json.loads(record)
    return json.dumps({name: fields[name] for name in fields if name not in ("line", "hash")}, ensure_ascii=False)


def environment() -> dict[str, str]:
    """What the command needs to be found, and to find models that the hub's tools have downloaded."""
    names = ("PATH", "HOME", "HF_HOME", "HF_HUB_CACHE", "HF_TOKEN", "HF_ENDPOINT", "NODE_EXTRA_CA_CERTS")
    return {name: os.environ[name] for name in names if name in os.environ}


def main() -> int:
    parser = argparse.ArgumentParser(description="Decodes lines of JSON with Apache Spark.")
    parser.add_argument("input", help="lines of JSON, each with an id and an input")
    parser.add_argument("output", help="folder to write, which must not be there yet")
    parser.add_argument("--tandem", default="npx tandem", help="the command (default: %(default)s)")
    parser.add_argument("--flags", default="", help="flags of tandem batch, as --flags='--model google/flan-t5-base'")
    parser.add_argument("--partitions", type=int, default=2, help="processes that work in all (default: %(default)s)")
    parser.add_argument("--cores", type=int, default=1, help="of them at the same time (default: %(default)s)")
    args = parser.parse_args()

    command = [*shlex.split(args.tandem), "batch", "--exit-zero", "--quiet", *shlex.split(args.flags)]
    conf = SparkConf().setAppName("tandem").setIfMissing("spark.master", f"local[{args.cores}]")
    with SparkContext(conf=conf) as spark:
        lines = spark.textFile(args.input, args.partitions).repartition(args.partitions)
        # The process has these variables alone. checkCode: a process that fails fails its task, which Spark tries again.
        records = lines.pipe(shlex.join(command), env=environment(), checkCode=True)
        records.map(line_of).saveAsTextFile(args.output)
    return 0


if __name__ == "__main__":
    sys.exit(main())
