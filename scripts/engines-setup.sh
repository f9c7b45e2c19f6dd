#!/bin/sh
# Installs what the engines of examples/batch need, for their specs: Java and GNU parallel by apt, Spark and Ray by pip into
# build/engines. Needs a Debian machine, root for apt, and the apt and PyPI registries. What is there already is left alone.
set -eu
cd "$(dirname "$0")/.."
fail() {
  echo "engines-setup.sh: $1" >&2
  exit 1
}
packages=
command -v java >/dev/null || packages="$packages default-jre-headless"
command -v parallel >/dev/null || packages="$packages parallel"
python3 -c 'import ensurepip, venv' 2>/dev/null || packages="$packages python3-venv"
if [ -n "$packages" ]; then
  apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $packages >/dev/null ||
    fail "expected$packages from the apt registry; can it be reached, by root?"
fi
python=build/engines/bin/python
[ -x $python ] || python3 -m venv build/engines
$python -c 'import pyspark, ray.data' 2>/dev/null ||
  $python -m pip install --quiet --disable-pip-version-check --retries 1 'pyspark>=4,<5' 'ray[data]>=2,<3' ||
  fail 'expected pyspark and ray[data] from PyPI; can it be reached?'
