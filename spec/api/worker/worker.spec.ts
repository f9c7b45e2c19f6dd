import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { StreamEvent, Tandem } from '../../../index';
import { bundleWithWorker } from './bundle';

const MODELS = join(__dirname, '..', '..', '..', 'models');
const INPUTS = ['Verily he cometh quickly.', 'Thou art my rock and my fortress.'];

describe('an engine in a worker', () => {
  const bundle = bundleWithWorker();
  const { Tandem: Loader, TandemError, EngineError, DecodingError, TraceRecorder } = bundle.root;
  let here: Tandem;
  let away: Tandem;
  beforeAll(async () => {
    here = await Loader.load(undefined, { threads: 1 });
    away = await Loader.load(undefined, { threads: 1, worker: true });
  });
  afterAll(async () => {
    await here?.dispose();
    await away?.dispose();
    bundle.dispose();
  });

  const timeless = (event: StreamEvent) =>
    event.kind === 'done' ? { ...event, result: { ...event.result, metrics: null, beams: null } } : event;

  async function eventsOf(tandem: Tandem, options: object): Promise<unknown[]> {
    const events: unknown[] = [];
    for await (const event of tandem.stream(INPUTS, options)) events.push(timeless(event));
    return events;
  }

  it.each([
    ['greedy', { gamma: 4 }],
    ['sampled', { temperature: 1, gamma: 4, seed: 3, topP: 0.9, maxNewTokens: 12 }],
    ['samples', { temperature: 1, gamma: 4, numReturnSequences: 2, maxNewTokens: 8 }],
    ['beams', { numBeams: 2, maxNewTokens: 8 }],
    ['stop strings', { stop: ['my'], gamma: 4 }],
  ])('%s: the same events, in the same order', async (_, options) => {
    const events = await eventsOf(away, options);
    expect(events).toEqual(await eventsOf(here, options));
    expect(events.length).toBeGreaterThan(2 * INPUTS.length);
  });

  it('samples by default: the same texts, though γ adapts there and here', async () => {
    const texts = async (tandem: Tandem) =>
      (await tandem.generate(INPUTS, { temperature: 1, seed: 3 })).map((result) => (result.error ? null : result.text));
    for (let call = 0; call < 2; call++) expect(await texts(away)).toEqual(await texts(here));
    expect(await texts(away)).not.toContain(null);
  });

  it('says what was loaded, as data, and has no parts to give', () => {
    expect(away.target).toEqual(here.target);
    expect(away.draft).toEqual(here.draft);
    expect([away.drafter, away.prefix, away.hasTokenizer]).toEqual([here.drafter, here.prefix, here.hasTokenizer]);
    expect(away.backend).toEqual({ ...here.backend, worker: true });
    expect([here.core === null, away.core]).toEqual([false, null]);
  });

  it('starts from what the checkpoint states, or from nothing, as on this thread', async () => {
    const stated = { decoder_start_token_id: 3, eos_token_id: 1, max_length: 6, suppress_tokens: [5] };
    const folder = join(__dirname, '..', '..', 'data', 'goldens', 'stated', 'model');
    const model = new Map<string, Uint8Array>([
      ['config.json', readFileSync(join(folder, 'config.json'))],
      ['model.safetensors', readFileSync(join(folder, 'model.safetensors'))],
      ['generation_config.json', new TextEncoder().encode(JSON.stringify(stated))],
    ]);
    for (const generationConfig of [true, false]) {
      await using inWorker = await Loader.load(model, { worker: true, threads: 1, generationConfig });
      await using onThread = await Loader.load(model, { threads: 1, generationConfig });
      expect([inWorker.drafter, onThread.drafter]).toEqual(
        Array(2).fill(expect.stringMatching(/ in q8, drafted by copy$/)),
      ); // float32
      expect(inWorker.resolveOptions()).toEqual(generationConfig ? { maxNewTokens: 5, suppressTokens: [5] } : {});
      const ids = (tandem: Tandem) => tandem.generate([7, 9, 1]).then((result) => result.ids);
      expect(await ids(inWorker)).toEqual(await ids(onThread));
    }
  });

  it('encodes, decodes, compares, measures, scores and embeds', async () => {
    const ids = await away.encode(INPUTS[0]);
    expect(ids).toEqual(await here.encode(INPUTS[0]));
    expect(await away.decode(ids)).toBe(await here.decode(ids));
    expect((await away.compare(INPUTS[0], { maxNewTokens: 4 })).equal).toBe(true);
    expect((await away.measureCosts(INPUTS[0], { rows: 2, repeats: 1 })).v).toHaveLength(2);
    expect(await away.embed(INPUTS)).toEqual(await here.embed(INPUTS));
    const states = await away.embed(INPUTS[0], { pooling: 'none' });
    expect(Object.prototype.toString.call(states)).toBe('[object Float32Array]');
    const targets = ['He is coming.', 'You are.'];
    expect(await away.score(INPUTS[0], targets, { logProbs: 2 })).toEqual(
      await here.score(INPUTS[0], targets, { logProbs: 2 }),
    );
  });

  it('errors keep class, code and message, of one input and of one of many', async () => {
    const wrong = [5, 99999, 1];
    const expected = await here.generate(wrong).catch((error) => error);
    const found = await away.generate(wrong).catch((error) => error);
    expect(found).toBeInstanceOf(EngineError);
    expect(found).toMatchObject({ code: expected.code, message: expected.message, name: 'EngineError' });
    const [result] = await away.generate([wrong]);
    expect(result.error).toBeInstanceOf(EngineError);
    const all = { suppressTokens: Array.from({ length: here.target.vocabularySize }, (_, id) => id) };
    const none = await away.generate(INPUTS[0], all).catch((error) => error);
    expect(none).toBeInstanceOf(DecodingError);
    expect(none).toBeInstanceOf(TandemError);
    expect(none.code).toBe('no-token-left');
  });

  it('progress comes by messages, and ends at the whole', async () => {
    const progress: { role: string; loaded: number; total: number }[] = [];
    const loaded = await Loader.load(undefined, { worker: true, threads: 1, onProgress: (one) => progress.push(one) });
    await loaded.dispose();
    for (const role of ['target', 'draft']) {
      const last = progress.filter((one) => one.role === role).at(-1);
      expect(last?.loaded).toBe(last?.total);
      expect(last?.total).toBeGreaterThan(0);
    }
  });

  it('takes files by name, a directory and an address of either', async () => {
    const names = ['config.json', 'model.safetensors', 'tokenizer.json'];
    const folder = join(MODELS, 'modernize-draft');
    const bytes = Object.fromEntries(names.map((name) => [name, new Uint8Array(readFileSync(join(folder, name)))]));
    const texts: string[] = [];
    for (const model of [folder, bytes, new URL(`file://${folder}`)]) {
      const one = await Loader.load(model, { worker: true, threads: 1, draft: 'copy', prefix: here.prefix });
      texts.push((await one.generate(INPUTS[0], { maxNewTokens: 8 })).text);
      await one.dispose();
    }
    expect(new Set(texts).size).toBe(1);
    expect(texts[0]).not.toBe('');
  });

  describe('the thread of the caller', () => {
    const long = () => here.encode('And he said unto them, Whither goest thou? '.repeat(60));

    /** Turns of the event loop from now until the promise is settled. */
    async function turnsDuring(work: Promise<unknown>): Promise<number> {
      let turns = 0;
      let going = true;
      const turn = () => {
        turns++;
        if (going) setTimeout(turn, 1);
      };
      setTimeout(turn, 1);
      await work.finally(() => {
        going = false;
      });
      return turns;
    }

    it('turns its event loop while a long source is encoded: freely, and without a worker between two steps', async () => {
      const source = await long();
      const options = { maxNewTokens: 1 };
      const blocked = await turnsDuring(here.stream(source, options).next());
      const free = await turnsDuring(away.stream(source, options).next());
      expect(blocked).toBeGreaterThan(1);
      expect(free).toBeGreaterThan(2 * blocked);
    });

    it('hears a cancel before the step of the worker that is under way has ended', async () => {
      const source = await long();
      const controller = new AbortController();
      const order: string[] = [];
      const cancelled = away.generate(source, { maxNewTokens: 1, signal: controller.signal }).catch((error) => {
        order.push(error.code);
      });
      await away.encode(INPUTS[0]); // answered after the call has begun: what is asked now waits until the source is encoded
      const next = away.encode(INPUTS[0]).then(() => order.push('the worker answers again'));
      controller.abort();
      await Promise.all([cancelled, next]);
      expect(order[0]).toBe('aborted');
      expect((await away.generate(INPUTS[0])).text).toBe((await here.generate(INPUTS[0])).text);
    });
  });

  it('dispose ends what is under way; afterwards every call is refused', async () => {
    const one = await Loader.load(undefined, { worker: true, threads: 1 });
    const stream = one.stream(INPUTS[0]);
    await stream.next();
    const waiting = one.compare(INPUTS[0]).catch((error) => error.code);
    await one.dispose();
    await expect(stream.next()).rejects.toMatchObject({ code: 'disposed' });
    expect(await waiting).toBe('disposed');
    await expect(one.generate(INPUTS[0])).rejects.toMatchObject({ code: 'disposed' });
  });

  it('a stream that is left early ends its call in the worker, and the next one has the same events', async () => {
    const options = { gamma: 4 };
    const before = await eventsOf(away, options);
    for (let i = 0; i < 3; i++) for await (const _ of away.stream(INPUTS, options)) break;
    expect(await eventsOf(away, options)).toEqual(before);
  });

  it('a cancelled load leaves no worker', async () => {
    const controller = new AbortController();
    const loading = Loader.load(undefined, {
      worker: true,
      signal: controller.signal,
      onProgress: () => controller.abort(),
    });
    await expect(loading).rejects.toMatchObject({ code: 'aborted' });
  });

  it.each([
    ['processors', { processors: [() => undefined] }],
    ['prefixAllowedTokens', { prefixAllowedTokens: () => [1] }],
    ['trace', { trace: new TraceRecorder() }],
    ['onEncoding', { onEncoding: () => undefined }],
  ])('%s, which have functions, are refused by name', async (name, options) => {
    const refused = { code: 'option-invalid', message: expect.stringMatching(new RegExp(`^${name}: .*worker`)) };
    await expect(away.generate(INPUTS[0], options)).rejects.toMatchObject(refused);
  });

  it('a Drafter, a FileSet and an open Checkpoint are refused by name', async () => {
    const worker = { worker: true } as const;
    const drafter = here.core?.drafter ?? null;
    expect(drafter).not.toBeNull();
    const set = { name: 'set', files: [], open: async () => Promise.reject(new Error('never')) };
    const checkpoint = { read: () => undefined, tensors: new Map(), config: {} };
    const load = (model: unknown, draft: unknown) => Loader.load(model as never, { ...worker, draft: draft as never });
    await expect(load(undefined, drafter)).rejects.toMatchObject({
      code: 'option-invalid',
      message: /^draft: .*Drafter/,
    });
    await expect(load(set, null)).rejects.toMatchObject({ code: 'option-invalid', message: /^model: .*FileSet/ });
    await expect(load(checkpoint, null)).rejects.toMatchObject({
      code: 'option-invalid',
      message: /^model: .*Checkpoint/,
    });
    await expect(load('a', { model: set })).rejects.toMatchObject({
      code: 'option-invalid',
      message: /^draft: .*FileSet/,
    });
  });

  it('what loading finds wrong is the error that it is on this thread', async () => {
    for (const options of [{}, { worker: true }]) {
      await expect(Loader.load('/no/such/model', options)).rejects.toMatchObject({
        name: 'WeightsError',
        code: 'not-found',
      });
    }
  });
});
