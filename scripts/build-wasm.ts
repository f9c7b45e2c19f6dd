/**
 * Compiles `kernels/wasm/assembly` with AssemblyScript, one module per feature level, and writes each as base64 into a
 * TypeScript module under `kernels/wasm/generated`. So bundlers and workers need no file beside the code.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

const root = join(__dirname, '..');
const target = join(root, 'kernels/wasm/generated');

const LEVELS = [
  { name: 'simd', features: 'simd,threads' },
  { name: 'relaxed', features: 'simd,threads,relaxed-simd' },
];

const OPTIONS = [
  ...['--importMemory', '--noExportMemory', '--sharedMemory', '--initialMemory', '1', '--maximumMemory', '65536'],
  ...['--runtime', 'stub', '--noAssert', '-O3', '--memoryBase', '16384', '--use', 'abort='],
];

/** The path of the compiler, asc.js. The package's `exports` do not name it, so this looks in each node_modules folder. */
function compiler(): string {
  const entry = createRequire(__filename).resolve.paths('assemblyscript') ?? [];
  for (const folder of entry) {
    const file = join(folder, 'assemblyscript/bin/asc.js');
    try {
      readFileSync(file);
      return file;
    } catch {}
  }
  throw new Error('build-wasm: expected the package assemblyscript to be installed, found it nowhere');
}

/** Offset of the limits byte of the memory import: 3 for a shared memory, 1 for one that is not shared. */
function memoryFlagOffset(bytes: Uint8Array): number {
  const name = Buffer.from('\x03env\x06memory\x02', 'latin1');
  const at = Buffer.from(bytes).indexOf(name);
  if (at < 0 || bytes[at + name.length] !== 3) {
    throw new Error('build-wasm: expected an import env.memory, shared with a maximum, found none');
  }
  return at + name.length;
}

function build(name: string, features: string): void {
  const file = join(tmpdir(), `tandem-${name}-${process.pid}.wasm`);
  const entry = join(root, 'kernels/wasm/assembly/index.ts');
  execFileSync(process.execPath, [compiler(), entry, '-o', file, '--enable', features, ...OPTIONS], {
    cwd: root,
    stdio: 'inherit',
  });
  const bytes = readFileSync(file);
  rmSync(file);
  const lines = [
    '// Built by scripts/build-wasm.ts; do not edit.',
    `export const memoryFlag = ${memoryFlagOffset(bytes)};`,
    `export const base64 =`,
    `  '${bytes.toString('base64')}';`,
  ];
  writeFileSync(join(target, `${name}.ts`), `${lines.join('\n')}\n`);
  console.log(`${join(dirname(entry), '')} → generated/${name}.ts, ${bytes.length} bytes`);
}

mkdirSync(target, { recursive: true });
for (const { name, features } of LEVELS) build(name, features);
