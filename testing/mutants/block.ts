import { blockResidual, type Distribution, type Draw, probabilityOf, sample, verifyBlock } from '../../decoding';
import { exactSteps, onChain, type Verify } from '../small-loop';
import { type Family, textDistance, worstOf } from './family';

/** Block verification with its rules as separate functions, so that each can be made wrong alone. */
interface Rules {
  readonly running: (before: number, target: number, draft: number) => number;
  /** hᵢ as [weight, of] for a prefix of `length` tokens. */
  readonly held: (length: number, view: View) => readonly [number, number];
  /** Length of the accepted prefix, given whether each prefix passes. */
  readonly keep: (passes: (length: number) => boolean, gamma: number) => number;
  readonly after: (accepted: number, view: View) => Distribution;
}

interface View {
  readonly proposal: readonly Draw[];
  readonly targets: readonly Distribution[];
  /** p, [γ + 1] */
  readonly running: readonly number[];
}

const excess = (running: number, target: Distribution, draft: Distribution) =>
  target.probabilities.reduce((sum, probability, i) => {
    const token = target.tokens ? target.tokens[i] : i;
    return sum + Math.max(0, running * probability - probabilityOf(draft, token));
  }, 0);

const rules: Rules = {
  running: (before, target, draft) => Math.min(1, (before * target) / draft),
  held: (length, { proposal, targets, running }) => {
    if (length === proposal.length) return [running[length], 1];
    const left = excess(running[length], targets[length], proposal[length].distribution);
    return [left, left + 1 - running[length]];
  },
  keep: (passes, gamma) => {
    let length = gamma;
    while (length > 0 && !passes(length)) length--;
    return length;
  },
  after: (accepted, { proposal, targets, running }) =>
    accepted === proposal.length
      ? targets[accepted]
      : blockResidual(running[accepted], targets[accepted], proposal[accepted].distribution),
};

/** @param shared whether all prefixes of a round use the same number */
function verifyWith({ running, held, keep, after }: Rules, shared = false): Verify {
  return (proposal, targets, random, at) => {
    const p = [1];
    for (const [i, { token, distribution }] of proposal.entries()) {
      p.push(running(p[i], probabilityOf(targets[i], token), probabilityOf(distribution, token)));
    }
    const view: View = { proposal, targets, running: p };
    const passes = (length: number) => {
      const [weight, of] = held(length, view);
      const position = at.position + (shared ? 0 : length - 1);
      return weight > 0 && (weight >= of || random.accept(weight, of, { ...at, position, purpose: 'accept' }));
    };
    const accepted = keep(passes, proposal.length);
    const purpose = accepted === proposal.length ? ('bonus' as const) : ('correct' as const);
    const next = sample(after(accepted, view), random, { ...at, position: at.position + accepted, purpose });
    return { accepted, next };
  };
}

/** Long enough for prefixes of two tokens. */
const WORLD = { gamma: 3, maxNewTokens: 4 };
const distance = (verify: Verify) => textDistance({ ...exactSteps, verify }, WORLD);
const wrong = (name: string, changes: Partial<Rules>, shared = false) => ({
  name: `block verification that ${name}`,
  measure: () => distance(verifyWith({ ...rules, ...changes }, shared)),
});

/** The separate rules, all right. */
export const plainBlock: Verify = verifyWith(rules);

export const BLOCK: Family = {
  check: 'enumeration of texts, block',
  unit: 'total variation',
  limit: 1e-12,
  caught: 1e-3,
  shipped: async () => worstOf([await distance(onChain(verifyBlock)), await distance(plainBlock)]).value,
  mutants: [
    wrong('stops at the first prefix that fails', {
      keep: (passes, gamma) => {
        let length = 0;
        while (length < gamma && passes(length + 1)) length++;
        return length;
      },
    }),
    wrong('takes Z from the distributions of its own last token', {
      held: (length, view) => {
        const { proposal, targets, running } = view;
        if (length === proposal.length) return rules.held(length, view);
        const left = excess(running[length], targets[length - 1], proposal[length - 1].distribution);
        return [left, left + 1 - running[length]];
      },
    }),
    wrong('corrects without the running p', {
      after: (accepted, view) => rules.after(accepted, { ...view, running: view.running.map(() => 1) }),
    }),
    wrong('lets p grow beyond 1', {
      running: (before, target, draft) => (before * target) / draft,
    }),
    wrong('corrects after a whole proposal too', {
      after: (accepted, view) => {
        const last = view.proposal.length - 1;
        if (accepted <= last || last < 0) return rules.after(accepted, view);
        return blockResidual(view.running[last], view.targets[accepted], view.proposal[last].distribution);
      },
    }),
    wrong('takes no mass left (Z = 0) for certainty', {
      held: (length, view) => {
        const [weight, of] = rules.held(length, view);
        return length < view.proposal.length && weight === 0 ? [1, 1] : [weight, of];
      },
    }),
    wrong('judges the last token on its own', {
      held: (length, view) => {
        const { proposal, targets } = view;
        if (length < proposal.length) return rules.held(length, view);
        const { token, distribution } = proposal[length - 1];
        return [probabilityOf(targets[length - 1], token), probabilityOf(distribution, token)];
      },
    }),
    wrong('holds a prefix with p in place of h', {
      held: (length, { running }) => [running[length], 1],
    }),
    wrong('judges every prefix by one number', {}, true),
  ],
};
