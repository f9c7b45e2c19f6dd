#!/bin/sh
# Runs the gpu specs on devices that must be there, software ones where there is no GPU: WebGPU in Node and Chromium with
# the Node that is first on the path, headless-gl on the system's (see bench/gpu/setup.sh). Further arguments go to jest.
# Exits with the worst status of both runs; with TANDEM_GPU_REPORTS=DIR, jest's reports go to DIR/gpu-*.json.
set -u
cd "$(dirname "$0")/../.."
export VK_DRIVER_FILES="${VK_DRIVER_FILES-/usr/lib/chromium/vk_swiftshader_icd.json}"
status=0

report() {
  [ -z "${TANDEM_GPU_REPORTS-}" ] || echo "--json --outputFile=$TANDEM_GPU_REPORTS/gpu-$1.json"
}

# shellcheck disable=SC2046
TANDEM_GPU=webgpu,chromium node node_modules/jest/bin/jest.js spec/kernels/gpu/webgpu spec/browser/gpu $(report webgpu) "$@" || status=1

# Mapped, not found: node_modules may hold a gl that was never built, which would hide this one.
gl="$PWD/build/headless-gl/node_modules/gl"
# shellcheck disable=SC2046
TANDEM_GPU=headlessgl xvfb-run -a -s '-ac -screen 0 1280x1024x24' \
  "${TANDEM_GL_NODE:-/usr/bin/node}" node_modules/jest/bin/jest.js spec/kernels/gpu/headlessgl $(report headlessgl) \
  --moduleNameMapper="{\"^gl\$\":\"$gl\"}" "$@" || status=1

exit $status
