#!/bin/sh
# Makes the goldens (or, with --check, compares the committed ones with fresh ones) in a virtual environment of its own.
# PYTHON names the interpreter to make it with; Python 3.11 or newer. Needs PyPI the first time.
set -eu
cd "$(dirname "$0")/../.."
venv=.venv
wanted=scripts/goldens/requirements.txt
if [ ! -x "$venv/bin/python" ]; then
  "${PYTHON:-python3}" -m venv "$venv"
fi
if ! cmp -s "$wanted" "$venv/goldens-installed.txt"; then
  "$venv/bin/python" -m pip install --quiet --disable-pip-version-check -r "$wanted"
  cp "$wanted" "$venv/goldens-installed.txt"
fi
export PYTHONDONTWRITEBYTECODE=1
case "$*" in
'' | --check) makers='make uses tokenizer_texts language_tags keys metrics' ;;
*) makers=make ;; # the other makers have no further flags in common with it
esac
status=0
for maker in $makers; do
  echo "$maker:"
  "$venv/bin/python" "scripts/goldens/$maker.py" "$@" || status=1
done
exit $status
