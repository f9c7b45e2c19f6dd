import { EventEmitter } from 'node:events';
import { type Backend, createWasmBackend, type Dtype } from '../../../kernels';
import { Address } from '../../../kernels/wasm/layout';
import { matrix as generate } from '../laws/arbitraries';
import { expectSameBits, type Matrix, using } from '../laws/subject';

const matrices = new Map<string, Matrix>();

/** A matrix of the laws. Each is generated once. */
function matrix(seed: number, rows: number, cols: number): Matrix {
  const key = `${seed} ${rows} ${cols}`;
  const known = matrices.get(key) ?? generate(seed, rows, cols);
  matrices.set(key, known);
  return known;
}

/** Results of every kernel on shapes large enough to be shared between threads. */
async function everything(backend: Backend, rows: number): Promise<Float32Array[]> {
  const found: Float32Array[] = [];
  await using(backend, async (boxes) => {
    const [width, heads, dKv, inside, vocabulary] = [128, 2, 64, 1000, 4999];
    const x = boxes.tensor(matrix(1, rows, width));
    const norm = boxes.norm(matrix(2, 1, width).values);
    const keep = async (out: ReturnType<typeof boxes.out>) => found.push(await backend.read(out));
    for (const type of ['f32', 'bf16', 'q8', 'q4'] as Dtype[]) {
      const up = boxes.weight(matrix(3, inside, width), type);
      const down = boxes.weight(matrix(4, width, inside), type);
      const table = boxes.weight(matrix(5, vocabulary, width), type);
      const [gate, other, mixed, out] = [boxes.out(), boxes.out(), boxes.out(), boxes.out()];
      backend.normLinear([gate, other], x, norm, [up, up]);
      backend.activation(mixed, gate, 'gelu_new', other);
      backend.linear(out, mixed, down, x);
      await keep(gate);
      await keep(out);
      const ids = Int32Array.from({ length: rows }, (_, i) => (i * 97) % vocabulary);
      backend.embed(other, table, ids);
      await keep(other);
      const logits = boxes.logits();
      backend.head(logits, x, norm, table, 0.5);
      found.push(Float32Array.from(await backend.argMax(logits)));
      found.push(await backend.readLogits(logits, rows - 1));
      found.push(Float32Array.of(await backend.logSumExp(logits, 0, 1.25)));
      found.push((await backend.topK(logits, 0, 50)).values);
    }
    const keys = 70;
    const slots = Int32Array.from({ length: keys + rows }, (_, i) => i);
    const cache = boxes.keep(backend.cache(heads, dKv, keys + rows));
    const past = boxes.tensor(matrix(6, keys, width));
    backend.append(cache, past, past, slots.subarray(0, keys));
    const plan = boxes.keep(backend.plan());
    const position = slots.slice(keys);
    const count = position.map((slot) => slot + 1);
    backend.arrange(plan, { rows, write: position, start: new Int32Array(rows), count, keys: slots, position });
    const bias = boxes.keep(backend.bias(heads, 40, matrix(7, heads, 41).values));
    const attended = boxes.out();
    const fresh = { keys: boxes.tensor(matrix(8, rows, width)), values: boxes.tensor(matrix(9, rows, width)) };
    backend.attention(attended, x, fresh, cache, plan, bias);
    await keep(attended);
  });
  return found;
}

describe('threads', () => {
  test.each([1, 5, 40])('every kernel gives %i rows the same bits on 1, 2, 3 and 4 threads', async (rows) => {
    const alone = await createWasmBackend({ threads: 1 });
    const expected = await everything(alone, rows);
    await alone.dispose();
    for (const threads of [2, 3, 4]) {
      const backend = await createWasmBackend({ threads });
      for (let round = 0; round < 2; round++) {
        const found = await everything(backend, rows);
        found.forEach((values, i) => {
          expectSameBits(values, expected[i]);
        });
      }
      await backend.dispose();
    }
  });

  test('threads that went to sleep take part again', async () => {
    const backend = await createWasmBackend({ threads: 3 });
    const first = await everything(backend, 4);
    await new Promise((resolve) => setTimeout(resolve, 300));
    const second = await everything(backend, 4);
    first.forEach((values, i) => {
      expectSameBits(second[i], values);
    });
    await backend.dispose();
  });

  test.each([
    ['the first memory', undefined],
    ['a second memory', 1],
  ])(
    'a thread that fails in the middle of a job in %s gives its chunk back: the result has the same bits',
    async (_, bankBytes) => {
      const memories: WebAssembly.Memory[] = [];
      const create = WebAssembly.Memory;
      const spy = jest.spyOn(WebAssembly, 'Memory').mockImplementation((descriptor) => {
        const memory = new create(descriptor);
        memories.push(memory);
        return memory;
      });
      const backend = await createWasmBackend({ threads: 2, bankBytes });
      const [stride, failures] = [Address.scratchStride / 4, Address.failures / 4];
      const first = memories.length;
      let failed = 0;
      await using(backend, async (boxes) => {
        const rows = matrix(1, 512, 1024);
        const weight = boxes.weight(rows, 'f32');
        spy.mockRestore();
        expect(memories.length).toBe(bankBytes === undefined ? first : first + 1);
        const control = new Int32Array(memories[memories.length - 1].buffer, 0, 256);
        const bytes = new Uint8Array(rows.values.buffer, rows.values.byteOffset, rows.values.byteLength);
        const x = boxes.tensor(matrix(2, 3, 1024));
        const [expected, found] = [boxes.out(), boxes.out()];
        backend.linear(expected, x, weight, null);
        const right = await backend.read(expected);
        for (let attempt = 0; attempt < 2000 && Atomics.load(control, failures) === 0; attempt++) {
          await new Promise((resolve) => setTimeout(resolve, 10)); // the other thread may not have started yet
          control[stride] = 0x40000000; // the scratch memory of the second thread is beyond the end
          backend.fill(weight, 0, bytes, 'f32');
          backend.linear(found, x, weight, null);
          expectSameBits(await backend.read(found), right);
          failed = Atomics.load(control, failures);
        }
      });
      expect(failed).toBe(1);
      await backend.dispose();
    },
  );
});

