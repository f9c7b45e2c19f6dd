import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

const root = join(__dirname, '../../..');

/** A program that computes on four threads and never disposes. */
const PROGRAM = `
const { createWasmBackend } = require('./kernels');
createWasmBackend({ threads: 4 }).then((backend) => {
  const weight = backend.weight(2048, 512, 'f32');
  backend.fill(weight, 0, new Uint8Array(2048 * 512 * 4), 'f32');
  const [x, out] = [backend.tensor(), backend.tensor()];
  backend.write(x, 1, 512, new Float32Array(512));
  backend.linear(out, x, weight, null);
  console.log('computed', out.cols);
});
`;

test('a process that used four threads ends by itself', () => {
  const args = ['-r', 'ts-node/register/transpile-only', '-e', PROGRAM];
  const { stdout, status } = spawnSync(process.execPath, args, { cwd: root, encoding: 'utf8', timeout: 60_000 });
  expect(stdout).toContain('computed 2048');
  expect(status).toBe(0);
});
