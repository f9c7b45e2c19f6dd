import fc from 'fast-check';
import { q4Code, quantizeRowsQ4 } from '../../../kernels/shared/q4';
import { q8Blocks } from '../../../kernels/shared/q8';

function quantized(values: Float32Array, cols: number): { codes: number[]; scales: Float32Array } {
  const blocks = q8Blocks(cols);
  const rows = values.length / cols;
  const packed = new Uint8Array(rows * blocks * 16);
  const scales = new Float32Array(rows * blocks);
  quantizeRowsQ4(values, cols, packed, scales);
  const codes = Array.from(values, (_, i) => {
    const block = Math.floor(i / cols) * blocks + Math.floor((i % cols) / 32);
    return q4Code(packed, block * 16, (i % cols) % 32);
  });
  return { codes, scales };
}

const finite = fc.float({ noNaN: true, noDefaultInfinity: true });

describe('q4', () => {
  test('codes are the nearest to value / scale that there are, and a scale has 8 significant bits', () => {
    let scaled = 0;
    fc.assert(
      fc.property(fc.array(finite, { minLength: 1, maxLength: 32 }), (list) => {
        const values = Float32Array.from(list);
        const { codes, scales } = quantized(values, values.length);
        expect(new Uint32Array(scales.buffer)[0] & 0xffff).toBe(0);
        if (scales[0] === 0) return;
        scaled++;
        codes.forEach((code, i) => {
          const exact = Math.max(-8, Math.min(7, values[i] / scales[0]));
          expect(Math.abs(exact - code)).toBeLessThanOrEqual(0.50001);
        });
      }),
    );
    expect(scaled).toBeGreaterThan(50);
  });

  test('multiples of one step that reach −8 are kept exactly, with either sign', () => {
    const values = Float32Array.from({ length: 16 }, (_, i) => (i - 8) * 0.375);
    for (const sign of [1, -1]) {
      const { codes, scales } = quantized(
        values.map((value) => sign * value),
        16,
      );
      expect(scales[0]).toBe(sign * 0.375);
      expect(codes).toEqual(Array.from({ length: 16 }, (_, i) => i - 8));
    }
  });

  test('one large value is clipped where that makes the others better', () => {
    const values = Float32Array.from({ length: 32 }, (_, i) =>
      i === 0 ? 1 : ((i % 2 ? 1 : -1) * (1 + (i % 6))) / 9.375,
    );
    const { codes, scales } = quantized(values, 32);
    expect(scales[0]).toBeGreaterThan(-1 / 8);
    expect([codes[0], codes[1], codes[2]]).toEqual([-8, -2, 3]);
  });

  test('a last block that is short has a scale of its own, and a row its own blocks', () => {
    const values = new Float32Array(140).fill(1);
    values.fill(-5, 64, 70);
    const { scales } = quantized(values, 70);
    expect(scales[2]).not.toBe(scales[0]);
    expect(Array.from(scales.subarray(3))).toEqual([scales[0], scales[0], scales[0]]);
  });

  test('NaN and infinities make the scale of their block NaN and leave the others alone', () => {
    for (const broken of [Number.NaN, Infinity, -Infinity]) {
      const values = new Float32Array(64).fill(1);
      const whole = quantized(values, 64).scales[0];
      values[40] = broken;
      const { codes, scales } = quantized(values, 64);
      expect(Array.from(scales)).toEqual([whole, Number.NaN]);
      expect(codes.slice(32).every((code) => code === 0)).toBe(true);
    }
  });

  test('zeros, and values too small for a scale, become zeros', () => {
    const { codes, scales } = quantized(Float32Array.of(0, -0, 2 ** -121, -1e-45), 4);
    expect(Array.from(scales)).toEqual([0]);
    expect(codes).toEqual([0, 0, 0, 0]);
    expect(quantized(Float32Array.of(2 ** -120, 0), 2).scales[0]).not.toBe(0);
  });
});