describe('threads that are refused', () => {
  type Module = typeof import('../../../kernels');
  /** Runs `body` with a Worker that behaves as `create` says. */
  const withWorker = async (create: () => unknown, body: (kernels: Module) => Promise<void>): Promise<void> => {
    const real = jest.requireActual<typeof import('node:worker_threads')>('node:worker_threads');
    let created = 0;
    function Worker(...args: ConstructorParameters<typeof real.Worker>): unknown {
      created++;
      return create() ?? new real.Worker(...args);
    }
    jest.doMock('node:worker_threads', () => ({ ...real, Worker }));
    try {
      await jest.isolateModulesAsync(async () => {
        const cores = { machine: 3, allowed: 3, quota: null, busy: null };
        jest.spyOn(require('../../../kernels/wasm/cores.node'), 'findCores').mockResolvedValue(cores);
        await body(require('../../../kernels'));
      });
      expect(created).toBeGreaterThan(0);
    } finally {
      jest.dontMock('node:worker_threads');
    }
  };
  const throwing = (): never => {
    throw new Error('Access to this API has been restricted');
  };
  const failing = () => Object.assign(new EventEmitter(), { unref: () => undefined, terminate: async () => 0 });
  const failingSoon = () => {
    const worker = failing();
    setImmediate(() => worker.emit('error', new Error('Access to this API has been restricted')));
    return worker;
  };

  test.each([
    ['cannot be created', throwing],
    ['fail as they start', failingSoon],
  ])('by number, threads that %s are an error with the reason', async (_, create) => {
    await withWorker(create, async ({ createBackend }) => {
      for (const name of ['wasm', 'auto'] as const) {
        await expect(createBackend(name, { threads: 3 })).rejects.toMatchObject({
          name: 'KernelError',
          code: 'unavailable',
          message: expect.stringMatching(/expected 3 threads, found 1: Access to this API has been restricted/),
        });
      }
    });
  });

  test.each([
    ['cannot be created', throwing],
    ['fail as they start', failingSoon],
  ])('by default, facts.threads is what runs and facts.reason says why, when threads %s', async (_, create) => {
    await withWorker(create, async ({ createBackend }) => {
      for (const name of ['wasm', 'auto'] as const) {
        const backend = await createBackend(name);
        expect(backend.facts).toMatchObject({
          name: 'wasm',
          threads: 1,
          reason: expect.stringContaining('1 of 3 threads: Access to this API has been restricted'),
        });
        const found = await everything(backend, 2);
        expect(found).toHaveLength(29);
        await backend.dispose();
      }
    });
  });

  test('the threads that do start are used, with the same bits', async () => {
    let calls = 0;
    await withWorker(
      () => (calls++ === 0 ? failingSoon() : undefined),
      async ({ createWasmBackend: create }) => {
        const backend = await create();
        expect(backend.facts).toMatchObject({ threads: 2, reason: expect.stringContaining('2 of 3 threads') });
        const alone = await createWasmBackend({ threads: 1 });
        const expected = await everything(alone, 5);
        const found = await everything(backend, 5);
        expect(found).toHaveLength(expected.length);
        found.forEach((values, i) => {
          expectSameBits(values, expected[i]);
        });
        await alone.dispose();
        await backend.dispose();
      },
    );
  });

  test('a thread that never starts is given up after 20 seconds', async () => {
    jest.useFakeTimers({ doNotFake: ['performance', 'setImmediate', 'nextTick', 'queueMicrotask'] });
    try {
      await withWorker(failing, async ({ createWasmBackend: create }) => {
        const creating = create();
        await jest.advanceTimersByTimeAsync(20_000);
        const { facts } = await creating;
        expect(facts).toMatchObject({
          threads: 1,
          reason: '1 of 3 threads: a thread did not start within 20 seconds',
        });
      });
    } finally {
      jest.useRealTimers();
    }
  });

  test.each([
    [0, null],
    [0, 'it is a page of its own'],
    [1, 'memory cannot be shared here'],
    [3, 'memory cannot be shared here'],
  ])(
    'where memory cannot be shared none of %i is started, and whoever asked for some hears why',
    async (count, why) => {
      let started = 0;
      const startThread = () => {
        started++;
        throw new Error('never');
      };
      jest.doMock('../../../kernels/wasm/threads.node', () => ({ sharingRefused: () => why, startThread }));
      try {
        await jest.isolateModulesAsync(async () => {
          const { startThreads } =
            require('../../../kernels/wasm/threads') as typeof import('../../../kernels/wasm/threads');
          expect(await startThreads(count)).toEqual({ helpers: [], refused: count === 0 ? null : why });
        });
        expect(started).toBe(0);
      } finally {
        jest.dontMock('../../../kernels/wasm/threads.node');
      }
    },
  );
});
