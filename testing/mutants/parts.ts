import {
  chain,
  type Distribution,
  type Drafter,
  type DraftRequest,
  type DraftSession,
  type Draw,
  modelDrafter,
  normalised,
  PAPERS_RULE,
  probabilityOf,
  residual,
  type TokenRule,
} from '../../decoding';
import type { Naming } from '../enumerator';
import { samplerOutcomes, targetOutcomes } from '../exactness';
import { randomTable, tableModel } from '../table-model';
import { distanceFinding, type Family, type Finding, worstOf } from './family';

/** A sampler that is wrong on purpose, in a way that was seen elsewhere. */
export interface Mutant {
  readonly name: string;
  readonly rule?: TokenRule;
  readonly naming?: Naming;
  /** Changes what the drafter proposes. */
  readonly drafter?: (inner: Drafter) => Drafter;
}

/** Weights over the target's support, normalised. */
function reweighted(
  target: Distribution,
  draft: Distribution,
  weigh: (target: number, draft: number) => number,
): Distribution {
  const weights = target.probabilities.map((probability, i) =>
    weigh(probability, probabilityOf(draft, target.tokens ? target.tokens[i] : i)),
  );
  return normalised(target, weights) ?? target;
}

const withAccept = (accept: TokenRule['accepts']): TokenRule => ({ ...PAPERS_RULE, accepts: accept });
const withResidual = (rest: TokenRule['residual']): TokenRule => ({ ...PAPERS_RULE, residual: rest });
const of = (distribution: Distribution, draw: Draw) => probabilityOf(distribution, draw.token);

/** Wraps every session of a drafter. */
function wrap(
  inner: Drafter,
  propose: (session: DraftSession, request: DraftRequest) => Promise<readonly Draw[]>,
): Drafter {
  return {
    ...inner,
    open: async (source) => {
      const session = await inner.open(source);
      return {
        get calls() {
          return session.calls;
        },
        propose: async (request) => chain(await propose(session, request)),
        rewind: (length, path) => session.rewind(length, path),
        dispose: () => session.dispose(),
      };
    },
  };
}

/** The draws of a chain that a session proposes. */
const drawsOf = async (session: DraftSession, request: DraftRequest) =>
  (await session.propose(request)).map(({ draw }) => draw);

/** A draw that claims to come from another distribution. */
const claim = (draw: Draw, distribution: Distribution): Draw => ({ ...draw, distribution });

