/**
 * Measures the encoder on long sources: `npm run bench -- encoder [--shape small | --model DIR] [--lengths 512,8192] [--dtype f32] [--threads 2]
 * [--cancel-after 0] [--decode]`. It prints the speed, the share of the arithmetic that a loop without memory reaches, how long the event
 * loop had to wait at most, and the most resident bytes of the process. With `--cancel-after MS` each call is cancelled, and the bench says
 * when that was heard. With `--decode` it also encodes for a decoder, and runs one step of 8 rows. The bundled target is grown to the shape.
 */
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { type FileDtype, loadModel, type T5Model } from '../../engine';
import { createBackend } from '../../kernels';
import { openCheckpoint, type T5Config } from '../../weights';
import { limitsOf } from '../harness/limits';
import { machineLines } from '../headline/machine';
import { directoryOf } from '../headline/models';

const FOLDER = join(__dirname, '..', '..', 'build', 'grown');

interface Run {
  readonly model: T5Model;
  readonly length: number;
  readonly cancelAfter: number;
  readonly decode: boolean;
}

/** Runs the bench; returns the number of lengths that it measured. */
export async function encoderBench(argv: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      shape: { type: 'string', default: 'small' },
      model: { type: 'string' },
      lengths: { type: 'string', default: '512,8192' },
      dtype: { type: 'string', default: 'f32' },
      threads: { type: 'string', default: '2' },
      'cancel-after': { type: 'string', default: '0' },
      decode: { type: 'boolean', default: false },
    },
  });
  const dtype = values.dtype as FileDtype;
  const { shape } = values;
  const directory = values.model ?? (await directoryOf({ source: 'modernize-target', shape, dtype }, FOLDER));
  const backend = await createBackend('wasm', { threads: Number(values.threads), wide: 'auto' });
  const limits = await limitsOf(backend, true);
  const peak = (dtype === 'q8' || dtype === 'q4' ? limits.peakInt8GOps : undefined) ?? limits.peakGFlops;
  const checkpoint = await openCheckpoint(directory);
  const model = await loadModel(checkpoint, backend, { dtype });
  await checkpoint.dispose();
  for (const line of machineLines(backend)) console.log(line);
  console.log(`model      ${values.model ?? shape}, ${dtype}`);
  console.log(
    `most arithmetic ${peak.toFixed(0)} GOP/s; ${megabytes(process.memoryUsage().rss)} resident with the weights`,
  );
  const lengths = values.lengths.split(',').map(Number);
  for (const length of lengths) {
    await report({ model, length, cancelAfter: Number(values['cancel-after']), decode: values.decode }, peak);
  }
  model.dispose();
  await backend.dispose();
  return lengths.length;
}

async function report({ model, length, cancelAfter, decode }: Run, peak: number): Promise<void> {
  const { vocabularySize, config } = model;
  const ids = Array.from({ length }, (_, i) => 2 + ((i * 2654435761) % (vocabularySize - 2)));
  const gaps = new Gaps();
  const controller = new AbortController();
  let cancelled = 0;
  const timer = setTimeout(() => {
    cancelled = performance.now();
    controller.abort();
  }, cancelAfter);
  if (cancelAfter === 0) clearTimeout(timer);
  const started = performance.now();
  try {
    await model.encoderStates([ids], { signal: controller.signal });
    if (decode) await decodeStep(model, ids, controller.signal);
  } catch (error) {
    if (cancelled === 0) throw error;
  }
  const ended = performance.now();
  clearTimeout(timer);
  const gap = gaps.stop();
  const waits = `event loop waited at most ${gap.toFixed(0)} ms; most resident ${megabytes(process.resourceUsage().maxRSS * 1024)}`;
  if (cancelled > 0) {
    console.log(
      `${length} ids: cancelled after ${cancelAfter} ms, heard after ${(ended - cancelled).toFixed(0)} ms; ${waits}`,
    );
    return;
  }
  const seconds = (ended - started) / 1000;
  const speed = decode ? '' : `, ${share(config, length, seconds, peak)}`;
  console.log(`${length} ids: ${seconds.toFixed(2)} s${speed}; ${waits}`);
}

async function decodeStep(model: T5Model, ids: readonly number[], signal: AbortSignal): Promise<void> {
  const [encoded] = await model.encode([ids], { signal });
  const stream = encoded.open();
  const rows = Array.from({ length: 8 }, (_, i) => ({ stream, position: i, token: 5, parent: i - 1 }));
  (await model.forward(rows, { signal })).dispose();
  stream.dispose();
  encoded.dispose();
}

/** Ids a second, and the share of the arithmetic: two operations a multiply-add. */
function share(
  { encoderLayers, dModel, inner, dFf, feedForward }: T5Config,
  length: number,
  seconds: number,
  peak: number,
): string {
  const row = 4 * dModel * inner + (feedForward.gated ? 3 : 2) * dModel * dFf + 2 * length * inner;
  const speed = (2 * row * encoderLayers * length) / seconds / 1e9;
  return `${(length / seconds).toFixed(0)} ids/s, ${speed.toFixed(0)} GOP/s (${((100 * speed) / peak).toFixed(0)} %)`;
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(0)} MB`;
}

/** The longest time between two turns of the event loop. */
class Gaps {
  private last = performance.now();
  private longest = 0;
  private going = true;

  constructor() {
    const turn = () => {
      const now = performance.now();
      this.longest = Math.max(this.longest, now - this.last);
      this.last = now;
      if (this.going) setImmediate(turn);
    };
    setImmediate(turn);
  }

  stop(): number {
    this.going = false;
    return Math.max(this.longest, performance.now() - this.last);
  }
}
