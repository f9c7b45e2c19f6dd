#!/bin/sh
# Installs the browsers that spec/browser runs in, and prints their versions: Chromium, Firefox ESR, and MiniBrowser, which is
# WebKitGTK's own browser (in Debian's package webkit2gtk-driver) and needs the X server Xvfb. Needs root for apt and Debian 12
# or later.
set -eu

packages='chromium firefox-esr webkit2gtk-driver xvfb'
missing=''
for package in $packages; do
  dpkg -s "$package" >/dev/null 2>&1 || missing="$missing $package"
done
if [ -n "$missing" ]; then
  apt='apt-get -qq -o Acquire::Retries=3 -o Acquire::http::Timeout=60'
  $apt update
  # shellcheck disable=SC2086
  DEBIAN_FRONTEND=noninteractive $apt install -y --no-install-recommends $missing >/dev/null
fi
# shellcheck disable=SC2086
dpkg-query -W -f '${Package} ${Version}\n' $packages