export const MUTANTS: readonly Mutant[] = [
  { name: 'accepts every draft token', rule: withAccept(() => true) },
  { name: 'accepts with the target probability alone', rule: withAccept((t, d, r, at) => r.accept(of(t, d), 1, at)) },
  {
    name: 'accepts with draft / target',
    rule: withAccept((t, d, r, at) => of(t, d) > 0 && r.accept(of(d.distribution, d), of(t, d), at)),
  },
  {
    name: 'accepts whenever the target prefers the token, never otherwise',
    rule: withAccept((t, d) => of(t, d) >= of(d.distribution, d)),
  },
  {
    name: 'is lenient by a half and does not say so',
    rule: withAccept((t, d, r, at) => r.accept(of(t, d), of(d.distribution, d) / 2, at)),
  },
  { name: 'corrects from the target itself', rule: withResidual((target) => target) },
  {
    name: 'corrects from |target − draft|',
    rule: withResidual((t, d) => reweighted(t, d, (a, b) => Math.abs(a - b))),
  },
  {
    name: 'corrects from draft − target',
    rule: withResidual((t, d) => reweighted(t, d, (a, b) => Math.max(0, b - a))),
  },
  {
    name: 'corrects from target / draft',
    rule: withResidual((t, d) => reweighted(t, d, (a, b) => (b > 0 ? a / b : a))),
  },
  {
    name: 'corrects with the arg-max of the residual',
    rule: withResidual((t, d) => {
      const rest = residual(t, d);
      const best = rest.probabilities.indexOf(Math.max(...rest.probabilities));
      return { ...rest, probabilities: rest.probabilities.map((_, i) => (i === best ? 1 : 0)) };
    }),
  },
  {
    name: 'draws the same numbers again in every round',
    naming: ({ purpose }) => purpose,
  },
  {
    name: 'uses one number to propose and to accept',
    naming: ({ round, position, purpose }) => `${round}/${position}/${purpose === 'accept' ? 'propose' : purpose}`,
  },
  {
    name: 'uses one number to accept and to correct',
    naming: ({ round, position, purpose }) => `${round}/${position}/${purpose === 'correct' ? 'accept' : purpose}`,
  },
  {
    name: 'scores a greedy draft token with its soft probability',
    drafter: (inner) =>
      wrap(inner, async (session, request) => {
        const greedy = await drawsOf(session, {
          ...request,
          processing: { ...request.processing, temperature: 0 },
          gamma: 1,
        });
        session.rewind(request.ids.length - 1, []);
        const soft = await drawsOf(session, { ...request, gamma: 1 });
        return greedy.map((draw, i) => claim(draw, soft[i].distribution));
      }),
  },
  {
    name: 'scores the draft after another temperature',
    drafter: (inner) =>
      wrap(inner, async (session, request) => {
        const sharp = { ...request.processing, temperature: 0.3 };
        const drawn = await drawsOf(session, { ...request, processing: sharp, gamma: 1 });
        session.rewind(request.ids.length - 1, []);
        const [other] = await drawsOf(session, { ...request, gamma: 1 });
        return drawn.map((draw) => claim(draw, other.distribution));
      }),
  },
  {
    name: 'throws a sampled draft token away when it is improbable',
    drafter: (inner) =>
      wrap(inner, async (session, request) => {
        const proposal = await drawsOf(session, request);
        const weak = proposal.findIndex((draw) => of(draw.distribution, draw) < 0.4);
        return weak < 0 ? proposal : proposal.slice(0, weak);
      }),
  },
  {
    name: 'samples the draft twice and hands over the first token with the second distribution',
    drafter: (inner) =>
      wrap(inner, async (session, request) => {
        const proposal = await drawsOf(session, request);
        return proposal.map((draw, i) => claim(draw, proposal[(i + 1) % proposal.length].distribution));
      }),
  },
  {
    name: 'proposes the best of two draft samples',
    drafter: (inner) =>
      wrap(inner, async (session, request) => {
        const proposal = await drawsOf(session, request);
        return proposal.map((draw, i) => {
          const other = request.draw(draw.distribution, -1 - i); // numbers of its own
          return of(other.distribution, other) > of(draw.distribution, draw) ? other : draw;
        });
      }),
  },
];

const SETTINGS = { temperature: 1, maxNewTokens: 3, gamma: 2 };

async function distance(mutant: Partial<Mutant>, seed: number): Promise<Finding> {
  const table = { vocabulary: 3, logits: randomTable(3, seed), eosTokens: [1] };
  const target = tableModel(table);
  const drafter = modelDrafter(tableModel({ ...table, logits: randomTable(3, seed + 500) }));
  const sampler = {
    request: { target, settings: SETTINGS, rule: mutant.rule },
    drafter: mutant.drafter ? mutant.drafter(drafter) : drafter,
    naming: mutant.naming,
  };
  return distanceFinding(await samplerOutcomes(sampler), targetOutcomes(table, SETTINGS), `models ${seed}`);
}

async function worst(mutant: Partial<Mutant>): Promise<Finding> {
  return worstOf(await Promise.all([3, 4, 5, 6].map((seed) => distance(mutant, seed))));
}

/** The shipped loop with a known-wrong rule, drafter or use of random numbers. */
export const PARTS: Family = {
  check: 'enumeration of texts, token',
  unit: 'total variation',
  limit: 1e-12,
  /** A mutant must measure more than this. The exact sampler stays far below it, at rounding errors. */
  caught: 1e-3,
  shipped: async () => (await worst({})).value,
  mutants: MUTANTS.map((mutant) => ({ name: mutant.name, measure: () => worst(mutant) })),
};
