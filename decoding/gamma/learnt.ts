import { Curve, type KeptPoint } from './curve';
import { expectedTokens } from './theory';

/** What is kept of one way of decoding. Costs are in target calls of one row, α is the share of judged tokens accepted. */
export interface KeptWay {
  readonly target: readonly KeptPoint[];
  readonly draft: readonly KeptPoint[];
  readonly opening: number;
  readonly alpha: number;
}

/** What is kept between runs of a program: plain data. */
export type KeptCosts = { readonly [Way in CostWay]?: KeptWay };

/** Ways of turning logits into tokens that differ in what they cost: arg-max, coupled verification, and every other. */
export const COST_WAYS = ['greedy', 'coupled', 'sampled'] as const;
export type CostWay = (typeof COST_WAYS)[number];

/** One round of several sequences, as it was timed. */
export interface TimedRound {
  /** Sequences in the round. */
  readonly streams: number;
  /** Rows of the target's call. */
  readonly rows: number;
  /** Draft steps, one after another. */
  readonly steps: number;
  /** Tokens that came out. */
  readonly tokens: number;
  /** Milliseconds of all draft steps; of the target's call and of verification; of opening drafts. */
  readonly draftMs: number;
  readonly targetMs: number;
  readonly openingMs: number;
  /** Drafts opened. */
  readonly opened: number;
  /** Whether a draft also had to read tokens of rounds in which it did not propose. Such a round says nothing of a step's time. */
  readonly caughtUp: boolean;
}

/** The share of time that may be lost to proposals that do not pay. */
export const WASTE = 0.02;
/** Most plain rounds of credit: what may be lost at once. */
const MOST_CREDIT = 4;
/** Most plain rounds of debt, so that one slow moment of the machine does not end speculation for long. */
const MOST_DEBT = 1;
/**
 * A round is charged at most this multiple of what it was expected to take: what is more is the machine's. A draft that reads
 * what it missed may take longer.
 */
const CHARGED = 1.5;
const CHARGED_CATCHING_UP = 3;
/** Most plain rounds that opening a draft is charged. */
const OPENING = 2;
/** A plain round is timed again after so many rounds that proposed. */
const REFRESH = 64;
/** The share of time that may be lost to tries of a draft that does not pay. */
const TRIED = 0.01;
/** A gap between such tries grows to so many rounds, or to more where `TRIED` asks for it. */
const LONGEST_GAP = 128;
/** In a long stretch without proposals one round of so many is timed: the others would say the same again. */
const TIMED = 4;
/** Rounds without a proposal, all timed, before such a stretch. */
const STREAK = 8;
/** Weight of what is known of α when a sequence begins, in judged tokens, and how fast the old is forgotten. */
const ALPHA = { prior: 0.6, weight: 3, memory: 0.95 };

/**
 * What decoding with one target and one drafter costs on this machine, learnt from the rounds themselves, for one way of turning
 * logits into tokens. All sequences of the pair share it.
 *
 * A ledger bounds what is lost: every round pays in `WASTE` of its time. A round that proposed is charged for the time that it
 * took beyond plain decoding of the tokens that came out, and credited where it took less. Nothing is proposed while the ledger is
 * in debt. So text that speculation makes slower is slower by at most that share and the few rounds of credit. A draft that is known
 * not to pay is tried again only when the last try has become less than `TRIED` of the time since.
 */
export class WayCosts {
  private readonly target: Curve;
  private readonly draft: Curve;
  private readonly openings: Curve;
  private judged = ALPHA.weight;
  private accepted: number;
  private credit = MOST_CREDIT;
  private sincePlain = 0;
  /** Rounds without a proposal, and how many there must be before the next try. */
  private idle = 0;
  private gap = 1;
  /** Rounds without a proposal of which the loss of the last proposal is the share `TRIED`. */
  private owed = 0;
  /** Rounds that were timed. */
  rounds = 0;

  constructor(kept?: KeptWay) {
    this.target = new Curve(kept?.target);
    const unit = () => this.target.scale;
    this.draft = new Curve(kept?.draft, unit);
    this.openings = new Curve(kept ? [[1, kept.opening]] : [], unit);
    this.accepted = (kept?.alpha ?? ALPHA.prior) * this.judged;
  }

  /** The share of judged tokens that was accepted of late. */
  get alpha(): number {
    return Math.min(1, this.accepted / this.judged);
  }

  /** Takes a finished round of one sequence into α. */
  judge(proposed: number, kept: number): void {
    if (proposed === 0) return;
    this.accepted = this.accepted * ALPHA.memory + kept;
    this.judged = this.judged * ALPHA.memory + kept + (kept < proposed ? 1 : 0);
    this.gap = kept === proposed ? 1 : Math.min(LONGEST_GAP, this.gap * 2);
  }

