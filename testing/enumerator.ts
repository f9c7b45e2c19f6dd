import { TandemError } from '../common';
import type { Address, Distribution, Random } from '../decoding';

/** Outcomes of a run with their exact probabilities. */
export type Outcomes = Map<string, number>;

/** One choice of a path: what it was for, what came out, and its share of the probability before it. */
export interface PathStep {
  readonly at: Address;
  /** The token that was drawn, or whether a token was accepted. */
  readonly chosen: number | boolean;
  readonly share: number;
}

/** One path through the sampler. */
export interface Path {
  readonly outcome: string;
  readonly probability: number;
  readonly steps: readonly PathStep[];
}

/** The name of the uniform number at an address. A wrong sampler can give two addresses the same name. */
export type Naming = (at: Address) => string;

const everyPart: Naming = ({ sequence, round, position, purpose }) => `${sequence}/${round}/${position}/${purpose}`;

/**
 * Runs the shipped code through every path. Each address has one number, uniform in [0, 1), of which an interval is known. A
 * choice cuts the interval into pieces, and each piece is a path with its share of the probability. So a number that is used
 * twice gives consistent answers, and its reuse shows as a bias of the outcomes.
 */
export async function enumeratePaths(
  run: (random: Random) => Promise<string>,
  naming: Naming = everyPart,
): Promise<Path[]> {
  const paths: Path[] = [];
  const waiting: number[][] = [[]];
  for (let taken = waiting.pop(); taken; taken = waiting.pop()) {
    const walk = new Walk(taken, naming);
    const outcome = await run(walk.random);
    paths.push({ outcome, probability: walk.probability, steps: walk.steps });
    waiting.push(...walk.others);
  }
  return paths;
}

/** The outcomes of all paths, with what the paths to each add up to. */
export async function enumerate(run: (random: Random) => Promise<string>, naming?: Naming): Promise<Outcomes> {
  return addUp(await enumeratePaths(run, naming));
}

export function addUp(paths: readonly Path[]): Outcomes {
  const outcomes: Outcomes = new Map();
  for (const { outcome, probability } of paths) outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + probability);
  return outcomes;
}

class Walk {
  probability = 1;
  readonly others: number[][] = [];
  readonly steps: PathStep[] = [];
  private readonly known = new Map<string, [number, number]>();
  private readonly taken: number[] = [];

  constructor(
    private readonly path: readonly number[],
    private readonly naming: Naming,
  ) {}

  readonly random: Random = {
    exponential: () => {
      throw new Error('a continuous number has no finite list of outcomes');
    },
    accept: (weight, of, at) => this.choose([Math.min(1, weight / of)], at, (piece) => piece === 0),
    categorical: (distribution, at) => {
      const bounds: number[] = [];
      const tokens: number[] = [];
      let sum = 0;
      distribution.probabilities.forEach((probability, i) => {
        if (probability <= 0) return;
        sum += probability;
        bounds.push(sum);
        tokens.push(tokenAt(distribution, i));
      });
      return this.choose(bounds.slice(0, -1), at, (piece) => tokens[piece]);
    },
  };

  /** What the piece means in which the number at this address is, when [0, 1) is cut at `bounds`. */
  private choose<T extends number | boolean>(bounds: readonly number[], at: Address, meaning: (piece: number) => T): T {
    const name = this.naming(at);
    const [low, high] = this.known.get(name) ?? [0, 1];
    const pieces: { index: number; low: number; high: number }[] = [];
    for (let index = 0; index <= bounds.length; index++) {
      const from = Math.max(low, index === 0 ? 0 : bounds[index - 1]);
      const to = Math.min(high, index === bounds.length ? 1 : bounds[index]);
      if (to > from) pieces.push({ index, low: from, high: to });
    }
    const step = this.taken.length;
    const pick = this.path[step] ?? 0;
    if (step >= this.path.length) {
      for (let other = 1; other < pieces.length; other++) this.others.push([...this.taken, other]);
    }
    this.taken.push(pick);
    const piece = pieces[pick];
    if (piece === undefined) {
      throw new TandemError(
        'argument-invalid',
        `enumerate: expected a sampler that depends on its random numbers alone, found another choice at ${name} in a second run`,
      );
    }
    this.known.set(name, [piece.low, piece.high]);
    const share = (piece.high - piece.low) / (high - low);
    this.probability *= share;
    const chosen = meaning(piece.index);
    this.steps.push({ at, chosen, share });
    return chosen;
  }
}

function tokenAt({ tokens }: Distribution, index: number): number {
  return tokens ? tokens[index] : index;
}

/** The outcome whose probabilities differ most, as [outcome, probability in `a`, probability in `b`]. */
export function furthest(a: Outcomes, b: Outcomes): readonly [string, number, number] {
  let found: readonly [string, number, number] = ['', 0, 0];
  for (const key of new Set([...a.keys(), ...b.keys()])) {
    const [inA, inB] = [a.get(key) ?? 0, b.get(key) ?? 0];
    if (Math.abs(inA - inB) > Math.abs(found[1] - found[2])) found = [key, inA, inB];
  }
  return found;
}

/** Half the sum of absolute differences. */
export function totalVariation(a: Outcomes, b: Outcomes): number {
  let sum = 0;
  for (const key of new Set([...a.keys(), ...b.keys()])) sum += Math.abs((a.get(key) ?? 0) - (b.get(key) ?? 0));
  return sum / 2;
}
