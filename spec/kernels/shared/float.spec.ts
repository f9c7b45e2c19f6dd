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

  const anyFloat = fc.float({ noNaN: true, noDefaultInfinity: true, max: Math.fround(3e38), min: Math.fround(-3e38) });

  test('float32 → bf16 is nearest: no other bf16 is closer', () => {
    fc.assert(
      fc.property(anyFloat, (x) => {
        const bits = f32ToBf16(x);
        const error = Math.abs(bf16ToF32(bits) - x);
        const others = [bits - 1, bits + 1].map((other) => Math.abs(bf16ToF32(other & 0xffff) - x));
        const finite = others.filter((distance) => !Number.isNaN(distance));
        expect(finite.length).toBeGreaterThan(0);
        for (const distance of finite) expect(distance).toBeGreaterThanOrEqual(error);
      }),
      { numRuns: 2000 },
    );
  });

  test('float32 → bf16: of two that are as close, the even one', () => {
    // Patterns below the infinities; half way between one and the next is an exact float32.
    fc.assert(
      fc.property(fc.nat(0x7f7e), fc.constantFrom(1, -1), (lower, sign) => {
        const middle = (sign * (bf16ToF32(lower) + bf16ToF32(lower + 1))) / 2;
        const even = lower % 2 === 0 ? lower : lower + 1;
        expect(bf16ToF32(f32ToBf16(middle))).toBe(sign * bf16ToF32(even));
      }),
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