  /** Whether plain decoding of so many sequences is to be timed before anything is proposed for them. */
  wantsPlain(streams: number): boolean {
    return !this.target.knows(streams) || this.sincePlain >= Math.min(REFRESH, 4 + this.rounds / 4);
  }

  /** Whether a draft that does not pay may be tried now, at this expected loss in plain rounds. Answers yes once a gap. */
  mayTry(loss: number): boolean {
    if (this.idle < Math.max(this.gap, this.owed) || this.credit < loss) return false;
    this.idle = 0;
    return true;
  }

  /** Tokens in the time of one plain round / one, of `streams` sequences that each propose γ tokens. */
  speed(streams: number, gamma: number, alpha: number): number {
    return expectedTokens(alpha, gamma) / this.cost(streams, gamma);
  }

  /** Milliseconds of a round of `streams` sequences that each propose γ tokens / those of a plain round. It does not fall as γ grows. */
  cost(streams: number, gamma: number): number {
    return this.expected(streams, gamma * streams + streams, gamma) / (this.target.at(streams) ?? 1);
  }

  /** Milliseconds that opening a draft takes / those of a plain round. */
  opening(streams: number): number {
    return (this.openings.at(1) ?? 0) / (this.target.at(streams) ?? 1);
  }

  /** Whether more has been lost than is allowed, so that nothing may be proposed for now. */
  get inDebt(): boolean {
    return this.credit < 0;
  }

  /** Learns from a round. */
  learn(round: TimedRound): void {
    const { streams, rows, steps, tokens, draftMs, targetMs, openingMs, opened } = round;
    this.rounds++;
    if (
      rows === streams &&
      opened === 0 &&
      this.idle >= STREAK &&
      this.idle % TIMED > 0 &&
      this.target.knows(streams)
    ) {
      this.idle++;
      this.sincePlain = 0;
      this.credit = Math.min(MOST_CREDIT, this.credit + WASTE);
      return;
    }
    const at = rows <= 32 ? rows : Math.ceil(rows / 8) * 8; // few points beyond
    this.target.add(at, targetMs);
    if (steps > 0 && !round.caughtUp) this.draft.add(streams, draftMs / steps);
    if (opened > 0) this.openings.add(1, openingMs / opened);
    const plain = this.target.at(streams) ?? targetMs;
    const took = draftMs + targetMs + openingMs;
    this.credit += (WASTE * Math.min(took, CHARGED * plain)) / plain;
    if (rows > streams || opened > 0) {
      const most =
        (round.caughtUp ? CHARGED_CATCHING_UP : CHARGED) * this.expected(streams, rows, steps) +
        Math.min(openingMs, opened * OPENING * plain);
      const lost = Math.min(took, most) / plain - tokens / streams;
      this.credit -= lost;
      this.owed = lost / TRIED;
      this.sincePlain++;
      this.idle = 0;
    } else {
      this.sincePlain = 0;
      this.idle++;
    }
    this.credit = Math.max(-MOST_DEBT, Math.min(MOST_CREDIT, this.credit));
  }

  /** What is worth keeping; null where too little is known. */
  keep(): KeptWay | null {
    const target = this.target.trusted();
    const draft = this.draft.trusted();
    const one = target[0]?.[1] ?? 0;
    if (!(one > 0) || target.length < 2) return null;
    const inSteps = ([rows, cost]: KeptPoint): KeptPoint => [rows, cost / one];
    const opening = (this.openings.at(1) ?? 0) / one;
    return { target: target.map(inSteps), draft: draft.map(inSteps), opening, alpha: this.alpha };
  }

  /** Milliseconds that a round is expected to take. */
  private expected(streams: number, rows: number, steps: number): number {
    const plain = this.target.at(streams) ?? 1;
    const step = this.draft.at(streams) ?? PRIOR_DRAFT * plain;
    return steps * step + (this.target.at(rows) ?? plain);
  }
}

/** A draft step / a target call of one row, before one was timed. */
const PRIOR_DRAFT = 0.1;

/** What decoding with one target and one drafter costs on this machine. Give one object to all runs of the pair (`Pair.costs`). */
export class PairCosts implements Record<CostWay, WayCosts> {
  readonly greedy: WayCosts;
  readonly coupled: WayCosts;
  readonly sampled: WayCosts;

  /** @param kept of an earlier run of the program, on the same machine with the same models */
  constructor(kept: KeptCosts = {}) {
    this.greedy = new WayCosts(kept.greedy);
    this.coupled = new WayCosts(kept.coupled);
    this.sampled = new WayCosts(kept.sampled);
  }

  /** Rounds that were timed. */
  get rounds(): number {
    return COST_WAYS.reduce((sum, way) => sum + this[way].rounds, 0);
  }

  /** What is worth keeping for the next run of the program. */
  keep(): KeptCosts {
    const kept: { [Way in CostWay]?: KeptWay } = {};
    for (const way of COST_WAYS) {
      const found = this[way].keep();
      if (found) kept[way] = found;
    }
    return kept;
  }
}
