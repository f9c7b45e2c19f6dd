import type { BatchProgress, GenerateOptions, StreamedToken, Tandem } from '../api';
import { expectAll } from './decode';
import { oneLine } from './failure';
import { type Input, sourceOf } from './inputs';
import type { Printer } from './printer';

interface Job {
  readonly options: GenerateOptions;
  readonly printer: Printer;
  /** Inputs decoded at once. */
  readonly concurrency: number;
}

type End = Exclude<BatchProgress, { kind: 'token' }>;

/** Decodes inputs together and prints them in their order: the one whose turn it is as it comes, later ones when it is theirs. */
export async function decodeBatch(tandem: Tandem, inputs: readonly Input[], job: Job): Promise<void> {
  const { trace: _trace, stream: _stream, ...options } = job.options;
  const { printer, concurrency } = job;
  const started = performance.now();
  const held = inputs.map(() => [] as StreamedToken[]);
  const ends = new Map<number, End>();
  let turn = 0;
  let begun = false;
  let failures = 0;
  const show = () => {
    while (turn < inputs.length) {
      if (!begun) printer.begin(inputs[turn]);
      begun = true;
      for (const token of held[turn].splice(0)) printer.token(token);
      const end = ends.get(turn);
      if (!end) return;
      if (end.kind === 'done') printer.end(end.result, null);
      else {
        printer.broken();
        failures++;
        process.stderr.write(`tandem: line ${turn + 1}: ${oneLine(end.error)}\n`);
      }
      turn++;
      begun = false;
    }
  };
  for await (const event of tandem.generateBatch(inputs.map(sourceOf), { ...options, concurrency })) {
    if (event.kind === 'token') held[event.index].push(event.token);
    else ends.set(event.index, event);
    if (event.index === turn) show();
  }
  printer.close((performance.now() - started) / 1000);
  expectAll(inputs.length, failures);
}
