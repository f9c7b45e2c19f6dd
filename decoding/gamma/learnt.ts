import { Confidence } from './confidence';
import { Curve, type KeptPoint } from './curve';
import { expectedTokens, judgedTokens } from './theory';
import type { TimedRound } from './timed-round';

export type { TimedRound } from './timed-round';

/** What is kept of one way of decoding. Costs are in target calls of one row, α is the share of judged tokens accepted. */
export interface KeptWay {
  readonly target: readonly KeptPoint[];
  /** Of the first draft step of a round, and of each one after it. */
  readonly draft: readonly KeptPoint[];
  readonly further: readonly KeptPoint[];
  readonly opening: number;
  readonly alpha: number;
}

/** The share of time that may be lost to proposals that do not pay. */
export const WASTE = 0.02;
/** Most plain rounds of credit that paying in gives, and that proposals which paid give: what may be lost at once. */
const MOST_CREDIT = 4;
const MOST_GAINED = 16;
/** Plain rounds of credit when a program begins. Its first rounds run code that the engine has not compiled yet, and say little. */
const FIRST_CREDIT = 7;
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
/**
 * The first rounds that propose run code which the engine has not compiled yet, and can take several times as long as later ones. That
 * costs some milliseconds once, whatever the model's size. So in so many rounds the draft is taken to cost what is assumed of drafts,
 * and so many milliseconds beyond it are nobody's loss. A draft that has used them up is slow by itself.
 */
const [COLD_ROUNDS, COLD_MS] = [12, 20];
/** Plain decoding is timed again after so many rounds that proposed, in so many rounds in a row. */
const REFRESH = 64;
const PLAIN_ROUNDS = 3;
/** The share of time that may be lost to tries of a draft that does not pay. */
const TRIED = 0.01;
/** Rounds of such a try: the first ones after others are slow. */
const TRY_ROUNDS = 3;
/** A gap between such tries grows to so many rounds, or to more where `TRIED` asks for it. */
const LONGEST_GAP = 384;
/** After so many rounds without a proposal one of as many is timed, and γ is thought over as often: others would say the same again. */
const STREAK = 8;
/** After so many it is one of as many as the second number, because timing and thinking take long where their code seldom runs. */
const [LONG_STREAK, RARELY] = [64, 32];
/** α before a token was judged, the least weight of what was known before, in judged tokens, and how much of it a round keeps. */
const ALPHA = { prior: 0.6, weight: 16, memory: 0.98 };

/**
 * What decoding with one target and one drafter costs on this machine, learnt from the rounds themselves, for one way of turning
 * logits into tokens. All sequences of the pair share it.
 *
 * A ledger bounds what is lost: every round pays in `WASTE` of its time. A round that proposed is charged for the time that it
 * took beyond plain decoding of the tokens that came out, and credited where it took less, so that a draft which pays gets over bad
 * luck. Nothing is proposed while the ledger is in debt. So text that speculation makes slower is slower by at most that share and
 * the rounds of credit. A draft that is known not to pay is tried again only when the last try has become less than `TRIED` of the
 * time since, or out of what was gained. A try takes some rounds in a row, because the first of them are slow and say little.
 */
export class WayCosts {
  private readonly target: Curve;
  /** The first draft step of a round, over sequences, and each one after it. */
  private readonly draft: Curve;
  private readonly further: Curve;
  private readonly openings: Curve;
  private judged = ALPHA.weight;
  /** Rounds in which the draft proposed. */
  private drafted = 0;
  private accepted: number;
  private unjudged = 0;
  private credit: number;
  private sincePlain = 0;
  /** Rounds without a proposal, and how many there must be before the next try. */
  private idle = 0;
  private gap = 1;
  /** Rounds without a proposal of which the loss of the last proposal is the share `TRIED`. */
  private owed = 0;
  /** The last try is over when so many rounds are. */
  private tryEnds = 0;
  /** Whether a round of the last try has shown what a draft step takes. */
  private seen = true;
  /** Milliseconds that are left to the code of a draft until it is compiled. */
  private cold = COLD_MS;
  /** Rounds of the same kind in a row, with a proposal or without. */
  private inARow = 0;
  private proposed = false;
  /** Rounds that were seen. */
  rounds = 0;
  /** What the draft's confidence in its tokens is worth. */
  readonly confidence = new Confidence();

