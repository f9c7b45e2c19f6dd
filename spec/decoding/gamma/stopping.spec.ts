import fc from 'fast-check';
import { automaticGamma } from '../../../decoding/gamma/automatic';
import { WayCosts } from '../../../decoding/gamma/learnt';
import { expectedTokens } from '../../../decoding/gamma/theory';
import { seededRandom } from '../../../decoding/sampling/random';

/** Milliseconds of a target call, of a draft step, and of a round's first step beyond that. */
interface World {
  readonly call: (rows: number) => number;
  readonly step: number;
  readonly first: number;
}

/** What a draft is at some places of a text: how sure it is, and how often it is right. */
interface Place {
  readonly confidence: number | null;
  readonly right: number;
}

const WORLDS: Readonly<Record<string, World>> = {
  'rows are cheap': { call: (rows) => 3 * (1 + 0.03 * (rows - 1)), step: 0.2, first: 0.1 },
  'rows cost a tenth': { call: (rows) => 2 * (1 + 0.1 * (rows - 1)), step: 0.12, first: 0.1 },
  'rows are dear': { call: (rows) => 2 * (1 + 0.2 * (rows - 1)), step: 0.12, first: 0.1 },
  'rows come in fours': { call: (rows) => 2 * (1 + 0.3 * (Math.ceil(rows / 4) - 1)), step: 0.12, first: 0.1 },
  'the draft is dear': { call: (rows) => 2 * (1 + 0.1 * (rows - 1)), step: 0.4, first: 0.1 },
};

const uniform = (seed: number, position: number) =>
  1 - Math.exp(-seededRandom(seed).exponential(0, { sequence: 'places', position }));

/** Two of three places are easy, in stretches. */
function placesOf(seed: number, length: number, kinds: readonly [easy: Place, hard: Place]): [Place, boolean][] {
  let isEasy = true;
  return Array.from({ length }, (_, i) => {
    if (uniform(seed, 3 * i) < (isEasy ? 0.25 : 0.5)) isEasy = !isEasy;
    const place = kinds[isEasy ? 0 : 1];
    return [place, uniform(seed, 3 * i + 1) < place.right];
  });
}

/** Decodes texts; tokens in the time of a plain round, and how many were proposed in each round. */
function decode({ call, step, first }: World, kinds: readonly [Place, Place], stops: boolean, texts = 30) {
  const costs = new WayCosts();
  const lengths: number[] = [];
  let [time, tokens] = [0, 0];
  for (let text = 0; text < texts; text++) {
    const places = placesOf(text, 96, kinds);
    const chooser = automaticGamma(costs, 32, stops);
    for (let at = 0; at < places.length; ) {
      const left = places.length - at;
      const gamma = Math.min(chooser.next({ streams: 1, isOpen: true, left: left + 1 }), left);
      const { stopping } = chooser;
      const longest = gamma === 0 ? 0 : Math.min(stopping?.longest ?? gamma, left);
      let proposed = 0;
      while (proposed < longest) {
        const [{ confidence }] = places[at + proposed++];
        if (stopping && !stopping.goesOn(confidence, proposed)) break;
      }
      let kept = 0;
      while (kept < proposed && places[at + kept][1]) kept++;
      const targetMs = call(proposed + 1);
      const draftMs = proposed > 0 ? first + proposed * step : 0;
      const caughtUp = proposed > 0 && chooser.isCatchingUp === true;
      const counted = { streams: 1, rows: proposed + 1, steps: proposed, tokens: kept + 1, opened: 0, openingMs: 0 };
      costs.learn({ ...counted, draftMs, targetMs, caughtUp });
      chooser.finished(proposed, kept);
      lengths.push(proposed);
      time += targetMs + draftMs;
      tokens += kept + 1;
      at += kept + 1;
    }
  }
  return { speed: (tokens * call(1)) / time, lengths };
}

const TOLD: readonly [Place, Place] = [
  { confidence: 0.97, right: 0.97 },
  { confidence: 0.4, right: 0.4 },
];
const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

