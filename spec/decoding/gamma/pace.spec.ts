import { automaticGamma } from '../../../decoding/gamma/automatic';
import { WayCosts } from '../../../decoding/gamma/learnt';

/** Decodes texts of 64 tokens with a draft that never agrees, on a machine whose times are always the same; returns the rounds. */
function decode(costs: WayCosts, texts: number): number {
  for (let text = 0; text < texts; text++) {
    const chooser = automaticGamma(costs, 16);
    let isOpen = false;
    for (let left = 64; left > 0; left--) {
      const steps = chooser.next({ streams: 1, isOpen, left });
      const opened = steps > 0 && !isOpen ? 1 : 0;
      isOpen ||= steps > 0;
      const caughtUp = steps > 0 && chooser.isCatchingUp === true;
      chooser.finished(steps, 0);
      const times = { draftMs: 0.8 * steps, targetMs: 8 + steps, openingMs: 12 * opened };
      costs.learn({ streams: 1, rows: 1 + steps, steps, tokens: 1, ...times, opened, caughtUp });
    }
  }
  return texts * 64;
}

describe('where nothing has been proposed for long', () => {
  it('less than one round of twelve is thought over, and less than one of twelve is timed', () => {
    const costs = new WayCosts();
    decode(costs, 32);
    const seen = { thoughts: 0, passed: 0, tries: 0 };
    const [mayTry, passes] = [costs.mayTry.bind(costs), costs.passes.bind(costs)];
    costs.mayTry = (loss) => {
      seen.thoughts++;
      const allowed = mayTry(loss);
      if (allowed) seen.tries++;
      return allowed;
    };
    costs.passes = (streams) => {
      const passed = passes(streams);
      if (passed) seen.passed++;
      return passed;
    };
    const rounds = decode(costs, 64);
    expect(seen.thoughts).toBeLessThan(rounds / 12);
    expect(rounds - seen.passed).toBeLessThan(rounds / 12);
    expect(seen.tries).toBeGreaterThan(5); // the draft is still tried
  });

  it('one round of eight and then of 32 is timed, all are counted, and a machine that gets slower is followed', () => {
    const costs = new WayCosts();
    const round = (rows: number, targetMs: number, count: number) => {
      const what = { streams: 1, rows, steps: rows - 1, tokens: 1, draftMs: (rows - 1) * 0.5, targetMs };
      for (let i = 0; i < count; i++) costs.learn({ ...what, openingMs: 0, opened: 0, caughtUp: false });
    };
    round(2, 6, 14);
    round(1, 4, 40);
    expect(costs.cost(1, 1)).toBeCloseTo(6.5 / 4, 9);
    round(1, 5, 88); // those after 40, 48, 56, 64 and 96 rounds are timed
    expect(costs.cost(1, 1)).toBeCloseTo(6.5 / 4, 9);
    round(1, 5, 1); // that after 128 is the sixth
    expect(costs.cost(1, 1)).toBeCloseTo(6.5 / 5, 9);
    expect(costs.rounds).toBe(14 + 40 + 89);
  });
});
