#!/bin/sh
# Runs the gpu specs on devices that must be there: WebGPU on the pinned Node, headless-gl on the system's (see
# scripts/gpu-setup.sh). Exits with the worst status of both.
set -u
cd "$(dirname "$0")/.."
export VK_DRIVER_FILES="${VK_DRIVER_FILES-/usr/lib/chromium/vk_swiftshader_icd.json}"
status=0

TANDEM_GPU=webgpu npx jest spec/kernels/gpu/webgpu "$@" || status=1

# Mapped, not found: node_modules may hold a gl that was never built, which would hide this one.
gl="$PWD/build/headless-gl/node_modules/gl"
TANDEM_GPU=headlessgl xvfb-run -a -s '-ac -screen 0 1280x1024x24' \
  "${TANDEM_GL_NODE:-/usr/bin/node}" node_modules/jest/bin/jest.js spec/kernels/gpu/headlessgl \
  --moduleNameMapper="{\"^gl\$\":\"$gl\"}" "$@" || status=1

exit $status
