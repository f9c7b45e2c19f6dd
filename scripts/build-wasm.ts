/**
 * Compiles `kernels/wasm/assembly` with AssemblyScript, one module for each feature level, and writes each as base64 into a
 * TypeScript module under `kernels/wasm/generated`. So bundlers and workers need no file besides the code.
 *
 *   npm run build:wasm
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const ROOT = join(__dirname, '..');
const ASSEMBLY = 'kernels/wasm/assembly';
const LAYOUT = 'kernels/wasm/layout.ts';
const TARGET = 'kernels/wasm/generated';

const LEVELS = [
  { name: 'simd', features: 'simd,threads' },
  { name: 'relaxed', features: 'simd,threads,relaxed-simd' },
];

const OPTIONS = [
  ...['--importMemory', '--noExportMemory', '--sharedMemory', '--initialMemory', '1', '--maximumMemory', '65536'],
  ...['--runtime', 'stub', '--noAssert', '-O3', '--memoryBase', '16384', '--use', 'abort='],
];

/** The folder of the package assemblyscript, which exports no path to its compiler. */
function compilerFolder(): string {
  const folders = createRequire(__filename).resolve.paths('assemblyscript') ?? [];
  const found = folders.map((folder) => join(folder, 'assemblyscript')).find((folder) => existsSync(folder));
  if (found === undefined) {
    throw new Error('build-wasm: expected the package assemblyscript to be installed, found it nowhere');
  }
  return found;
}

/**
 * A hash of everything that the compiled modules depend on: the sources, the options and the version of the compiler. It is
 * part of every generated module, so that a module of older sources can be told.
 */
export function sourcesHash(): string {
  const hash = createHash('sha256');
  const names = readdirSync(join(ROOT, ASSEMBLY)).filter((name) => name.endsWith('.ts'));
  for (const path of [...names.sort().map((name) => `${ASSEMBLY}/${name}`), LAYOUT]) {
    hash.update(`${path}\n${readFileSync(join(ROOT, path), 'utf8')}\n`);
  }
  const { version } = JSON.parse(readFileSync(join(compilerFolder(), 'package.json'), 'utf8'));
  return hash.update(JSON.stringify([LEVELS, OPTIONS, version])).digest('hex');
}

/** Offset of the byte in the memory import that says `shared` (3) or not (1). */
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
  const compiler = join(compilerFolder(), 'bin/asc.js');
  execFileSync(process.execPath, [compiler, `${ASSEMBLY}/index.ts`, '-o', file, '--enable', features, ...OPTIONS], {
    cwd: ROOT,
    stdio: 'inherit',
  });
  const bytes = readFileSync(file);
  rmSync(file);
  const lines = [
    '// Built by scripts/build-wasm.ts; do not edit.',
    `export const memoryFlag = ${memoryFlagOffset(bytes)};`,
    `export const sources = '${sourcesHash()}';`,
    `export const base64 =`,
    `  '${bytes.toString('base64')}';`,
  ];
  writeFileSync(join(ROOT, TARGET, `${name}.ts`), `${lines.join('\n')}\n`);
  console.log(`${ASSEMBLY} → ${TARGET}/${name}.ts, ${bytes.length} bytes`);
}

if (require.main === module) {
  mkdirSync(join(ROOT, TARGET), { recursive: true });
  for (const { name, features } of LEVELS) build(name, features);
}
