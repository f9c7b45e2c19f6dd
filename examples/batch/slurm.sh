#!/bin/sh
# Decodes with an array of Slurm jobs, each of which does one shard of the lines:
#
#   sbatch --array=1-8 slurm.sh in.jsonl out --model google/flan-t5-base
#
# It writes out.1.jsonl … out.8.jsonl. A job that was stopped, or ran out of time, goes on where it stopped when it is sent again
# (sbatch --requeue does so). merge.sh puts the shards together. TANDEM names the command (default: npx tandem).
#SBATCH --cpus-per-task=4
#SBATCH --requeue
#SBATCH --open-mode=append
set -eu
if [ $# -lt 2 ]; then
  echo "slurm.sh: expected the input and the output's name, found $# arguments" >&2
  exit 2
fi
input=$1 out=$2
shift 2
first=${SLURM_ARRAY_TASK_MIN:-1}
part=$((${SLURM_ARRAY_TASK_ID:?expected a job of an array: sbatch --array=1-8 slurm.sh …} - first + 1))
parts=${SLURM_ARRAY_TASK_COUNT:?expected a job of an array: sbatch --array=1-8 slurm.sh …}
# exec: Slurm's SIGTERM reaches tandem itself, which then ends with whole records.
exec ${TANDEM:-npx tandem} batch "$input" --out "$out.$part.jsonl" --shard "$part/$parts" \
  --threads "${SLURM_CPUS_PER_TASK:-1}" --exit-zero "$@"
