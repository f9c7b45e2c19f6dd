import type { ActivationKind, Backend, Dtype } from '../../../kernels';
import { createWasmBackend } from '../../../kernels/wasm';
import { WasmInstance } from '../../../kernels/wasm/instance';
import { Operation, Size } from '../../../kernels/wasm/layout';
import { matrix } from '../laws/arbitraries';
import { type Boxes, bytesOf, type Matrix, using } from '../laws/subject';
import { relaxedMissing } from './support';

const INPUTS = 64;

/** What was left out of a list at an address: a count, and then words of 32 bits. */
type Reading = (words: Int32Array, block: number) => number[] | null;

/** The inputs that a block of float rows keeps. */
const keptInputs: Reading = (words, block) => {
  const [count, ...places] = words.subarray(block * (INPUTS + 1), (block + 1) * (INPUTS + 1));
  return count < 0 ? null : places.slice(0, count).map((place) => place / 32);
};

/** The first inputs of the groups of four that a row of codes keeps. */
const keptGroups: Reading = (words) => {
  if (words[0] < 0) return null;
  const inputs: number[] = [];
  let at = 1;
  for (let block = 0; block < words[0]; block++) {
    const [place, , groups] = words.subarray(at, at + 3);
    at += 3;
    for (let group = 0; group < groups; group++, at += 2) {
      const inBlock = words[at] - place - Size.q8Codes;
      inputs.push((place / Size.q8Block) * 32 + inBlock / 8);
    }
  }
  return inputs;
};

/** Rows in which the inputs of a list are above zero, each in a row of its own in turn, and all others below. */
function rowsWith(inputs: readonly number[], rows = 1, value = 1): Matrix {
  const values = new Float32Array(rows * INPUTS).fill(-1);
  inputs.forEach((input, i) => {
    values[(i % rows) * INPUTS + input] = value;
  });
  return { rows, cols: INPUTS, values };
}

const relaxed = relaxedMissing === null ? test : test.skip;