  constructor(kept?: KeptWay) {
    this.target = new Curve(kept?.target);
    const unit = () => this.target.scale;
    this.draft = new Curve(kept?.draft, unit);
    this.further = new Curve(kept?.further, unit);
    this.openings = new Curve(kept ? [[1, kept.opening]] : [], unit);
    this.accepted = (kept?.alpha ?? ALPHA.prior) * this.judged;
    this.credit = kept ? MOST_CREDIT : FIRST_CREDIT;
    if (kept) this.cold = 0;
  }

  /** The share of judged tokens that was accepted of late. */
  get alpha(): number {
    return Math.min(1, this.accepted / this.judged);
  }

  /** Takes a finished round of one sequence into α. What was known before fades with every round, but not below a weight. */
  judge(proposed: number, kept: number): void {
    this.unjudged++;
    if (proposed === 0) return;
    const weight = Math.max(ALPHA.weight, this.judged * ALPHA.memory ** this.unjudged);
    this.accepted = (this.accepted / this.judged) * weight + kept;
    this.judged = weight + judgedTokens(proposed, kept);
    this.unjudged = 0;
    this.gap = kept === proposed ? 1 : Math.min(LONGEST_GAP, this.gap * 2);
  }

  /** Whether plain decoding of so many sequences is to be timed before anything is proposed for them. */
  wantsPlain(streams: number): boolean {
    return !this.target.knows(streams) || this.sincePlain >= Math.min(REFRESH, 4 + this.rounds / 4);
  }

  /** Whether a draft that does not pay may be tried now, at this expected loss in plain rounds. A try takes some rounds in a row. */
  mayTry(loss: number): boolean {
    if (this.isUnseen) return true;
    const isFluke = !this.draft.isTrusted && this.draft.at(1)! > this.target.at(1)!; // a slow moment, not a draft dearer than its target
    if (this.credit < (isFluke ? 0 : loss)) return false;
    if (this.isTrying) return true;
    const isPaid = this.credit > MOST_CREDIT || isFluke; // by proposals that paid, or for the beginning
    if (this.idle < (isPaid ? this.gap : Math.max(this.gap, this.owed))) return false;
    this.tryEnds = this.rounds + TRY_ROUNDS;
    this.owed = 0;
    this.seen = false;
    return true;
  }

  /** Whether a try goes on in which no round has shown yet what a draft step takes: the first one reads what the draft has missed. */
  private get isUnseen(): boolean {
    return this.isTrying && !this.seen;
  }

  private get isTrying(): boolean {
    return this.rounds < this.tryEnds;
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
    return this.credit < 0 && !this.isUnseen;
  }

  /** One round of so many is timed, and γ is thought over as often: all rounds, but where nothing has been proposed for long. */
  get pace(): number {
    if (this.idle < STREAK) return 1;
    return this.idle < LONG_STREAK ? STREAK : RARELY;
  }

  /**
   * Whether a round without a proposal stands in a long stretch of them and would tell nothing new. If so it is counted, and need not
   * be timed.
   */
  passes(streams: number): boolean {
    if (this.idle % this.pace === 0 || !this.target.knows(streams)) return false;
    this.idle++;
    this.rounds++;
    this.sincePlain = 0;
    this.payIn(WASTE);
    return true;
  }

