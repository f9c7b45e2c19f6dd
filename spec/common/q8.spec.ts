import fc from 'fast-check';
import { packQ8, q8Blocks, q8RowBytes, q8Values, unpackQ8 } from '../../common';

/** Rows of codes and scales, whatever they are. */
const matrices = fc.tuple(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 100 })).chain(([rows, cols]) =>
  fc.record({
    cols: fc.constant(cols),
    codes: fc.int8Array({ minLength: rows * cols, maxLength: rows * cols }),
    scales: fc.float32Array({
      minLength: rows * Math.ceil(cols / 32),
      maxLength: rows * Math.ceil(cols / 32),
      noNaN: true,
      noDefaultInfinity: true,
    }),
  }),
);

describe('a q8 matrix in a file', () => {
  it('has for each row its scales, then its codes, little-endian, one after the other', () => {
    fc.assert(
      fc.property(matrices, fc.nat(5), ({ cols, codes, scales }, before) => {
        const blocks = Math.ceil(cols / 32);
        const rows = codes.length / cols;
        expect([q8Blocks(cols), q8RowBytes(cols)]).toEqual([blocks, 4 * blocks + cols]);
        const packed = packQ8({ codes, scales }, cols);
        expect(packed.length).toBe(rows * (4 * blocks + cols));
        const view = new DataView(packed.buffer, packed.byteOffset);
        for (let row = 0; row < rows; row++) {
          const start = row * (4 * blocks + cols);
          for (let b = 0; b < blocks; b++) expect(view.getFloat32(start + 4 * b, true)).toBe(scales[row * blocks + b]);
          for (let i = 0; i < cols; i++) expect(view.getInt8(start + 4 * blocks + i)).toBe(codes[row * cols + i]);
        }
        const file = new Uint8Array(before + packed.length + 3);
        file.set(packed, before);
        expect(unpackQ8(file.subarray(before, before + packed.length), cols)).toEqual({ codes, scales });
      }),
    );
  });

  it('has the value code · scale of its block, rounded to float32 once', () => {
    fc.assert(
      fc.property(matrices, ({ cols, codes, scales }) => {
        const blocks = Math.ceil(cols / 32);
        const expected = Float32Array.from(codes, (code, i) => {
          return code * scales[Math.floor(i / cols) * blocks + Math.floor((i % cols) / 32)];
        });
        expect(q8Values({ codes, scales }, cols)).toEqual(expected);
      }),
    );
  });
});
