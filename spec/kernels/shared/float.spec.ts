import fc from 'fast-check';
import { bf16ToF32, decodeStored, f16ToF32, f32ToBf16 } from '../../../kernels/shared/float';

describe('float conversions', () => {
  test('bf16 → float32 → bf16 is the identity on all 65,536 patterns (NaN to NaN)', () => {
    for (let bits = 0; bits < 65536; bits++) {
      const back = f32ToBf16(bf16ToF32(bits));
      if (Number.isNaN(bf16ToF32(bits))) expect(Number.isNaN(bf16ToF32(back))).toBe(true);
      else expect(back).toBe(bits);
    }
  });

  test('float32 → bf16 is nearest: no other bf16 is closer, and of two as close the even one', () => {
    fc.assert(
      fc.property(
        fc.float({ noNaN: true, noDefaultInfinity: true, max: Math.fround(3e38), min: Math.fround(-3e38) }),
        (x) => {
          const bits = f32ToBf16(x);
          const error = Math.abs(bf16ToF32(bits) - x);
          for (const other of [bits - 1, bits + 1]) {
            const distance = Math.abs(bf16ToF32(other & 0xffff) - x);
            if (distance === error) expect(bits % 2).toBe(0);
            else if (!Number.isNaN(distance)) expect(distance).toBeGreaterThan(error);
          }
        },
      ),
      { numRuns: 2000 },
    );
  });

  test('float32 beyond the largest bf16 becomes an infinity, NaN stays NaN', () => {
    expect(bf16ToF32(f32ToBf16(3.4028235e38))).toBe(Infinity);
    expect(bf16ToF32(f32ToBf16(-3.4028235e38))).toBe(-Infinity);
    expect(bf16ToF32(f32ToBf16(Number.NaN))).toBeNaN();
  });

  test('f16: known values of IEEE 754', () => {
    const known: [number, number][] = [
      [0x3c00, 1],
      [0xc000, -2],
      [0x7bff, 65504],
      [0x0400, 2 ** -14],
      [0x0001, 2 ** -24],
      [0x03ff, 1023 * 2 ** -24],
      [0x3555, 0.333251953125],
      [0x7c00, Infinity],
      [0x8000, -0],
    ];
    for (const [bits, value] of known) expect(f16ToF32(bits)).toBe(value);
  });

  test('decoding reads from any byte offset', () => {
    const bytes = new Uint8Array(13);
    new DataView(bytes.buffer).setFloat32(1, 1.5, true);
    new DataView(bytes.buffer).setFloat32(5, -3.25, true);
    new DataView(bytes.buffer).setFloat32(9, 1e-40, true);
    expect(Array.from(decodeStored(bytes.subarray(1), 'f32'))).toEqual([1.5, -3.25, Math.fround(1e-40)]);
  });
});
