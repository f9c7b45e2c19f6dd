import fc from 'fast-check';
import { packQ4, q4Code, q4RowBytes, q4Values, unpackQ4 } from '../../common';

/** A bfloat16 of any bits, as float32. */
const scale = fc.nat(0xffff).map((bits) => new Float32Array(Uint32Array.of(bits << 16).buffer)[0]);

/** Rows of codes and scales, whatever they are; codes past the end of a row too. */
const matrices = fc.tuple(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 100 })).chain(([rows, cols]) => {
  const blocks = rows * Math.ceil(cols / 32);
  return fc.record({
    cols: fc.constant(cols),
    codes: fc.uint8Array({ minLength: blocks * 16, maxLength: blocks * 16 }),
    scales: fc.array(scale, { minLength: blocks, maxLength: blocks }).map((list) => Float32Array.from(list)),
  });
});

describe('a q4 matrix in a file', () => {
  it('has for each row its scales as bfloat16, then 16 bytes of codes a block, little-endian', () => {
    fc.assert(
      fc.property(matrices, fc.nat(5), ({ cols, codes, scales }, before) => {
        const blocks = Math.ceil(cols / 32);
        const rows = scales.length / blocks;
        expect(q4RowBytes(cols)).toBe(18 * blocks);
        const packed = packQ4({ codes, scales }, cols);
        expect(packed.length).toBe(rows * 18 * blocks);
        const view = new DataView(packed.buffer, packed.byteOffset);
        const bits = new Uint32Array(scales.buffer);
        for (let row = 0; row < rows; row++) {
          const start = row * 18 * blocks;
          for (let b = 0; b < blocks; b++) {
            expect(view.getUint16(start + 2 * b, true)).toBe(bits[row * blocks + b] >>> 16);
            const at = (row * blocks + b) * 16;
            const from = start + 2 * blocks + 16 * b;
            expect(packed.subarray(from, from + 16)).toEqual(codes.subarray(at, at + 16));
          }
        }
        const file = new Uint8Array(before + packed.length + 3);
        file.set(packed, before);
        expect(unpackQ4(file.subarray(before, before + packed.length), cols)).toEqual({ codes, scales });
      }),
    );
  });

  it('has the value code · scale of its block, and what is past the end of a row changes none', () => {
    fc.assert(
      fc.property(matrices, fc.nat(255), ({ cols, codes, scales }, other) => {
        const blocks = Math.ceil(cols / 32);
        const rows = scales.length / blocks;
        const expected = Float32Array.from({ length: rows * cols }, (_, at) => {
          const [row, i] = [Math.floor(at / cols), at % cols];
          const block = row * blocks + Math.floor(i / 32);
          const byte = codes[block * 16 + (i % 16)];
          return ((i % 32 < 16 ? byte % 16 : Math.floor(byte / 16)) - 8) * scales[block];
        });
        expect(q4Values({ codes, scales }, cols)).toEqual(expected);
        const spoiled = codes.map((byte, at) => {
          const lower = (Math.floor(at / 16) % blocks) * 32 + (at % 16);
          return (lower < cols ? byte & 15 : other & 15) | (lower + 16 < cols ? byte & 240 : other & 240);
        });
        expect(q4Values({ codes: spoiled, scales }, cols)).toEqual(expected);
      }),
    );
  });

  it('has codes from −8 to 7', () => {
    const codes = Uint8Array.from({ length: 16 }, (_, i) => i | ((15 - i) << 4));
    expect(Array.from({ length: 32 }, (_, i) => q4Code(codes, 0, i))).toEqual(
      Array.from({ length: 32 }, (_, i) => (i < 16 ? i - 8 : 23 - i)),
    );
  });
});
