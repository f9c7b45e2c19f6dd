import { createInterface } from 'node:readline';
import { generateBatch, type SequenceRequest } from '../../../decoding';
import { type Encoded, loadModel, type T5Model } from '../../../engine';
import { type Backend, type BackendName, createBackend, type Dtype } from '../../../kernels';
import { openCheckpoint } from '../../../weights';
import { threadsFor } from '../../harness/threads';

interface Request {
  readonly do: 'load' | 'run' | 'runMany';
  readonly shape: string;
  readonly type: Dtype;
  readonly threads: number;
  readonly folder: string;
  readonly backend: BackendName;
  /** `no type` where the file is loaded as a user does who names none. */
  readonly names?: string;
  readonly source: readonly number[];
  readonly sources: readonly (readonly number[])[];
  readonly tokens: number;
}

let model: T5Model;

async function load({ shape, type, threads, folder, backend: name, names }: Request): Promise<object> {
  const backend: Backend = await createBackend(name, { threads: threadsFor(name, threads), wide: 'auto' });
  const { facts } = backend;
  if (!facts.weightTypes.includes(type)) throw new Error(`backend ${name} has no weights of type ${type}`);
  const checkpoint = await openCheckpoint(`${folder}/checkpoints/${shape}-${type === 'bf16' ? 'bf16' : 'f32'}`);
  model = await loadModel(checkpoint, backend, { dtype: names === 'no type' ? undefined : type });
  await checkpoint.dispose();
  const wide = facts.wide?.on ? ' wide' : '';
  return { version: `tandem ${name} ${facts.level}${wide}, ${facts.threads} threads`, many: true };
}

/** One whole call: encodes the source, then decodes one row per step. */
async function run({ source, tokens }: Request): Promise<object> {
  const [encoded] = await model.encode([source]);
  const ids = await decode(encoded, tokens);
  encoded.dispose();
  return { ids };
}

async function decode(encoded: Encoded, tokens: number): Promise<number[]> {
  const stream = encoded.open();
  const ids: number[] = [];
  let token = model.startToken;
  for (let position = 0; position < tokens; position++) {
    const logits = await model.forward([{ stream, position, token, parent: -1 }]);
    [token] = await logits.argMax();
    logits.dispose();
    ids.push(token);
  }
  stream.dispose();
  return ids;
}

/** Decodes all sources together, through the batch that `concurrency` asks for. */
async function runMany({ sources, tokens }: Request): Promise<object> {
  const requests = sources.map((source): SequenceRequest => ({ source, settings: { gamma: 0, maxNewTokens: tokens } }));
  const sequences: (readonly number[])[] = [];
  for await (const event of generateBatch({ target: model, drafter: null }, requests, {
    concurrency: sources.length,
  })) {
    if (event.kind === 'failed') throw event.error;
    if (event.kind === 'done') sequences[event.index] = event.result.ids;
  }
  return { sequences };
}

const ANSWERS = { load, run, runMany };

async function main(): Promise<void> {
  for await (const line of createInterface({ input: process.stdin })) {
    const request: Request = JSON.parse(line);
    let answer: object;
    try {
      answer = { ok: true, ...(await ANSWERS[request.do](request)) };
    } catch (error) {
      answer = { ok: false, error: error instanceof Error ? error.message : String(error) };
    }
    process.stdout.write(`${JSON.stringify(answer)}\n`);
  }
  process.exit(0);
}

void main();
