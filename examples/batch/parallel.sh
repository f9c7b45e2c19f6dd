#!/bin/sh
# Decodes with GNU parallel, one process for each shard:
#
#   sh parallel.sh 4 in.jsonl out --model google/flan-t5-base
#
# It writes out.1.jsonl … out.4.jsonl, and with merge.sh out.jsonl. Started again, it goes on where it stopped. On one machine, one
# process with more threads takes less memory; with --sshlogin in PARALLEL the shards run on several machines that share a folder.
# TANDEM names the command (default: npx tandem).
set -eu
if [ $# -lt 3 ]; then
  echo "parallel.sh: expected the number of shards, the input and the output's name, found $# arguments" >&2
  exit 2
fi
parts=$1 input=$2 out=$3
shift 3
seq "$parts" | parallel --will-cite --quote --halt soon,fail=1 \
  ${TANDEM:-npx tandem} batch "$input" --out "$out.{}.jsonl" --shard "{}/$parts" --exit-zero --quiet "$@"
exec sh "$(dirname "$0")/merge.sh" "$parts" "$out"
