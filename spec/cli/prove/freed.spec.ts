import type { ProveJob } from '../../../cli/prove/job';
import { checkAllKernels, checkGreedy, checkStatistics } from '../../../cli/prove/models';
import * as engine from '../../../engine';
import * as kernels from '../../../kernels';
import * as testing from '../../../testing/index';

jest.mock('../../../engine', () => {
  const actual = jest.requireActual<typeof engine>('../../../engine');
  return { ...actual, loadModel: jest.fn(actual.loadModel) };
});
jest.mock('../../../kernels', () => {
  const actual = jest.requireActual<typeof kernels>('../../../kernels');
  return { ...actual, ...{ createBackend: jest.fn(), createReferenceBackend: jest.fn() } };
});
jest.mock('../../../testing/index', () => {
  const actual = jest.requireActual<typeof testing>('../../../testing/index');
  return {
    ...actual,
    ...{ decode: jest.fn(), firstDifference: jest.fn(() => null), checkKernels: jest.fn() },
    ...{ encodedOnce: jest.fn(async (model) => model), exact: jest.fn(), counted: jest.fn(), chiSquared: jest.fn() },
  };
});
const mocked = jest.mocked(testing);
const actual = {
  kernels: jest.requireActual<typeof kernels>('../../../kernels'),
  engine: jest.requireActual<typeof engine>('../../../engine'),
};

/** What was made and what is still there, in the order in which it was given back. */
let made: string[];
let freed: string[];
beforeEach(() => {
  [made, freed] = [[], []];
  const noted = <T extends { dispose(): unknown }>(name: string, one: T): T => {
    made.push(name);
    const dispose = one.dispose.bind(one);
    return Object.defineProperty(one, 'dispose', {
      value: () => {
        freed.push(name);
        return dispose();
      },
    });
  };
  jest.mocked(kernels.createBackend).mockImplementation(async (name) => {
    return noted(String(name), await actual.kernels.createBackend(name as kernels.BackendName));
  });
  jest.mocked(kernels.createReferenceBackend).mockImplementation(() => {
    return noted('beside', actual.kernels.createReferenceBackend());
  });
  jest.mocked(engine.loadModel).mockImplementation(async (...args) => {
    return noted('model', await actual.engine.loadModel(...args));
  });
  mocked.decode.mockResolvedValue({ ids: [3], targetCalls: 1 } as never);
  mocked.checkKernels.mockResolvedValue([]);
  mocked.chiSquared.mockReturnValue({ statistic: 1, degrees: 1, tail: 1 } as never);
});

const job = {
  ...{ seed: 1, texts: 1, signal: new AbortController().signal, onStep: () => undefined },
  backends: ['wasm', 'cpu'].map((name) => ({ name, available: true, reason: 'x' })),
} as unknown as ProveJob;
const broken = () => Promise.reject(new Error('broken'));

describe('tandem prove gives back', () => {
  const pair = (name: string) => ['model', 'model', name];

  it('the pair and its backend after each check of it, and where one breaks', async () => {
    await checkGreedy(job);
    expect(freed).toEqual([...pair('wasm'), ...pair('cpu')]);
    freed = [];
    await checkStatistics(job);
    expect(freed).toEqual(pair('wasm'));
    for (const [check, breaks] of [
      [checkGreedy, mocked.decode],
      [checkStatistics, mocked.counted],
    ] as const) {
      freed = [];
      breaks.mockImplementationOnce(broken);
      await expect(check(job)).rejects.toThrow('broken');
      expect(freed).toEqual(pair('wasm'));
    }
  });

  it('what it had of a pair whose draft cannot be loaded', async () => {
    jest
      .mocked(engine.loadModel)
      .mockImplementationOnce(jest.mocked(engine.loadModel).getMockImplementation() as typeof engine.loadModel)
      .mockImplementationOnce(broken);
    await expect(checkGreedy(job)).rejects.toThrow('broken');
    expect([made, freed]).toEqual([
      ['wasm', 'model'],
      ['model', 'wasm'],
    ]);
  });

  it('every backend whose kernels it checks, and the reference at the end', async () => {
    await checkAllKernels(job);
    expect(freed).toEqual(['wasm', 'cpu', 'beside']);
    freed = [];
    mocked.checkKernels.mockImplementationOnce(broken);
    await expect(checkAllKernels(job)).rejects.toThrow('broken');
    expect(freed).toContain('wasm');
  });
});
