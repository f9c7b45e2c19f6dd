import { Worker } from 'node:worker_threads';
import { counted } from '../../common';
import { PROBE_CODE } from './probeCode';
import { type Limits, STREAM_BYTES } from './scalarProbe';

/** Int8 products and sums in one DOT. */
const DOT_OPERATIONS = { simd: 16, 'relaxed-simd': 32 };

export type WasmProbeLevel = keyof typeof PROBE_CODE;

/** Each worker holds a memory of its own and runs one probe when told; all are told at once. */
const WORKER = `
const { parentPort, workerData } = require('node:worker_threads');
const { exports } = new WebAssembly.Instance(new WebAssembly.Module(workerData.wasm), {});
exports.memory.grow(workerData.pages);
new Float32Array(exports.memory.buffer).fill(1);
parentPort.on('message', ([probe, amount]) => {
  const from = performance.timeOrigin + performance.now();
  if (Number.isNaN(exports[probe](amount, 0.5))) throw new Error('probe: NaN');
  parentPort.postMessage([from, performance.timeOrigin + performance.now()]);
});
parentPort.postMessage('ready');
`;

/** The limits of 128-bit wasm on this machine: the best round of all threads at work at the same time. */
export async function wasmLimits(rounds: number, threads: number, level: WasmProbeLevel): Promise<Limits> {
  const bytes = Math.floor(STREAM_BYTES / threads / 256) * 256;
  const wasm = Uint8Array.from(Buffer.from(PROBE_CODE[level], 'base64'));
  const workerData = { wasm, pages: Math.ceil(bytes / 65536) };
  const workers = Array.from({ length: threads }, () => new Worker(WORKER, { eval: true, workerData }));
  try {
    await Promise.all(workers.map((worker) => answer(worker)));
    const steps = 8e6;
    let stream = 0;
    let peak = 0;
    let dot = 0;
    for (let round = 0; round < rounds + 1; round++) {
      for (const probe of ['stream', 'streams']) {
        stream = Math.max(stream, (bytes * threads) / (await together(workers, [probe, bytes])));
      }
      peak = Math.max(peak, (64 * steps * threads) / (await together(workers, ['peak', steps])));
      const products = 8 * DOT_OPERATIONS[level] * steps * threads;
      dot = Math.max(dot, products / (await together(workers, ['dot', steps])));
    }
    const by = `wasm ${level}, ${counted(threads, 'thread')}`;
    return { by, streamGBs: stream / 1e9, peakGFlops: peak / 1e9, peakInt8GOps: dot / 1e9 };
  } finally {
    await Promise.all(workers.map((worker) => worker.terminate()));
  }
}

function answer(worker: Worker): Promise<unknown> {
  return new Promise((resolve, reject) => {
    worker.once('error', reject);
    worker.once('message', (message) => {
      worker.off('error', reject);
      resolve(message);
    });
  });
}

/** Seconds from the first start to the last end. */
async function together(workers: readonly Worker[], message: readonly [string, number]): Promise<number> {
  const answers = workers.map((worker) => answer(worker) as Promise<[number, number]>);
  for (const worker of workers) worker.postMessage(message);
  const spans = await Promise.all(answers);
  return (Math.max(...spans.map(([, to]) => to)) - Math.min(...spans.map(([from]) => from))) / 1000;
}
