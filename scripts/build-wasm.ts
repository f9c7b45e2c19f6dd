/**
 * Compiles `kernels/wasm/assembly` with AssemblyScript, three modules for each feature level (for vectors of 128 bits, for
 * runtimes that join pairs of them to 256 bits, and a small one for pages), and writes each as base64 into a TypeScript module under `kernels/wasm/generated`. So bundlers and workers need no file besides the code.
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

const RELAXED = 'simd,threads,relaxed-simd';

const MODULES = [
  { name: 'simd', features: 'simd,threads', wide: 0, small: 0 },
  { name: 'relaxed', features: RELAXED, wide: 0, small: 0 },
  { name: 'simdWide', features: 'simd,threads', wide: 1, small: 0 },
  { name: 'relaxedWide', features: RELAXED, wide: 1, small: 0 },
  { name: 'simdSmall', features: 'simd,threads', wide: 0, small: 1 },
  { name: 'relaxedSmall', features: RELAXED, wide: 0, small: 1 },
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
  return hash.update(JSON.stringify([MODULES, OPTIONS, version])).digest('hex');
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

function build({ name, features, wide, small }: (typeof MODULES)[number]): void {
  const file = join(tmpdir(), `tandem-${name}-${process.pid}.wasm`);
  const compiler = join(compilerFolder(), 'bin/asc.js');
  const settings = ['--enable', features, '--use', `TANDEM_WIDE=${wide}`, '--use', `TANDEM_SMALL=${small}`, ...OPTIONS];
  execFileSync(process.execPath, [compiler, `${ASSEMBLY}/index.ts`, '-o', file, ...settings], {
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
  for (const module of MODULES) build(module);
}
