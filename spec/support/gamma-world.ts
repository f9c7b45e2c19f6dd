import { automaticGamma } from '../../decoding/gamma/automatic';
import type { WayCosts } from '../../decoding/gamma/learnt';
import { seededRandom } from '../../decoding/sampling/random';

/** A machine in milliseconds, and a draft. */
export interface World {
  /** A target call of so many rows. */
  readonly call: (rows: number) => number;
  readonly step: number;
  readonly opening: number;
  readonly alpha: number;
  /** Of a round's first draft step, beyond `step`. Default 0. */
  readonly first?: number;
  /** Factor of the draft's time, after so many rounds in which it proposed. Default 1. */
  readonly warming?: (rounds: number) => number;
  /** Factor of the target's time in a round with a proposal after one without, and the other way round. Default 1. */
  readonly turning?: number;
  /** Whether the target agrees with what the draft proposes at a place of a text. Default: with a probability of `alpha`. */
  readonly agrees?: (text: number, place: number) => boolean;
  /** Tokens at the beginning of each text that the draft never proposes right. Default 0. */
  readonly hard?: number;
  /** Of the draft, for each token of rounds in which it did not propose. Default 0. */
  readonly reading?: number;
  /** Factor of each time: what else the machine does. */
  readonly noise?: (time: number) => number;
}

/** A random number of mean 1 that belongs to a place. */
export const number = (seed: number, position: number) =>
  seededRandom(seed).exponential(0, { sequence: 'world', position });

/** Decodes texts with γ by learnt costs; returns the time with and without a draft, and every γ. */
export function decode(world: World, costs: WayCosts, { texts = 8, tokens = 64, streams = 1, seed = 1 } = {}) {
  const { call, step, opening, alpha, reading = 0, first = 0, turning = 1, hard = 0, agrees } = world;
  const { noise = (time: number) => time, warming = () => 1 } = world;
  const gammas: number[] = [];
  let asked = 0;
  let [time, plain, drawn] = [0, 0, 0];
  for (let text = 0; text < texts; text++) {
    const choosers = Array.from({ length: streams }, () => automaticGamma(costs, 16));
    let [isOpen, missed] = [false, 0];
    for (let done = 0; done < tokens; ) {
      const left = tokens - done;
      const gamma = Math.min(...choosers.map((one) => one.next({ streams, isOpen, left })), left - 1);
      const opened = gamma > 0 && !isOpen;
      isOpen ||= gamma > 0;
      let kept = 0;
      const isKept = (place: number) =>
        agrees?.(text, place) ?? (place >= hard && number(seed, drawn++) < -Math.log(1 - alpha));
      while (kept < gamma && isKept(done + kept)) kept++;
      const [draftMs, targetMs] = [
        noise(gamma > 0 ? warming(asked++) * (gamma * step + first + missed * reading) : 0),
        noise(call(streams * (gamma + 1)) * (gamma > 0 === (gammas.at(-1) ?? 0) > 0 ? 1 : turning)),
      ];
      missed = gamma > 0 ? 0 : missed + 1;
      const openingMs = opened ? noise(opening) * streams : 0;
      const caughtUp = gamma > 0 && choosers[0].isCatchingUp === true;
      for (const one of choosers) one.finished(gamma, kept);
      costs.learn({
        ...{ streams, rows: streams * (gamma + 1), steps: gamma, tokens: streams * (kept + 1) },
        ...{ draftMs, targetMs, openingMs, opened: opened ? streams : 0, caughtUp },
      });
      gammas.push(gamma);
      time += draftMs + targetMs + openingMs;
      plain += (kept + 1) * call(streams);
      done += kept + 1;
    }
  }
  return { time, plain, gammas };
}

/** Time of the best fixed γ / of plain decoding. */
export function bestFixed({ call, step, alpha, first = 0 }: World): number {
  const each = Array.from({ length: 17 }, (_, gamma) => {
    const tokens = (1 - alpha ** (gamma + 1)) / (1 - alpha);
    return (gamma * step + (gamma > 0 ? first : 0) + call(gamma + 1)) / tokens / call(1);
  });
  return Math.min(...each);
}
