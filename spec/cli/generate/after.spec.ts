/** What tandem generate refuses once it knows what was loaded, and that it gives back what it loaded in any case. */
import { Tandem } from '../../../api';
import { tableTandem } from '../../support/table-tandem';
import { expectOneLine } from '../command';
import { inside } from '../inside';

afterEach(() => jest.restoreAllMocks());

/** Runs `tandem generate` on a toy pair that computes on some backend. */
async function generated(args: readonly string[], backend: object, changes: object = {}) {
  const { tandem } = tableTandem({ seed: 5 });
  const dispose = jest.fn(tandem.dispose.bind(tandem));
  Object.defineProperties(tandem, {
    backend: { value: { ...tandem.backend, ...backend } },
    dispose: { value: dispose },
    ...Object.fromEntries(Object.entries(changes).map(([name, value]) => [name, { value }])),
  });
  jest.spyOn(Tandem, 'load').mockResolvedValue(tandem);
  const run = await inside(['generate', 'abc', '-n', '3', ...args]);
  expect(dispose).toHaveBeenCalledTimes(1);
  return run;
}

describe('a level that is asked for', () => {
  const AUTO = { name: 'cpu', level: 'scalar', reason: 'no WebAssembly here' };

  it.each<[string[], object]>([
    [[], AUTO],
    [['--level', 'auto'], AUTO],
    [['--level', 'scalar'], AUTO],
    [['--level', 'simd'], { name: 'wasm', level: 'simd', reason: undefined }],
  ])('%j is what computes (%j)', async (args, backend) => {
    expect(await generated(args, backend)).toMatchObject({ status: 0, stderr: '' });
  });

  it.each<[object, string]>([
    [AUTO, 'no WebAssembly here'],
    [{ name: 'wasm', level: 'scalar', reason: undefined }, 'wasm \\(scalar\\)'],
  ])('and is not what computes (%j) is refused with why, or with what does', async (backend, found) => {
    const run = await generated(['--level', 'simd'], backend);
    expect([run.status, run.stdout]).toEqual([1, '']);
    expectOneLine(run, new RegExp(`^tandem: --level: expected simd, found ${found}\n$`));
  });
});

it.each([['--gamma', '3'], ['--gamma', 'auto'], ['--compare'], ['--costs', '0.1,1'], ['--branching', '2']])(
  'what needs a draft is refused where the target drafts for nobody: %s',
  async (...args) => {
    const run = await generated(args, {}, { drafter: null });
    expect([run.status, run.stdout]).toEqual([2, '']);
    const words = args[1] === 'auto' ? args.join(' ') : args[0];
    expectOneLine(
      run,
      new RegExp(`expected a draft beside ${words}, found none: table in \\w+ does not draft for itself`),
    );
    expect((await generated(args, {})).status).toBe(0);
  },
);
