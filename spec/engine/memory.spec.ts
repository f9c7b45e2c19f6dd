import fc from 'fast-check';
import { loadModel } from '../../engine';
import { checkEncodeFits } from '../../engine/memory';
import { createBackend } from '../../kernels';
import { arbitraryConfig } from '../support/arbitrary-config';
import { randomCheckpoint } from '../support/random-checkpoint';

/** Sizes at which numbers outweigh the bookkeeping beside them. */
const sizes = fc.record({
  dModel: fc.integer({ min: 32, max: 80 }),
  dKv: fc.integer({ min: 16, max: 24 }),
  heads: fc.integer({ min: 2, max: 4 }),
  dFf: fc.integer({ min: 32, max: 160 }),
});

describe.each(['reference', 'cpu', 'wasm'] as const)('the memory that a source is said to take on %s', (name) => {
  it('is within a tenth below and two thirds above what encoding it allocates', async () => {
    const backend = await createBackend(name, { threads: 1 });
    await fc.assert(
      fc.asyncProperty(arbitraryConfig, sizes, fc.integer({ min: 200, max: 280 }), async (family, size, rows) => {
        const config = { ...family, ...size, inner: size.heads * size.dKv };
        using model = await loadModel(randomCheckpoint(config, 1), backend);
        const before = backend.facts.allocatedBytes();
        using _ = (await model.encode([new Array<number>(rows).fill(1)]))[0];
        const taken = backend.facts.allocatedBytes() - before;
        const fits = (room: number) => {
          const facts = { ...backend.facts, capacityBytes: room, allocatedBytes: () => 0 };
          try {
            checkEncodeFits(facts, config, { rows, step: rows, crossSlots: rows });
            return true;
          } catch (error) {
            expect(error).toMatchObject({ code: 'out-of-memory' });
            return false;
          }
        };
        expect([taken, fits(0.9 * taken), fits(1.67 * taken)]).toEqual([taken, false, true]);
      }),
      { numRuns: 6 },
    );
    await backend.dispose();
  });
});
