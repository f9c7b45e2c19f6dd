#!/bin/sh
# Installs the shells that spec/cli/completion runs beside bash: zsh and fish. Needs a Debian machine and root for apt.
set -eu
missing=''
for package in zsh fish; do
  command -v $package >/dev/null || missing="$missing $package"
done
[ -z "$missing" ] && exit 0
apt='apt-get -qq -o Acquire::Retries=3 -o Acquire::http::Timeout=60'
if ! { $apt update && DEBIAN_FRONTEND=noninteractive $apt install -y --no-install-recommends $missing >/dev/null; }; then
  echo "shells-setup.sh: expected$missing from the apt registry; can it be reached, by root?" >&2
  exit 1
fi
