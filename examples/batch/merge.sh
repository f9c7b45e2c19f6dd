#!/bin/sh
# Puts the records of shards together, in the order of the lines: sh merge.sh 4 out reads out.1.jsonl … out.4.jsonl and writes
# out.jsonl. The first line that is not blank is the first shard's, the second the second's, and so on in turns.
set -eu
if [ $# -ne 2 ]; then
  echo "merge.sh: expected the number of shards and the output's name, found $# arguments" >&2
  exit 2
fi
parts=$1 out=$2
set --
part=1
while [ "$part" -le "$parts" ]; do
  if [ ! -f "$out.$part.jsonl" ]; then
    echo "merge.sh: expected the shard $out.$part.jsonl, found none" >&2
    exit 1
  fi
  set -- "$@" "$out.$part.jsonl"
  part=$((part + 1))
done
paste -d '\n' "$@" | grep . >"$out.part" || true
mv "$out.part" "$out.jsonl"
