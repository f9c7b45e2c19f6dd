/** How tandem bench times kernels: which cases, how long, and on which backend; neither the kernels nor the clock are real here. */
import * as bench from '../../../bench/index';
import { KERNELS, type KernelJob, measureKernels } from '../../../cli/bench/measure';
import * as kernels from '../../../kernels';

jest.mock('../../../bench/index', () => {
  const actual = jest.requireActual<typeof bench>('../../../bench/index');
  const KERNEL_BENCHES = ['one', 'two', 'three'].map((name) => ({ name, note: `note of ${name}`, cases: jest.fn() }));
  return { ...actual, KERNEL_BENCHES, prepare: jest.fn(), wasmLimits: jest.fn(), scalarLimits: jest.fn() };
});
jest.mock('../../../kernels', () => ({ ...jest.requireActual('../../../kernels'), createBackend: jest.fn() }));
const mocked = jest.mocked(bench);
afterEach(() => jest.restoreAllMocks());

const FACTS = { level: 'simd', threads: 2, weightTypes: ['f32', 'q8'] };
const WASM_LIMITS = { by: 'wasm', streamGBs: 8, peakGFlops: 4 };
const SCALAR_LIMITS = { by: 'scalar', streamGBs: 2, peakGFlops: 1 };
const caseOf = (type: string, rows: number) => ({ shape: 's', type, rows, operations: 4000, bytes: 2000 });

/** Measures with a clock of its own: run i of a unit takes `takes(i)` milliseconds. */
async function measured(
  changes: Partial<KernelJob> = {},
  takes: (run: number) => number = () => 10,
  wide: unknown = undefined,
) {
  let now = 1e6;
  jest.spyOn(performance, 'now').mockImplementation(() => now);
  const [done, contexts]: [number[][], object[]] = [[], []];
  const made: unknown[][] = [];
  let [open, runs] = [0, 0];
  jest.mocked(kernels.createBackend).mockImplementation((async (name: string, options: object) => {
    made.push([name, options]);
    expect(open++).toBe(0); // each kernel has a backend of its own
    return { facts: { ...FACTS, name, wide }, dispose: async () => void open-- };
  }) as never);
  mocked.wasmLimits.mockReset().mockResolvedValue(WASM_LIMITS);
  mocked.scalarLimits.mockReset().mockResolvedValue(SCALAR_LIMITS);
  for (const { cases } of bench.KERNEL_BENCHES) {
    jest
      .mocked(cases)
      .mockReset()
      .mockImplementation(((context: bench.Bench['context']) => {
        contexts.push(context);
        return context.types.flatMap((type) => context.rows.map((rows) => caseOf(type, rows)));
      }) as never);
  }
  mocked.prepare.mockReset().mockImplementation(async (of, one) => {
    runs = 0;
    const unit = async () => {
      now += takes(runs++);
    };
    return { bench: of, one, batch: 4, unit } as never;
  });
  const job: KernelJob = {
    ...{ kernels: KERNELS, backend: 'wasm', options: { threads: 2 }, types: ['f32', 'bf16', 'q8'], rows: [1, 8] },
    ...{ full: false, signal: new AbortController().signal, onCase: (...step) => void done.push(step), ...changes },
  };
  const found = await measureKernels(job).finally(() => expect(open).toBe(0));
  return { found, done, contexts, made, runs };
}

describe('the kernels of tandem bench', () => {
  it('are those that are asked for, in one order, each on a backend of its own, in the types that it has', async () => {
    const { found, done, contexts, made } = await measured({ kernels: ['three', 'one'] });
    expect(found.kernels.map(({ name, note }) => [name, note])).toEqual(
      ['one', 'three'].map((name) => [name, `note of ${name}`]),
    );
    for (const { figures } of found.kernels) {
      expect(figures.map(({ type, rows }) => [type, rows])).toEqual([
        ['f32', 1],
        ['f32', 8],
        ['q8', 1],
        ['q8', 8],
      ]);
    }
    expect(done).toEqual([
      [1, 2],
      [2, 2],
    ]);
    expect(made).toEqual([1, 2].map(() => ['wasm', { threads: 2 }]));
    for (const context of contexts) expect(context).toMatchObject({ types: ['f32', 'q8'], rows: [1, 8], quick: true });
    expect((await measured({ full: true })).contexts[0]).toMatchObject({ quick: false });
  });

  it('stand beside the limits of their technology, which are measured once', async () => {
    const wasm = await measured({}, undefined, { on: true });
    expect([wasm.found.label, wasm.found.limits]).toEqual(['wasm simd wide ×2', WASM_LIMITS]);
    expect(mocked.wasmLimits.mock.calls).toEqual([[3, 2, 'simd']]);
    expect(mocked.scalarLimits).not.toHaveBeenCalled();
    for (const wide of [undefined, { on: false }])
      expect((await measured({}, undefined, wide)).found.label).toBe('wasm simd ×2');
    const cpu = await measured({ backend: 'cpu' });
    expect([cpu.found.label, cpu.found.limits]).toEqual(['cpu', SCALAR_LIMITS]);
    expect(mocked.scalarLimits.mock.calls).toEqual([[3]]);
    expect(mocked.wasmLimits).not.toHaveBeenCalled();
    const [figure] = cpu.found.kernels[0].figures;
    // 10 ms are 4 calls of 4000 operations and 2000 bytes each.
    expect(figure).toMatchObject({
      backend: 'cpu',
      microseconds: expect.closeTo(2500, 6),
      margin: expect.closeTo(0, 6),
    });
    expect(figure.gigaflops).toBeCloseTo(4000 / 2.5e-3 / 1e9, 12);
  });

  it('run for 150 ms, and five times where that takes longer; the median counts', async () => {
    for (const [time, runs] of [
      [10, 15],
      [40, 5],
      [1000, 5],
      [30, 5],
      [29, 6],
    ])
      expect([time, (await measured({}, () => time)).runs]).toEqual([time, runs]);
    const { found } = await measured({}, (run) => [90, 10, 50, 20, 40][run]);
    const [{ microseconds, margin }] = found.kernels[0].figures;
    expect([microseconds, margin]).toEqual([expect.closeTo(10_000, 6), expect.closeTo((50 * (50 - 20)) / 40, 6)]);
  });

  it('give their backend back where one fails, and hear a signal between two runs', async () => {
    await expect(
      measured({}, () => {
        throw new Error('broken');
      }),
    ).rejects.toThrow('broken');
    const controller = new AbortController();
    let count = 0;
    const aborting = () => {
      if (++count === 3) controller.abort(new Error('enough'));
      return 10;
    };
    await expect(measured({ signal: controller.signal }, aborting)).rejects.toThrow('enough');
    expect(count).toBe(3);
  });
});
