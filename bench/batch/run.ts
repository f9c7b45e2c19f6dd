/**
 * Measures what `tandem batch` keeps in memory: `npm run bench -- batch [--lines 1000000] [--processes 1,2] [--threads 1]
 * [--model DIR] [--draft NAMES]`.
 *
 * - Lines through the command's own reading, window and file, with a model that answers at once: the memory of the process after
 *   each tenth of them.
 * - Several processes at the same time, from dist/ (`npm run build` first), on Linux: what each keeps resident while it decodes,
 *   and its share (Pss), in which a page that n processes share counts as one n-th.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createReadStream, createWriteStream, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { parseArgs } from 'node:util';
import type { Result } from '../../api';
import { outputFile } from '../../cli/batch/output';
import { runBatch } from '../../cli/batch/run';
import { linesOf } from '../../cli/files';

const ROOT = join(__dirname, '..', '..');
const MEGABYTE = 1e6;

/** Runs the bench; returns the number of cases that it measured. */
export async function batchBench(argv: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      lines: { type: 'string', default: '1000000' },
      processes: { type: 'string', default: '1,2' },
      threads: { type: 'string', default: '1' },
      model: { type: 'string', default: join(ROOT, 'models', 'modernize-target') },
      draft: { type: 'string', default: 'none' },
    },
  });
  const folder = mkdtempSync(join(tmpdir(), 'tandem-bench-'));
  try {
    await manyLines(folder, Number(values.lines));
    const flags = ['--model', values.model, '--draft', values.draft, '--threads', values.threads];
    const counts = values.processes.split(',').map(Number);
    for (const count of counts) await manyProcesses(count, flags);
    return 1 + counts.length;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function manyLines(folder: string, count: number): Promise<void> {
  const [input, out] = [join(folder, 'in.jsonl'), join(folder, 'out.jsonl')];
  const lines = function* () {
    for (let i = 0; i < count; i++) yield `{"id":${i},"input":"Jesus wept."}\n`;
  };
  await pipeline(Readable.from(lines()), createWriteStream(input));
  const output = await outputFile(out);
  const sequence = { text: 'Jesus wept.', ids: [134, 1256, 7, 1], stopReason: 'eos' as const };
  const result = { ...sequence, sequences: [sequence] } as unknown as Result;
  const limits = { where: input, longest: 1 << 20, most: Number.MAX_SAFE_INTEGER, lines: Number.MAX_SAFE_INTEGER };
  const started = performance.now();
  let done = 0;
  console.log('lines      resident MB  heap MB');
  const recorded = () => {
    if (++done % Math.ceil(count / 10) !== 0) return;
    globalThis.gc?.(); // with node --expose-gc: what is in use, without what waits for the collector
    const { rss, heapUsed } = process.memoryUsage();
    console.log(`${String(done).padEnd(9)}  ${mb(rss)}  ${mb(heapUsed).slice(4)}`);
  };
  await runBatch(
    { generate: async () => result },
    {
      ...{ lines: () => linesOf(createReadStream(input), limits), output, options: {}, settings: '' },
      ...{ shard: { part: 1, of: 1 }, window: 32, watcher: { passed: () => undefined, recorded } },
      signal: new AbortController().signal,
    },
  );
  output.close();
  console.log(`${done} lines, ${Math.round(done / ((performance.now() - started) / 1000))} a second without a model\n`);
}

async function manyProcesses(count: number, flags: readonly string[]): Promise<void> {
  const children = Array.from({ length: count }, () => decodingProcess(flags));
  await Promise.all(children.map((child) => once(child.stdout!, 'data'))); // each has decoded a line
  const all = children.map(({ pid }) => memoryOf(pid as number));
  const list = (key: string) => all.map((memory) => mb(memory.get(key) ?? Number.NaN).trim()).join(', ');
  console.log(`${count} at once: resident ${list('Rss')} MB; share ${list('Pss')} MB`);
  for (const child of children) {
    const closed = once(child, 'close');
    child.kill('SIGKILL');
    await closed;
  }
}

/** A process that has loaded its models, and decodes a line and waits for more. */
function decodingProcess(flags: readonly string[]): ChildProcess {
  const child = spawn(process.execPath, [join(ROOT, 'bin', 'tandem.js'), 'batch', '--quiet', ...flags], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  child.stdin!.write('"Jesus wept."\n');
  return child;
}

/** Bytes of a process by the names of Linux. */
function memoryOf(pid: number): ReadonlyMap<string, number> {
  const rows = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8').matchAll(/^(\w+):\s+(\d+) kB$/gm);
  return new Map([...rows].map(([, name, kilobytes]) => [name, Number(kilobytes) * 1024]));
}

function mb(bytes: number): string {
  return (bytes / MEGABYTE).toFixed(0).padStart(11);
}