describe('how long a proposal gets where the draft tells how sure it is', () => {
  it.each(Object.entries(WORLDS))(
    'brings 5 % more tokens than γ alone, and more than every fixed γ, where %s',
    (_, world) => {
      const alone = decode(world, TOLD, false).speed;
      const told = decode(world, TOLD, true);
      expect(told.speed).toBeGreaterThan(1.05 * alone);
      const fixed = Array.from({ length: 12 }, (_, i) => fixedSpeed(world, i + 1));
      expect(told.speed).toBeGreaterThan(Math.max(...fixed));
    },
  );

  it('learns what a draft’s confidence is worth: one that is sure of all its tokens, right or wrong, is stopped as by γ alone', () => {
    for (const world of Object.values(WORLDS)) {
      const boasting: [Place, Place] = [
        { ...TOLD[0], confidence: 0.999 },
        { ...TOLD[1], confidence: 0.999 },
      ];
      const alone = decode(world, boasting, false).speed;
      expect(decode(world, boasting, true).speed).toBeGreaterThan(0.9 * alone);
      const shy: [Place, Place] = [
        { ...TOLD[0], confidence: 0.01 },
        { ...TOLD[1], confidence: 0.01 },
      ];
      expect(decode(world, shy, true).speed).toBeGreaterThan(0.9 * alone);
    }
  });

  it('changes nothing for a draft that does not tell', () => {
    for (const world of Object.values(WORLDS)) {
      const silent: [Place, Place] = [
        { ...TOLD[0], confidence: null },
        { ...TOLD[1], confidence: null },
      ];
      expect(decode(world, silent, true).lengths).toEqual(decode(world, silent, false).lengths);
    }
  });

  it('is longer at easy places than at hard ones', () => {
    const world = WORLDS['rows cost a tenth'];
    const easy = decode(world, [TOLD[0], TOLD[0]], true).lengths;
    const hard = decode(world, [TOLD[1], TOLD[1]], true).lengths;
    expect(mean(easy)).toBeGreaterThan(mean(hard) + 3);
  });

  /** A chooser that knows its world: every number of rows was timed, and α is what it was told. */
  function knowing({ call, step, first }: World, alpha: number) {
    const costs = new WayCosts();
    const learn = (steps: number) => {
      const counted = { streams: 1, rows: steps + 1, steps, tokens: steps + 1, opened: 0, openingMs: 0 };
      costs.learn({
        ...counted,
        draftMs: steps > 0 ? first + steps * step : 0,
        targetMs: call(steps + 1),
        caughtUp: false,
      });
    };
    for (let i = 0; i < 4; i++) learn(0);
    for (let steps = 1; steps <= 40; steps++) for (let i = 0; i < 4; i++) learn(steps);
    for (let i = 0; i < 4; i++) learn(0);
    for (let i = 0; i < 400; i++) costs.judge(1, i % 100 < 100 * alpha ? 1 : 0);
    return { costs, chooser: automaticGamma(costs, 32) };
  }

  it('goes on while one token more brings more tokens than its time does at the speed of the best γ', () => {
    const places = fc.array(fc.option(fc.double({ min: 0.05, max: 1, noNaN: true })), { minLength: 1, maxLength: 20 });
    fc.assert(
      fc.property(
        fc.constantFrom(...Object.values(WORLDS)),
        fc.constantFrom(0.5, 0.75, 0.9),
        places,
        (world, alpha, told) => {
          const { costs, chooser } = knowing(world, alpha);
          const gamma = chooser.next();
          if (gamma === 0 || gamma === 32) return;
          const { call, step, first } = world;
          const known = Math.min(1, costs.alpha);
          const costOf = (length: number) => (call(length + 1) + first + length * step) / call(1);
          const speeds = Array.from({ length: 32 }, (_, i) => expectedTokens(known, i + 1) / costOf(i + 1));
          const best = 1 + speeds.indexOf(Math.max(...speeds));
          expect(gamma).toBe(best);
          const price = (Math.max(...speeds) * (costOf(2 * best + 2) - costOf(1))) / (2 * best + 1);
          let reached = known;
          for (const [i, confidence] of told.entries()) {
            reached *= confidence === null ? known : costs.confidence.share(confidence);
            if (confidence === null) {
              expect(chooser.stopping?.goesOn(null, i + 1)).toBe(i + 1 < gamma);
              continue;
            }
            if (Math.abs(reached - price) < 1e-3) return; // clocks of the law and of the curve differ in rounding
            expect(chooser.stopping?.goesOn(confidence, i + 1)).toBe(reached > price);
          }
        },
      ),
    );
  });

  it('takes a proposal that begins again for a new one', () => {
    const { chooser } = knowing(WORLDS['rows cost a tenth'], 0.9);
    chooser.next();
    const ask = () => Array.from({ length: 12 }, (_, i) => chooser.stopping?.goesOn(i === 2 ? null : 0.9, i + 1));
    const first = ask();
    expect(first).toContain(true);
    expect(first).toContain(false);
    expect(ask()).toEqual(first);
  });

  it('judges the tokens up to the first rejection, and no other', () => {
    const cases = fc.tuple(fc.integer({ min: 1, max: 8 }), fc.nat(8), fc.double({ min: 0, max: 1, noNaN: true }));
    fc.assert(
      fc.property(cases, ([proposed, accepted, confidence]) => {
        const kept = Math.min(accepted, proposed);
        const { costs, chooser } = knowing(WORLDS['rows cost a tenth'], 0.9);
        const judged: [number, boolean][] = [];
        costs.confidence.judge = (told, isAccepted) => void judged.push([told, isAccepted]);
        chooser.next();
        const told = Array.from({ length: proposed }, (_, i) => (i % 3 === 2 ? null : confidence / (i + 1)));
        for (const [i, one] of told.entries()) chooser.stopping?.goesOn(one, i + 1);
        chooser.finished(proposed, kept);
        const expected = told.slice(0, kept + 1).map((one, i) => [one, i < kept]);
        expect(judged).toEqual(expected.filter(([one]) => one !== null));
        judged.length = 0;
        chooser.next();
        chooser.finished(2, 1); // a draft that tells nothing now
        expect(judged).toEqual([]);
      }),
    );
  });

  it('is decided by γ alone where nobody asks for more', () => {
    expect(automaticGamma(new WayCosts(), 16, false).stopping).toBeUndefined();
    expect(automaticGamma(new WayCosts(), 16).stopping?.longest).toBe(16);
  });

  /** Tokens in the time of a plain round with a fixed number of proposed tokens. */
  function fixedSpeed({ call, step, first }: World, gamma: number): number {
    let [time, tokens] = [0, 0];
    for (let text = 0; text < 30; text++) {
      const places = placesOf(text, 96, TOLD);
      for (let at = 0; at < places.length; ) {
        const proposed = Math.min(gamma, places.length - at);
        let kept = 0;
        while (kept < proposed && places[at + kept][1]) kept++;
        time += call(proposed + 1) + first + proposed * step;
        tokens += kept + 1;
        at += kept + 1;
      }
    }
    return (tokens * call(1)) / time;
  }
});
