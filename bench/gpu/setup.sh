#!/bin/sh
# Sets up what the gpu backend's specs run on where there is no GPU: WebGPU over SwiftShader (in Debian's chromium
# package), and headless-gl over Mesa's llvmpipe under xvfb. Needs root for apt, Debian 12 or later, and the system's Node.
set -eu
cd "$(dirname "$0")/../.."

missing=''
for package in chromium libvulkan1 xvfb xauth libxi-dev libxext-dev libx11-dev libgl1-mesa-dev libglu1-mesa-dev \
  libgl1-mesa-dri pkg-config python3 g++ make; do
  dpkg -s "$package" >/dev/null 2>&1 || missing="$missing $package"
done
if [ -n "$missing" ]; then
  apt-get update -qq
  # shellcheck disable=SC2086
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >/dev/null
fi

# gl 8 is written against V8's own headers, so it is built for the system's Node, whose headers Debian and NodeSource
# put into /usr/include/node; the Node that package.json pins comes without any. It is kept out of node_modules, where
# the pinned Node would find a module it cannot load.
node_bin=${TANDEM_GL_NODE:-/usr/bin/node}
target=build/headless-gl
if ! [ -e "$target/node_modules/gl/build/Release/webgl.node" ]; then
  mkdir -p "$target" build/bin
  # ANGLE's build calls `python`, which Debian does not have under that name.
  ln -sf "$(command -v python3)" build/bin/python
  echo '{ "name": "headless-gl", "version": "1.0.0", "private": true }' >"$target/package.json"
  npm_bin=$(dirname "$node_bin")/npm
  PATH="$PWD/build/bin:$(dirname "$node_bin"):$PATH" npm_config_nodedir="${TANDEM_NODE_HEADERS:-/usr}" \
    "$npm_bin" --prefix "$target" install gl@8.1.6 --foreground-scripts >"$target/build.log" 2>&1 ||
    { tail -n 30 "$target/build.log"; exit 1; }
fi
test -e "$target/node_modules/gl/build/Release/webgl.node"
echo "gpu: SwiftShader for WebGPU and headless-gl are set up; bench/gpu/test.sh runs the specs on them"
