import type { DecoderRow, ForwardOptions, LogitsView, SequenceModel } from '../../engine';
import { Failure } from '../failure';
import type { GammaChooser } from '../gamma/adaptive';
import { chain, type Proposal } from '../proposal';
import { type Distribution, isEmpty } from '../sampling/distribution';
import type { Draw } from '../sampling/draw';
import { type RowRequest, rowDistributions } from '../sampling/processors';
import { type Drafter, longestOf, proposeAll } from './drafter';
import { draftRow, type GrownTree, goesOn } from './growth';
import type { GuessedItem } from './guesser';

/** One item's proposal as it grows. */
interface Growing {
  readonly item: GuessedItem;
  readonly chooser: GammaChooser;
  readonly draws: Draw[];
  /** Whether nothing can follow. */
  ended: boolean;
}

/**
 * Drafts a chain for each of several sequences, in fewer calls of the model than it has tokens: another drafter guesses what the
 * model will propose, and one call of the model scores all guesses. The model's tokens are drawn as they are without guesses, each
 * from its own distribution by the numbers of its position. A guess is of use where it is the token that was drawn: the row after
 * it is there already. So a proposal is the one that `growTrees` makes, whatever was guessed, and all that is proven of drafts holds.
 */
export async function growGuessed(
  model: SequenceModel,
  items: readonly GuessedItem[],
  options: ForwardOptions,
  first: Drafter,
): Promise<GrownTree[]> {
  const all = items.map((item): Growing => {
    return { item, chooser: item.guesser.chooserOf(item.request), draws: [], ended: longestOf(item.request) === 0 };
  });
  for (;;) {
    const growing = all.filter(({ ended }) => !ended);
    if (growing.length === 0) break;
    await growOnce(model, growing, options, first);
  }
  return all.map(({ item, draws }) => ({ proposal: chain(draws), lines: draws.map(() => item.sequence) }));
}

/** Guesses, scores the guesses in one call, and adds the tokens that the call decides. */
async function growOnce(
  model: SequenceModel,
  growing: readonly Growing[],
  options: ForwardOptions,
  first: Drafter,
): Promise<void> {
  const start = performance.now();
  const guesses = await guess(growing, first);
  const guessed = performance.now();
  const rows: DecoderRow[] = [];
  const requests = growing.map((one, i) => {
    rows.push(...one.item.sequence.rows(idsOf(one), guesses[i], rows.length));
    return requestsOf(one, guesses[i], rows.length);
  });
  const view = await model.forward(rows, options);
  let tokens = 0;
  try {
    const distributions = (await rowDistributions(view, requests)).map((one) => {
      if (one instanceof Failure) throw one.error;
      return one;
    });
    for (const [i, one] of growing.entries()) {
      const scored = { view, requests: requests[i], distributions: distributions[i] };
      tokens += await addTokens(one, guesses[i], scored);
    }
  } finally {
    view.dispose();
  }
  learn(growing, guesses, { tokens, draftMs: guessed - start, targetMs: performance.now() - guessed });
}

/** Guesses for each proposal that still grows; none where one more token is wanted, which the call brings by itself. */
async function guess(growing: readonly Growing[], first: Drafter): Promise<Proposal[]> {
  const guesses: Proposal[] = growing.map(() => []);
  const turns = growing.flatMap((one, index) => {
    const { item, chooser, draws } = one;
    const { request, guesser } = item;
    const left = longestOf(request) - draws.length;
    if (left === 1) return [];
    const gamma = Math.min(chooser.next({ streams: growing.length, left }), left - 1);
    if (gamma === 0) return [];
    const draw = request.guess ?? request.draw;
    const drawSeveral = (distribution: Distribution, _: number, position: number) => [draw(distribution, position)];
    const asked = { ...request, ids: idsOf(one), gamma, ...NO_CHOICE, draw, drawSeveral };
    return [{ index, session: guesser.session, request: asked }];
  });
  if (turns.length === 0) return guesses;
  for (const [i, proposal] of (await proposeAll(first, turns)).entries()) guesses[turns[i].index] = proposal;
  return guesses;
}

/** A guess is a chain, and its length is decided before. */
const NO_CHOICE = { branching: undefined, stopping: undefined };

/** What one call of the model says at the rows of a proposal. */
interface Scored {
  readonly view: LogitsView;
  readonly requests: readonly RowRequest[];
  readonly distributions: readonly Distribution[];
}

/** The rows after a proposal's last token and after each guess, the last of which ends before row `end`. */
function requestsOf(one: Growing, guesses: Proposal, end: number): RowRequest[] {
  const ids = idsOf(one);
  const tokens = guesses.map(({ draw }) => draw.token);
  const first = end - 1 - tokens.length;
  return [...tokens, null].map((_, i) => draftRow(one.item.request, [...ids, ...tokens.slice(0, i)], first + i));
}

/**
 * Draws the tokens that the rows decide: after every guess that was right, and the one after. Says to the sequence and to what guessed
 * which guesses were right.
 *
 * @returns how many tokens came
 */
async function addTokens(one: Growing, guesses: Proposal, { view, requests, distributions }: Scored): Promise<number> {
  const { item, draws, chooser } = one;
  const { request, sequence, guesser } = item;
  const before = draws.length;
  let right = 0;
  for (const [i, distribution] of distributions.entries()) {
    if (isEmpty(distribution)) {
      one.ended = true; // whether that ends the text is for the target to say
      break;
    }
    const draw = request.draw(distribution, request.ids.length + draws.length);
    draws.push(draw);
    one.ended = draws.length === longestOf(request) || request.eosTokens.includes(draw.token);
    if (!(await goesOn(request, { view, row: requests[i], draw, depth: draws.length }))) one.ended = true;
    if (one.ended || guesses[right]?.draw.token !== draw.token) break;
    right++;
  }
  const path = Array.from({ length: right }, (_, i) => i);
  sequence.keep(path);
  guesser.session.rewind(request.ids.length + before + right, path);
  chooser.finished(guesses.length, right);
  return draws.length - before;
}

function learn(
  growing: readonly Growing[],
  guesses: readonly Proposal[],
  times: { readonly tokens: number; readonly draftMs: number; readonly targetMs: number },
): void {
  const [{ costs }] = growing.map(({ chooser }) => chooser);
  if (!costs || growing.some(({ chooser }) => chooser.costs !== costs)) return;
  const lengths = guesses.map(({ length }) => length);
  const [rows, steps] = [lengths.reduce((sum, length) => sum + 1 + length, 0), Math.max(...lengths)];
  const caughtUp = growing.some((one, i) => lengths[i] > 0 && one.chooser.isCatchingUp === true);
  costs.learn({ streams: growing.length, rows, steps, ...times, openingMs: 0, opened: 0, caughtUp });
}

const idsOf = ({ item, draws }: Growing): number[] => [...item.request.ids, ...draws.map(({ token }) => token)];
