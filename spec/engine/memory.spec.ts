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

describe.each(['reference', 'cpu', 'wasm'] as const)('the memory that a model is said to take on %s', (name) => {
  it('is that of its weights as they are kept, not as they are stored', async () => {
    const backend = await createBackend(name, { threads: 1 });
    const full = { ...backend, facts: { ...backend.facts, capacityBytes: 0, allocatedBytes: () => 0 } };
    const types = backend.facts.weightTypes;
    const copies = fc.constantFrom(undefined, ...types);
    await fc.assert(
      fc.asyncProperty(arbitraryConfig, sizes, fc.constantFrom(...types), copies, async (family, size, dtype, copy) => {
        const config = { ...family, ...size, inner: size.heads * size.dKv };
        const checkpoint = randomCheckpoint(config, 1); // stored as float32
        const before = backend.facts.allocatedBytes();
        const refusal: Error = await loadModel(checkpoint, full, { dtype, copy }).then(
          () => new Error('taken'),
          (error) => error,
        );
        expect(refusal).toMatchObject({ code: 'out-of-memory' });
        expect(backend.facts.allocatedBytes()).toBe(before);
        const said = Number(/found (\d+) bytes/.exec(refusal.message)?.[1]);
        using model = await loadModel(checkpoint, backend, { dtype, copy });
        expect(said).toBeGreaterThanOrEqual(model.weightBytes);
        expect(said).toBeLessThan(1.1 * model.weightBytes + 4096); // norms and position biases are vectors
      }),
      { numRuns: 12 },
    );
    await backend.dispose();
  });
});
