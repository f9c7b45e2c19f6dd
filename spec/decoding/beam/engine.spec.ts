import fc from 'fast-check';
import { type BeamSearchRequest, beamSearch } from '../../../decoding';
import { loadModel, type T5Model } from '../../../engine';
import type { SlotPool } from '../../../engine/slots';
import { type Backend, createBackend, type Dtype } from '../../../kernels';
import { randomCheckpoint, tinyConfig } from '../../support/random-checkpoint';

/** Number of decoder key slots that streams use. */
function slotsHeld(model: T5Model): number {
  return (model as unknown as { selfSlots: SlotPool }).selfSlots.inUse;
}

describe.each(['cpu', 'wasm'] as const)('beam search over the engine on %s', (name) => {
  let backend: Backend;
  let target: T5Model;
  const drafts: Record<string, T5Model> = {};

  beforeAll(async () => {
    backend = await createBackend(name, { threads: 1 });
    const config = tinyConfig({ eosTokens: [1, 20] });
    const load = (seed: number, dtype: Dtype) => loadModel(randomCheckpoint(config, seed), backend, { dtype });
    target = await load(5, 'f32');
    drafts.rough = await load(5, 'q8');
    drafts.other = await load(6, 'f32');
    drafts.itself = target;
    drafts.exit = target;
  });

  afterAll(async () => {
    for (const model of Object.values(drafts)) model.dispose();
    await backend.dispose();
  });

  const request = fc.record({
    source: fc.array(fc.integer({ min: 2, max: 36 }), { minLength: 1, maxLength: 7 }),
    draft: fc.constantFrom('itself', 'rough', 'other', 'exit'),
    numBeams: fc.integer({ min: 1, max: 4 }),
    extra: fc.nat(3),
    gamma: fc.nat(5),
    lengthPenalty: fc.constantFrom(0, 1, 1.8),
    earlyStopping: fc.constantFrom(true, false, 'never' as const),
    maxNewTokens: fc.integer({ min: 1, max: 12 }),
    noRepeatNgramSize: fc.constantFrom(undefined, 2),
  });

  it('with any draft, width and γ finds the tokens and score bits of the plain search, and keeps no slot afterwards', async () => {
    const saved: Record<string, number> = { itself: 0, rough: 0, other: 0, exit: 0 };
    await fc.assert(
      fc.asyncProperty(request, async ({ source, draft, extra, gamma, ...rest }) => {
        const settings = { ...rest, numReturnSequences: rest.numBeams };
        const plain: BeamSearchRequest = { target, source, settings };
        const drafter = {
          model: drafts[draft],
          width: rest.numBeams + extra,
          gamma,
          layers: draft === 'exit' ? 2 : undefined,
        };
        const expected = await beamSearch(plain);
        const found = await beamSearch({ ...plain, drafter });
        expect(found.sequences).toEqual(expected.sequences);
        expect(found.metrics.steps).toBe(expected.metrics.steps);
        expect(found.metrics.targetCalls).toBeLessThanOrEqual(expected.metrics.targetCalls);
        if (draft === 'itself') {
          expect(found.metrics.targetCalls).toBe(Math.ceil(expected.metrics.steps / (gamma + 1)));
        }
        saved[draft] += found.metrics.acceptedSteps;
        expect([slotsHeld(target), slotsHeld(drafts[draft])]).toEqual([0, 0]);
      }),
      { numRuns: 100 },
    );
    expect(Math.min(saved.itself, saved.rough, saved.exit)).toBeGreaterThan(0);
  });

  it('is not changed by searches before it', async () => {
    const search = (source: number[]) => beamSearch({ target, source, settings: { numBeams: 3, maxNewTokens: 8 } });
    const first = await search([4, 9]);
    await search([30, 2, 8]);
    expect((await search([4, 9])).sequences).toEqual(first.sequences);
  });

  it('runs beside other searches on one model, and each finds what it finds alone', async () => {
    const sources = [[4, 9], [30, 2, 8], [11]];
    const search = (source: number[]) =>
      beamSearch({ target, source, settings: { numBeams: 3 }, drafter: { model: drafts.rough, gamma: 2 } });
    const alone = [];
    for (const source of sources) alone.push((await search(source)).sequences);
    const together = await Promise.all(sources.map(search));
    expect(together.map(({ sequences }) => sequences)).toEqual(alone);
    expect(slotsHeld(target)).toBe(0);
  });
});
