import {
  type Address,
  type Distribution,
  overlap,
  probabilityOf,
  type Random,
  type RoundFacts,
  type Settings,
  TraceRecorder,
} from '../../decoding';
import type { ShownNode, ShownPosition, ShownProposal, ShownRound } from '../protocol';
import { numberAt, shownDraw } from './draws';

/** Tokens shown of each position; the others are shown as one. */
const SHOWN_TOKENS = 6;

type Decision = { readonly at: Address; readonly weight: number; readonly of: number };

/** Records a run as a trace, and hands on every round as the page draws it. */
export class RoundRecorder extends TraceRecorder {
  private index = 0;
  private decisions: Decision[] = [];
  private seconds = { draft: 0, target: 0 };

  constructor(
    private readonly settings: Settings,
    private readonly labelOf: (id: number) => string,
    private readonly onRound: (round: ShownRound) => void,
  ) {
    super(SHOWN_TOKENS);
  }

  override listenTo(random: Random): Random {
    const heard = super.listenTo(random);
    return {
      ...heard,
      accept: (weight, of, at) => {
        this.decisions.push({ weight, of, at });
        return heard.accept(weight, of, at);
      },
    };
  }

  override round(facts: RoundFacts): void {
    super.round(facts);
    this.onRound(this.shown(facts));
    this.index++;
    this.decisions = [];
    this.seconds = { draft: facts.tally.draftSeconds, target: facts.tally.targetSeconds };
  }

  private shown(facts: RoundFacts): ShownRound {
    const { position, proposal, targets, verdict, tokens, tally } = facts;
    const accepted = verdict.path.length;
    const isTree = this.settings.branching !== undefined && proposal.length > 0;
    const last = verdict.path.at(-1) ?? -1;
    const wasRejected = isTree ? proposal.some(({ parent }) => parent === last) : accepted < proposal.length;
    const kind = wasRejected ? 'corrected' : proposal.length > 0 ? 'bonus' : 'target';
    const { token, distribution } = verdict.next;
    const purpose = kind === 'corrected' ? 'correct' : 'bonus';
    const number = this.numberOf(distribution, { purpose, position: position + accepted });
    const draft = kind === 'corrected' && !isTree ? proposal[accepted].draw.distribution : null;
    return {
      index: this.index,
      before: position,
      tree: isTree ? this.tree(facts) : null,
      proposals: isTree ? [] : proposal.map((_, i) => this.proposal(facts, i)),
      positions: isTree
        ? []
        : targets.map((target, i) => this.position(target, proposal[i]?.draw.distribution ?? null)),
      accepted,
      next: {
        kind,
        from: this.position(distribution, draft, [token]),
        drawn: shownDraw(distribution, token, number, this.labelOf),
      },
      tokens: tokens.map(this.labelOf),
      milliseconds: {
        draft: (tally.draftSeconds - this.seconds.draft) * 1000,
        target: (tally.targetSeconds - this.seconds.target) * 1000,
      },
    };
  }

  /** A candidate was judged when it follows the kept path and no sibling before it was kept. */
  private tree({ proposal, targets, verdict: { path } }: RoundFacts): ShownNode[] {
    return proposal.map(({ parent, draw: { token, distribution } }, i) => {
      const depth = parent < 0 ? 0 : path.indexOf(parent) + 1;
      const isBesidePath = parent < 0 || depth > 0;
      const isJudged = isBesidePath && (depth === path.length || i < path[depth]);
      return {
        parent,
        label: this.labelOf(token),
        target: probabilityOf(targets[parent + 1], token),
        draft: probabilityOf(distribution, token),
        verdict: path.includes(i) ? 'kept' : isJudged ? 'rejected' : 'unread',
      };
    });
  }

  private proposal({ proposal, targets, position, verdict }: RoundFacts, i: number): ShownProposal {
    const { token, distribution } = proposal[i].draw;
    const accepted = verdict.path.length;
    const place = position + i;
    const decision = this.decisions.find(({ at }) => at.position === place && at.purpose === 'accept');
    const drawn = this.numberOf(distribution, { purpose: 'propose', position: place });
    const [inTarget, inDraft] = [probabilityOf(targets[i], token), probabilityOf(distribution, token)];
    const { lenience = 1, temperature = 0, verification = 'token' } = this.settings;
    const isKnown = temperature === 0 || verification === 'block'; // a prefix that is tested without a number passes or fails
    const plain = isKnown ? Number(i < accepted) : Math.min(1, inTarget / (lenience * inDraft));
    const unread = i > accepted && verification === 'token';
    return {
      id: token,
      label: this.labelOf(token),
      target: inTarget,
      draft: inDraft,
      drawn: shownDraw(distribution, token, drawn, this.labelOf),
      verdict: i < accepted ? 'kept' : unread ? 'unread' : 'rejected',
      chance: decision ? Math.min(1, decision.weight / decision.of) : plain,
      number: decision ? numberAt(this.seed, decision.at) : null,
    };
  }

  /** The number that drew from a distribution; null where it was not asked for, because there is one token, or tokens race. */
  private numberOf(distribution: Distribution, at: Pick<Address, 'purpose' | 'position'>): number | null {
    if (distribution.tokens?.length === 1 || this.settings.verification === 'coupled') return null;
    return numberAt(this.seed, { sequence: this.settings.sequence ?? 'main', round: this.index, ...at });
  }

  private get seed(): number {
    return this.settings.seed ?? 0;
  }

  /** @param always tokens that are among those shown, however little mass they have */
  private position(target: Distribution, draft: Distribution | null, always: readonly number[] = []): ShownPosition {
    const inBoth = (id: number) => [probabilityOf(target, id), draft ? probabilityOf(draft, id) : 0] as const;
    const ids = new Set(always);
    for (const one of draft ? [target, draft] : [target]) for (const id of likeliest(one)) ids.add(id);
    const ranked = [...ids].sort((a, b) => Math.max(...inBoth(b)) - Math.max(...inBoth(a)) || a - b);
    const shown = ranked.slice(0, SHOWN_TOKENS);
    for (const id of always) if (!shown.includes(id)) shown.splice(-1, 1, id);
    const entries = shown.map((id) => {
      const [inTarget, inDraft] = inBoth(id);
      return { id, label: this.labelOf(id), target: inTarget, draft: inDraft };
    });
    const restOf = (side: 'target' | 'draft') => Math.max(0, 1 - entries.reduce((sum, entry) => sum + entry[side], 0));
    return {
      entries,
      rest: { target: restOf('target'), draft: draft ? restOf('draft') : 0 },
      overlap: draft ? overlap(target, draft) : null,
    };
  }
}

/** Ids of the most probable tokens. */
function likeliest({ probabilities, tokens }: Distribution): number[] {
  const best: number[] = [];
  for (let i = 0; i < probabilities.length; i++) {
    const probability = probabilities[i];
    if (probability <= 0 || (best.length === SHOWN_TOKENS && probability <= probabilities[best[best.length - 1]]))
      continue;
    let place = best.length;
    while (place > 0 && probabilities[best[place - 1]] < probability) place--;
    best.splice(place, 0, i);
    if (best.length > SHOWN_TOKENS) best.pop();
  }
  return best.map((i) => (tokens ? tokens[i] : i));
}
