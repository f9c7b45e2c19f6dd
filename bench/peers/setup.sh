#!/bin/sh
# Installs the peers and prepares their models under build/peers (git-ignored; about 15 GB with every shape).
#   sh bench/peers/setup.sh [shape ...]     shapes: t5-small flan-t5-small t5-base t5-small-lazy t5-base-lazy; default: the first two
# PYTHON names the interpreter, 3.11 or newer. A peer that cannot be installed is skipped; this script and the bench both say so.
set -u
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)/build/peers
shapes=${*:-t5-small flan-t5-small}
python=${PYTHON:-python3}
mkdir -p "$root"

environment() { # name, requirements
  if ! cmp -s "$here/$2" "$root/$1/installed.txt"; then
    "$python" -m venv "$root/$1" &&
      "$root/$1/bin/python" -m pip install --quiet --disable-pip-version-check -r "$here/$2" &&
      cp "$here/$2" "$root/$1/installed.txt"
  fi
}

missing() {
  echo "peers: $1 could not be prepared; it will be skipped" >&2
}

environment python requirements.txt || { echo "peers: Python's peers are needed to make the checkpoints" >&2; exit 1; }
# shellcheck disable=SC2086
"$root/python/bin/python" "$here/make_checkpoints.py" "$root/checkpoints" $shapes || exit 1

for shape in $shapes; do
  for type in float32 int8; do
    [ -f "$root/ctranslate2/$shape-$type/model.bin" ] ||
      "$root/python/bin/ct2-transformers-converter" --model "$root/checkpoints/$shape-f32" \
        --output_dir "$root/ctranslate2/$shape-$type" --quantization "$type" --force >/dev/null 2>&1 ||
      missing "CTranslate2 $shape $type"
  done
done

# shellcheck disable=SC2086
environment export requirements-export.txt &&
  "$root/export/bin/python" "$here/export_onnx.py" "$root" $shapes >"$root/export.log" 2>&1 ||
  missing "ONNX (see $root/export.log)"

# shellcheck disable=SC2086
environment llama requirements-llama.txt &&
  "$root/llama/bin/python" "$here/make_gguf.py" "$root" $shapes >"$root/gguf.log" 2>&1 ||
  missing "llama.cpp (see $root/gguf.log)"

# Without the variable, onnxruntime-node downloads a CUDA provider after installation, and fails if it cannot.
mkdir -p "$root/node"
cp "$here/package.json" "$root/node/package.json"
(cd "$root/node" && ONNXRUNTIME_NODE_INSTALL=skip npm install --no-audit --no-fund --silent) || missing "transformers.js"
echo "peers: ready in $root"
