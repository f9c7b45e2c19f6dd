import { openDrafts } from '../../../api/drafts/open';
import { copyDrafter } from '../../../decoding';
import type { T5Model } from '../../../engine';

const parts = { target: { vocabularySize: 7 } as T5Model, models: new Map(), tables: new Map() };
const plan = () => ({ kind: 'drafter', drafter: copyDrafter(7) }) as const;

describe('drafts that are opened', () => {
  it('are none for no plan, and the one drafter itself for one', () => {
    expect(openDrafts([], parts)).toEqual({ drafter: null, beamDrafter: null });
    const one = plan();
    expect(openDrafts([one], parts).drafter).toBe(one.drafter);
  });

  it('of several plans are a drafter of their own, which is none of them', () => {
    const several = [plan(), plan()];
    const { drafter } = openDrafts(several, parts);
    expect(drafter?.vocabularySize).toBe(7);
    expect(several.map((one) => one.drafter)).not.toContain(drafter);
  });
});
