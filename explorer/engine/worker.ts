/** The worker's program: it holds the models, and answers the page's requests one after the other. */
import { TandemError, Turns } from '../../common';
import { type Counts, prove, sampleTexts } from '../proof/prove';
import type { FromEngine, Progressed, SampleRequest, ToEngine } from '../protocol';
import { attend } from './attend';
import { decode } from './decode';
import { inspect } from './inspect';
import { measureKernels } from './kernels';
import { measure } from './measure';
import { Models } from './models';
import type { LoadWays } from './ways';

/** The worker's global scope; TypeScript's DOM library calls it a window. */
const scope = globalThis as unknown as {
  postMessage(message: FromEngine): void;
  onmessage: (event: MessageEvent<ToEngine>) => void;
};

let models: Models | null = null;
let stamp = 0;
let last: Promise<void> = Promise.resolve();
const running = new Map<number, AbortController>();

type Request = Exclude<ToEngine, { kind: 'cancel' }>;
type Done = Extract<FromEngine, { kind: 'done' }>['value'];

scope.onmessage = ({ data }) => {
  if (data.kind === 'cancel') return running.get(data.id)?.abort();
  const controller = new AbortController();
  running.set(data.id, controller);
  last = last.then(() => answer(data, controller.signal)).finally(() => running.delete(data.id));
};

async function answer(message: Request, signal: AbortSignal): Promise<void> {
  const { id } = message;
  const tell = (event: Progressed) => scope.postMessage({ id, ...event });
  try {
    scope.postMessage({ id, kind: 'done', value: await perform(message, signal, tell) });
  } catch (error) {
    const { message: text } = error as Error;
    scope.postMessage({
      id,
      kind: 'failed',
      code: error instanceof TandemError ? error.code : 'unknown',
      message: text,
    });
  }
}

async function perform(message: Request, signal: AbortSignal, tell: (event: Progressed) => void): Promise<Done> {
  if (message.kind === 'load') return load(message, signal, tell);
  if (message.kind === 'inspect') return inspect(message.model, waysOf(signal, tell));
  if (message.kind === 'prove') return prove(message.request);
  if (message.kind === 'sample') return sample(message.request, signal, tell);
  if (models === null) throw new TandemError('disposed', 'explorer: expected models that are loaded, found none');
  if (message.kind === 'decode') return decode(models, message.request, signal, tell);
  if (message.kind === 'kernels') return measureKernels(models, signal);
  if (message.kind === 'attend') return attend(models, message.request, signal);
  return measure(models, message.request, signal);
}

/** Milliseconds between two words on how loading goes: the page draws itself again at each of them. */
const PROGRESS_MILLISECONDS = 100;

function waysOf(signal: AbortSignal, tell: (event: Progressed) => void): LoadWays {
  let last = 0;
  const onProgress: LoadWays['onProgress'] = (what, loaded, total) => {
    const now = performance.now();
    if (now - last < PROGRESS_MILLISECONDS) return;
    last = now;
    tell({ kind: 'progress', what, loaded, total });
  };
  return { signal, onProgress };
}

async function sample(request: SampleRequest, signal: AbortSignal, tell: (event: Progressed) => void): Promise<Counts> {
  const turns = new Turns();
  return sampleTexts(request, signal, async (counts, drawn) => {
    tell({ kind: 'counts', counts, drawn });
    await turns.give();
  });
}

async function load(
  { request }: Extract<Request, { kind: 'load' }>,
  signal: AbortSignal,
  tell: (event: Progressed) => void,
) {
  const before = models;
  models = null;
  await before?.dispose();
  models = await Models.load(request, waysOf(signal, tell));
  return { ...models.info, stamp: ++stamp };
}