  /** Learns from a round. */
  learn(round: TimedRound): void {
    const { streams, rows, opened } = round;
    const isPlain = rows === streams && opened === 0;
    if (isPlain && this.passes(streams)) return;
    this.inARow = isPlain === this.proposed ? 1 : this.inARow + 1;
    this.proposed = !isPlain;
    this.time(round);
    this.pay(round);
    this.rounds++;
    if (isPlain) {
      if (this.inARow >= PLAIN_ROUNDS) this.sincePlain = 0;
      this.idle++;
    } else {
      this.sincePlain++;
      this.idle = 0;
    }
  }

  /**
   * Adds the times of a round to the curves. The first round of a kind after one of the other kind is slow, because caches hold what
   * that one read: it counts only where nothing better is known.
   */
  private time({ streams, rows, steps, draftMs, targetMs, openingMs, opened, caughtUp }: TimedRound): void {
    const at = rows <= 32 ? rows : Math.ceil(rows / 8) * 8; // few points beyond
    if (this.inARow > 1 || !this.target.knows(at)) this.target.add(at, targetMs);
    if (opened > 0) this.openings.add(1, openingMs / opened);
    if (steps === 0) return;
    this.drafted++;
    if (caughtUp) return;
    this.seen = true;
    const first = this.draft.at(streams);
    // Several steps that take less than the first was taken to take show that it takes less.
    if (steps === 1 || first === null || draftMs < first) this.draft.add(streams, draftMs / steps);
    else this.further.add(streams, (draftMs - first) / (steps - 1));
  }

  /** Whether the draft's code may not be compiled yet. */
  private get isCold(): boolean {
    return this.drafted <= COLD_ROUNDS && this.cold > 0;
  }

  /** Books what a round lost or gained against plain decoding of the same tokens. */
  private pay({ streams, rows, steps, tokens, draftMs, targetMs, openingMs, opened, caughtUp }: TimedRound): void {
    const plain = this.target.at(streams) ?? targetMs;
    const free = this.isCold ? Math.min(this.cold, Math.max(0, draftMs - steps * PRIOR_DRAFT * plain)) : 0;
    this.cold -= free;
    const took = draftMs + targetMs + openingMs - free;
    this.payIn((WASTE * Math.min(took, CHARGED * plain)) / plain);
    if (this.proposed) {
      const charged =
        (caughtUp ? CHARGED_CATCHING_UP : CHARGED) * this.expected(streams, rows, steps) +
        Math.min(openingMs, opened * OPENING * plain);
      const lost = Math.min(took, charged) / plain - tokens / streams;
      this.credit = Math.max(-MOST_DEBT, Math.min(MOST_GAINED, this.credit - lost));
      this.owed = (this.isTrying ? this.owed : 0) + lost / TRIED;
    }
  }

  private payIn(share: number): void {
    if (this.credit < MOST_CREDIT) this.credit = Math.min(MOST_CREDIT, this.credit + share);
  }

  /** What is worth keeping; null where too little is known. */
  keep(): KeptWay | null {
    const target = this.target.trusted();
    const draft = this.draft.trusted();
    const further = this.further.trusted();
    const one = target[0]?.[1] ?? 0;
    if (!(one > 0) || target.length < 2) return null;
    const inSteps = ([rows, cost]: KeptPoint): KeptPoint => [rows, cost / one];
    const opening = (this.openings.at(1) ?? 0) / one;
    return {
      ...{ target: target.map(inSteps), draft: draft.map(inSteps), further: further.map(inSteps) },
      ...{ opening, alpha: this.alpha },
    };
  }

  /** Milliseconds that a round is expected to take. */
  private expected(streams: number, rows: number, steps: number): number {
    const plain = this.target.at(streams) ?? 1;
    const prior = PRIOR_DRAFT * plain;
    const known = this.draft.at(streams) ?? prior;
    const first = this.isCold ? Math.min(known, prior) : known;
    const further = Math.min(first, this.further.at(streams) ?? first);
    const drafting = steps > 0 ? first + (steps - 1) * further : 0;
    return drafting + (this.target.at(rows) ?? plain);
  }
}

/** A draft step / a target call of one row, before one was timed. */
const PRIOR_DRAFT = 0.1;
