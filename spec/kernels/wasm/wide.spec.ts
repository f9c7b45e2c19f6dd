import { execFile, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { createBackend, createWasmBackend } from '../../../kernels';
import { WIDE_FLAG, wideMissing } from '../../../kernels/wasm/wide/flag.node';
import { probe, probeInput, verdict } from '../../../kernels/wasm/wide/verdict.node';
import { describeOrSkip } from './support';

const root = join(__dirname, '../../..');
const missing = wideMissing();

let cache: string;
beforeEach(() => {
  cache = mkdtempSync(join(tmpdir(), 'tandem-wide-'));
});
afterEach(() => rmSync(cache, { recursive: true, force: true }));

/** Runs a program in a process of its own, because wide arithmetic is a switch of the whole process. Gives what it printed. */
function inProcess(program: string, variables: NodeJS.ProcessEnv = {}, flags: readonly string[] = []): unknown {
  const args = [...flags, '-r', 'ts-node/register/transpile-only', '-e', program];
  const env = { ...process.env, XDG_CACHE_HOME: cache, TANDEM_WIDE: undefined, ...variables };
  const { stdout, stderr } = spawnSync(process.execPath, args, { cwd: root, env, encoding: 'utf8', timeout: 60_000 });
  expect(stderr).toBe('');
  return JSON.parse(stdout);
}

/** A program that prints what the facts of backends say, or the error. */
const factsOf = (...options: object[]) => `
const { createWasmBackend } = require('./kernels');
(async () => {
  const found = [];
  for (const options of ${JSON.stringify(options)}) {
    const backend = await createWasmBackend({ threads: 1, ...options }).catch(({ code, message }) => ({ code, message }));
    found.push(backend.facts?.wide ?? backend);
    await backend.dispose?.();
  }
  console.log(JSON.stringify(found));
})();`;

describe('wide arithmetic', () => {
  test('it stays off unless it is asked for, and the facts say so', () => {
    // In a process of its own: another spec of this worker may have run a command, which turns it on for the whole process.
    expect(inProcess(factsOf({}))).toEqual([{ on: false, reason: 'it was not asked for' }]);
  });

  test('TANDEM_WIDE=0 forbids it: auto stays off with that reason, and true is refused', () => {
    const found = inProcess(factsOf({ wide: 'auto' }, { wide: true }), { TANDEM_WIDE: '0' });
    expect(found).toEqual([
      { on: false, reason: 'the environment has TANDEM_WIDE=0' },
      {
        code: 'unavailable',
        message: expect.stringMatching(/^wide: expected a runtime .* the environment has TANDEM_WIDE=0$/),
      },
    ]);
  });

  test('a backend that has no such thing refuses true by name, and takes false and auto', async () => {
    await expect(createBackend('cpu', { wide: true })).rejects.toMatchObject({
      code: 'option-invalid',
      message: expect.stringMatching(/^cpu: wide: expected false or auto/),
    });
    for (const wide of [false, 'auto'] as const) await (await createBackend('cpu', { wide })).dispose();
  });
});

describeOrSkip('where this runtime has none', missing === null ? 'it has it' : null, () => {
  test('auto stays off and true is refused, both with the reason', async () => {
    const backend = await createWasmBackend({ threads: 1, wide: 'auto' });
    expect(backend.facts.wide).toEqual({ on: false, reason: missing });
    await backend.dispose();
    const refused = createWasmBackend({ threads: 1, wide: true });
    await expect(refused).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringContaining(`${missing}`),
    });
  });
});

describeOrSkip('where this runtime has it', missing, () => {
  test('every kernel in every type gives the bits of the narrow form, on both levels; the verdict is read again', async () => {
    const home = join(cache, 'not', 'there');
    expect(await verdict({ XDG_CACHE_HOME: home })).toBeNull();
    const [file] = readdirSync(join(home, 'tandem'));
    const path = join(home, 'tandem', file);
    expect(JSON.parse(readFileSync(path, 'utf8'))).toMatchObject({ found: null, node: process.version });
    const { ino } = statSync(path);
    expect(await verdict({ XDG_CACHE_HOME: home })).toBeNull();
    expect(statSync(path).ino).toBe(ino); // it was not written again
    writeFileSync(path, JSON.stringify({ found: 'a verdict of before' }));
    expect(await verdict({ XDG_CACHE_HOME: home })).toBe('a verdict of before');
    writeFileSync(path, '{"found":');
    expect(await verdict({ XDG_CACHE_HOME: home })).toBeNull();
  });

  test('the probe tells other bits, a module that computes nothing, and a process that ends', async () => {
    const input = JSON.parse(probeInput());
    const [simd, relaxed] = input.modules;
    const with_ = (changed: object) => JSON.stringify({ ...input, modules: [{ ...relaxed, ...changed }] });
    // The products of the other level round twice.
    expect((await probe(with_({ narrow: simd.narrow }))).answer).toMatch(/^relaxed-simd: .* differs$/);
    const idle = relaxed.jobs.map((job: object) => ({ ...job, chunks: 0 }));
    expect((await probe(with_({ jobs: idle }))).answer).toMatch(/^relaxed-simd: .* computes nothing$/);
    expect(await probe(with_({ wide: '' }))).toEqual({ answer: 'its probe did not run: exit code 1', isFinal: true });
  });

  test('true and auto turn it on for the process; the flag of Node itself is seen', () => {
    const on = { on: true, reason: 'its probe gave the bits of 128-bit arithmetic' };
    expect(inProcess(factsOf({ wide: false }, { wide: true }, { wide: 'auto' }, { wide: false }))).toEqual([
      { on: false, reason: 'it was not asked for' },
      ...[on, on, on],
    ]);
    expect(inProcess(factsOf({}), {}, [`--${WIDE_FLAG}`])).toEqual([
      { on: true, reason: `V8 runs with --${WIDE_FLAG}` },
    ]);
  });

  test('the laws of the kernels and the goldens of the bundled target hold with it, in optimised code', async () => {
    const flags = [`--${WIDE_FLAG}`, '--wasm-sync-tier-up', '--wasm-tiering-budget=1000'];
    const files = ['laws', 'screen'].map((name) => `spec/kernels/wasm/${name}.spec.ts`);
    files.push('spec/goldens/bundled.spec.ts');
    const only = ['-t', '^wasm relaxed-simd, 1 threads|^the certified head|^modernize-target on wasm'];
    const args = [...flags, require.resolve('jest/bin/jest'), '--runInBand', '--json', ...only, ...files];
    const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: root, maxBuffer: 2 ** 26 });
    const { success, numPassedTests, numFailedTests } = JSON.parse(stdout.slice(stdout.indexOf('{')));
    expect({ success, numFailedTests }).toEqual({ success: true, numFailedTests: 0 });
    expect(numPassedTests).toBeGreaterThan(90);
  });
});
