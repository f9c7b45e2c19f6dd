import fc from 'fast-check';
import { q8Blocks, quantizeRows } from '../../../kernels/shared/q8';

function quantized(values: Float32Array, cols: number): { codes: Int8Array; scales: Float32Array } {
  const codes = new Int8Array(values.length);
  const scales = new Float32Array((values.length / cols) * q8Blocks(cols));
  quantizeRows(values, cols, codes, scales);
  return { codes, scales };
}

const finite = fc.float({ noNaN: true, noDefaultInfinity: true });

describe('q8', () => {
  test('the largest of a block gets ±127, codes stay in −127 … 127, negating values negates codes', () => {
    let scaled = 0;
    fc.assert(
      fc.property(fc.array(finite, { minLength: 1, maxLength: 32 }), (list) => {
        const values = Float32Array.from(list);
        const { codes, scales } = quantized(values, values.length);
        const largest = values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
        if (largest > 1e-36) {
          scaled++;
          const at = values.findIndex((value) => Math.abs(value) === largest);
          expect(Math.abs(codes[at])).toBe(127);
        }
        expect(Math.max(...codes.map(Math.abs))).toBeLessThanOrEqual(127);
        const mirrored = quantized(
          values.map((value) => -value),
          values.length,
        );
        expect(Array.from(mirrored.codes, (code) => 0 - code)).toEqual(Array.from(codes));
        expect(mirrored.scales).toEqual(scales);
      }),
    );
    expect(scaled).toBeGreaterThan(50);
  });

  test('halves go to the even code', () => {
    const values = Float32Array.of(127, 0.5, 1.5, 2.5, -0.5, -1.5, -2.5, 126.5);
    expect(Array.from(quantized(values, 8).codes, (code) => code + 0)).toEqual([127, 0, 2, 2, 0, -2, -2, 126]);
  });

  test('a last block that is short has a scale of its own', () => {
    const values = new Float32Array(70).fill(1);
    values.fill(5, 64);
    const { scales } = quantized(values, 70);
    expect(Array.from(scales)).toEqual([1, 1, 5].map((most) => Math.fround(most / 127)));
  });

  test('NaN and infinities make the scale of their block NaN and leave the others alone', () => {
    for (const broken of [Number.NaN, Infinity, -Infinity]) {
      const values = new Float32Array(64).fill(1);
      values[40] = broken;
      expect(Array.from(quantized(values, 64).scales)).toEqual([Math.fround(1 / 127), Number.NaN]);
    }
  });

  test('zeros, and values too small for a scale, become zeros', () => {
    const { codes, scales } = quantized(Float32Array.of(0, -0, 1e-45, -1e-45), 4);
    expect(Array.from(scales)).toEqual([0]);
    expect(codes.every((code) => code === 0)).toBe(true);
  });
});