describe('inputs that a relu made zero', () => {
  let backend: Backend;
  beforeAll(async () => {
    backend = await createWasmBackend({ threads: 1 });
  });
  afterAll(() => backend.dispose());

  /** The inputs that were kept in each block of the rows of the products in `body`; null where all were packed. */
  async function keptIn(body: (boxes: Boxes) => void): Promise<(number[] | null)[]> {
    const found: (number[] | null)[] = [];
    const area = jest.spyOn(WasmInstance.prototype, 'area');
    const run = jest.spyOn(WasmInstance.prototype, 'run').mockImplementation(function (
      this: WasmInstance,
      operation,
      chunks,
    ) {
      this.exports.run(operation, chunks, 0);
      if (operation !== Operation.keep && operation !== Operation.keepCodes) return;
      const at = area.mock.results[area.mock.calls.findLastIndex(([name]) => name === 'kept')].value as number;
      const read = operation === Operation.keep ? keptInputs : keptGroups;
      for (let block = 0; block < chunks; block++) found.push(read(this.memory.i32.subarray(at >> 2), block));
    });
    try {
      await using(backend, async (boxes) => body(boxes));
      return found;
    } finally {
      run.mockRestore();
      area.mockRestore();
    }
  }

  interface Case {
    readonly weight?: Matrix;
    readonly type?: Dtype;
    readonly kind?: ActivationKind;
  }

  /** What is kept of rows in one product. */
  function keptOf(x: Matrix, { weight = matrix(1, 9, INPUTS), type = 'f32', kind = 'relu' }: Case = {}) {
    return keptIn((boxes) => {
      const inside = boxes.out();
      backend.activation(inside, boxes.tensor(x), kind, null);
      backend.linear(boxes.out(), inside, boxes.weight(weight, type), null);
    });
  }

  test('those are kept that some row of a block needs; a zero has either sign', async () => {
    expect(await keptOf(rowsWith([3, 4, 63]))).toEqual([[3, 4, 63]]);
    expect(await keptOf(rowsWith([]))).toEqual([[]]);
    expect(await keptOf(rowsWith([0, 17, 40, 41, 62], 3))).toEqual([[0, 17, 40, 41, 62]]);
    const signed = rowsWith([5]);
    signed.values.fill(-0, 6);
    expect(await keptOf(signed)).toEqual([[5]]);
    const rows = Size.floatBlockRows + 1;
    const blocks = rowsWith([1, 2, 3, 4, 5, 6, 7], rows);
    expect(await keptOf(blocks)).toEqual([
      [1, 2, 3],
      [4, 5, 6, 7],
    ]);
  });

  test.each([
    [1, 5],
    [3, 5],
    [4, 8],
    [8, 8],
    [9, 16],
    [32, 16],
    [33, 5],
  ])(
    'of %i rows at most one of %i inputs is kept, or nothing is left out, in each block for itself',
    async (rows, share) => {
      const most = Array.from({ length: Math.floor(INPUTS / share) }, (_, i) => i * 4 + 3);
      const x = (kept: readonly number[]) => {
        const made = rowsWith([], rows);
        for (const input of kept) made.values[input] = 1; // in the first row
        return made;
      };
      const others = new Array(Math.ceil(rows / Size.floatBlockRows) - 1).fill([]);
      expect(await keptOf(x(most))).toEqual([most, ...others]);
      expect(await keptOf(x([0, ...most]))).toEqual([null, ...others]);
      expect(await keptOf(x([...most, 63]))).toEqual([null, ...others]);
    },
  );

  test('of inputs past the last four and of fewer than four', async () => {
    for (const cols of [1, 3, 5, 6, 7]) {
      const x = { rows: 2, cols, values: new Float32Array(2 * cols).fill(-1) };
      await using(backend, async (boxes) => {
        const [inside, out] = [boxes.out(), boxes.out()];
        backend.activation(inside, boxes.tensor(x), 'relu', null);
        backend.linear(out, inside, boxes.weight(matrix(2, 3, cols), 'f32'), null);
        expect([...(await backend.read(out))]).toEqual(new Array(6).fill(0));
      });
    }
  });

  test('a tiny value or weight, and a weight that is not finite, leave nothing out', async () => {
    const [least, below] = [2 ** -40, 2 ** -40 - 2 ** -64];
    expect(await keptOf(rowsWith([8], 1, least))).toEqual([[8]]);
    expect(await keptOf(rowsWith([8], 1, below))).toEqual([null]);
    expect(await keptOf(rowsWith([60, 61, 62], 3, below))).toEqual([null]);
    expect(await keptOf(rowsWith([8], 1, Infinity))).toEqual([[8]]);
    for (const [value, isPlain] of [
      [0, true],
      [-0, true],
      [2 ** -60, true],
      [-(2 ** -60), true],
      [2 ** -60 - 2 ** -84, false],
      [2 ** -149, false],
      [-3.4e38, true],
      [Infinity, false],
      [-Infinity, false],
      [Number.NaN, false],
    ] as const) {
      const weight = matrix(1, 9, INPUTS);
      weight.values[9 * INPUTS - 1] = value;
      expect([value, await keptOf(rowsWith([8]), { weight })]).toEqual([value, isPlain ? [[8]] : []]);
    }
  });

  relaxed(
    'of one row of codes those groups of four are kept in which a code is not 0, up to a quarter of all',
    async () => {
      const codesOf = (inputs: readonly number[], value = 1) => keptOf(rowsWith(inputs, 1, value), { type: 'q8' });
      expect(await codesOf([])).toEqual([[]]);
      expect(await codesOf([5])).toEqual([[4]]);
      expect(await codesOf([4, 7, 31, 32, 63])).toEqual([[4, 28, 32, 60]]);
      expect(await codesOf([4, 7, 31, 32, 57, 63])).toEqual([null]);
      const small = rowsWith([5, 9, 40]);
      small.values[9] = 2 ** -8; // nearer to code 0 than to 1
      small.values[40] = 2 ** -8; // the largest of its block
      expect(await keptOf(small, { type: 'q8' })).toEqual([[4, 40]]);
      expect(await keptOf(rowsWith([5], 2), { type: 'q8' })).toEqual([]); // two rows
    },
  );

  relaxed(
    'a block without a zero, a step that is tiny or no number, and such a scale leave nothing out of codes',
    async () => {
      const whole = rowsWith(Array.from({ length: 32 }, (_, i) => i));
      for (let i = 0; i < 32; i++) whole.values[i] = i === 3 ? 1.5 : 1;
      expect(await keptOf(whole, { type: 'q8' })).toEqual([null]);
      const least = 127 * 2 ** -40;
      expect(await keptOf(rowsWith([8], 1, least), { type: 'q8' })).toEqual([[8]]);
      expect(await keptOf(rowsWith([8], 1, least * (1 - 2 ** -20)), { type: 'q8' })).toEqual([null]);
      for (const value of [Infinity, Number.NaN]) {
        expect(await keptOf(rowsWith([8], 1, value), { type: 'q8' })).toEqual([null]);
      }
      for (const [value, isPlain] of [
        [0, true],
        [127 * 2 ** -60, true],
        [126 * 2 ** -60, false],
        [Infinity, false],
        [Number.NaN, false],
      ] as const) {
        // The last rows of the first four outputs of a panel, and of the others.
        for (const row of [8, 5]) {
          const weight = matrix(1, 9, INPUTS);
          weight.values.fill(0, row * INPUTS + 32, (row + 1) * INPUTS);
          weight.values[(row + 1) * INPUTS - 1] = value;
          const kept = await keptOf(rowsWith([8]), { weight, type: 'q8' });
          expect([value, kept]).toEqual([value, isPlain ? [[8]] : []]);
        }
      }
    },
  );

  test('only a relu makes zeros, for some types, until the box or the weight has another content', async () => {
    const few = rowsWith([8]);
    for (const kind of ['gelu', 'gelu_new', 'silu'] as const) expect(await keptOf(few, { kind })).toEqual([]);
    for (const type of ['bf16', 'q4'] as const) expect(await keptOf(few, { type })).toEqual([]);
    const plain = matrix(1, 9, INPUTS);
    const infinite = matrix(1, 9, INPUTS);
    infinite.values[0] = Infinity;
    const found = await keptIn((boxes) => {
      const [inside, out] = [boxes.out(), boxes.out()];
      const weight = boxes.weight(plain, 'f32');
      backend.activation(inside, boxes.tensor(few), 'relu', null);
      backend.linear(out, inside, weight, null); // leaves out
      backend.fill(weight, 0, bytesOf(infinite.values), 'f32');
      backend.linear(out, inside, weight, null); // does not
      backend.fill(weight, 0, bytesOf(plain.values), 'f32');
      backend.linear(out, inside, weight, null); // leaves out
      backend.write(inside, 1, INPUTS, few.values);
      backend.linear(out, inside, weight, null); // does not
      backend.activation(inside, boxes.tensor(few), 'gelu', null);
      backend.linear(out, inside, weight, null); // does not
      backend.activation(inside, boxes.tensor(few), 'relu', boxes.tensor(matrix(4, 1, INPUTS)));
      backend.linear(out, inside, weight, null); // leaves out: a gate does not change a zero
    });
    expect(found).toEqual([[8], [8], [8]]);
  });
});
