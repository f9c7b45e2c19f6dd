import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { GenerateOptions, Input, Result } from '../../../api';
import { type Output, outputFile } from '../../../cli/batch/output';
import { type BatchWork, type Decoder, runBatch } from '../../../cli/batch/run';
import { type Line, linesOf } from '../../../cli/files';
import { TandemError } from '../../../common';

/** A folder that goes away with the specs of one file. */
export function scratch(): string {
  const folder = mkdtempSync(join(tmpdir(), 'tandem-batch-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Decodes in no time: the text is the input and the name of the sequence. Inputs that begin with `bad` fail. */
export class StubDecoder implements Decoder {
  /** Inputs that are being decoded now, and the most that ever were. */
  now = 0;
  most = 0;
  readonly asked: { readonly input: Input; readonly options: GenerateOptions }[] = [];

  /** @param wait called before each answer */
  constructor(private readonly wait: (input: Input) => Promise<void> | void = () => undefined) {}

  async generate(input: Input, options: GenerateOptions): Promise<Result> {
    this.asked.push({ input, options });
    this.most = Math.max(this.most, ++this.now);
    try {
      await this.wait(input);
      if (options.signal?.aborted) throw new TandemError('aborted', 'generation: cancelled');
      if (String(input).startsWith('bad')) throw new TandemError('source-invalid', `${input} is bad`);
      const text = `${input} by ${options.sequence}`;
      const sequence = { text, ids: [text.length, 1], stopReason: 'eos' as const };
      return { ...sequence, sequences: [sequence], metrics: null as never };
    } finally {
      this.now--;
    }
  }
}

const WATCHER = { passed: () => undefined, recorded: () => undefined };

function linesIn(text: string | Uint8Array): () => AsyncIterable<Line> {
  const limits = { where: 'spec', longest: 1000, most: 1e9, lines: 1e9, keepsOn: true };
  return () => linesOf(chunksOf(text), limits);
}

async function* chunksOf(text: string | Uint8Array) {
  yield typeof text === 'string' ? Buffer.from(text) : text;
}

type Changes = Partial<Omit<BatchWork, 'output'>> & { readonly decoder?: Decoder; readonly output?: Output };

/** Runs a batch of the lines of `text` into a file. */
export async function runInto(path: string, text: string | Uint8Array, changes: Changes = {}): Promise<void> {
  const { decoder = new StubDecoder(), output = await outputFile(path), ...rest } = changes;
  try {
    await runBatch(decoder, {
      ...{ lines: linesIn(text), output, options: {}, settings: '{}', shard: { part: 1, of: 1 } },
      ...{ window: 4, watcher: WATCHER, signal: new AbortController().signal, ...rest },
    });
  } finally {
    output.close();
  }
}

/** What a whole run of the lines writes. */
export async function wholeOf(path: string, text: string | Uint8Array, changes: Changes = {}): Promise<string> {
  rmSync(path, { force: true });
  await runInto(path, text, changes);
  return readFileSync(path, 'utf8');
}

export const put = (path: string, text: string | Uint8Array) => writeFileSync(path, text);
export const get = (path: string) => readFileSync(path, 'utf8');

// biome-ignore lint/suspicious/noExplicitAny: the records are what the specs look into
export const recordsIn = (text: string): any[] =>
  text
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line));
