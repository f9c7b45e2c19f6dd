import type { KeptWay, TimedRound } from '../../decoding/gamma/learnt';
import { PlainCurve, type Point } from './plain-curve';

/**
 * What decoding/gamma/learnt.ts says of costs and of the ledger, in the plainest way: every round is kept, and what can be counted is
 * counted from them each time it is asked for. Laws run the code beside it.
 */
export class PlainLedger {
  private readonly target: PlainCurve;
  private readonly draft: PlainCurve;
  private readonly further: PlainCurve;
  private readonly openings: PlainCurve;
  /** Of each round, whether it was plain: neither a proposal nor a draft that was opened. */
  private readonly plain: boolean[] = [];
  private readonly judged: { readonly proposed: number; readonly kept: number }[] = [];
  /** What may be lost, in plain rounds. */
  credit: number;
  /** The rounds before which a draft that does not pay was allowed to propose: at each beginning of a try. */
  private readonly tries: number[] = [];
  /** Plain rounds that pay for what was lost since a try began. */
  private owed = 0;
  /** Before each round that proposed: how many rounds there were, and whether it showed what a draft step takes. */
  private readonly proposals: { readonly before: number; readonly shows: boolean }[] = [];
  /** Milliseconds of draft steps that were nobody's loss. */
  private free = 0;

  constructor(private readonly kept?: KeptWay) {
    const unit = () => this.target.scale;
    this.target = new PlainCurve(kept?.target);
    this.draft = new PlainCurve(kept?.draft, unit);
    this.further = new PlainCurve(kept?.further, unit);
    this.openings = new PlainCurve(kept ? [[1, kept.opening]] : [], unit);
    this.credit = kept ? 4 : 7;
  }

  get rounds(): number {
    return this.plain.length;
  }

  judge(proposed: number, kept: number): void {
    this.judged.push({ proposed, kept });
  }

  /** What was known fades by 2 % a round, but weighs no less than sixteen tokens: then come the tokens of a round, if it proposed. */
  get alpha(): number {
    let [share, weight, since] = [this.kept?.alpha ?? 0.6, 16, 0];
    for (const { proposed, kept } of this.judged) {
      since++;
      if (proposed === 0) continue;
      const before = Math.max(16, weight * 0.98 ** since);
      const judged = kept < proposed ? kept + 1 : kept;
      [share, weight, since] = [(share * before + kept) / (before + judged), before + judged, 0];
    }
    return share;
  }

  /** Plain rounds before the next try: 1, and twice as many after each proposal of which not all was kept, to 384. */
  private get gap(): number {
    const proposals = this.judged.filter(({ proposed }) => proposed > 0);
    const whole = proposals.findLastIndex(({ proposed, kept }) => kept === proposed);
    return Math.min(384, 2 ** (proposals.length - 1 - whole));
  }

  /** Plain rounds since the last other one. */
  private get idle(): number {
    return this.plain.length - 1 - this.plain.lastIndexOf(false);
  }

  /** One round of so many is timed, by how many plain rounds came before it. */
  get pace(): number {
    return [1, 8, 32][[8, 64].filter((from) => from <= this.idle).length];
  }

  get inDebt(): boolean {
    return !this.isUnseen && this.credit < 0;
  }

  /** Rounds that proposed since three plain ones or more in a row. */
  private get sincePlain(): number {
    const isThird = (i: number) => i >= 2 && this.plain[i] && this.plain[i - 1] && this.plain[i - 2];
    return this.plain.filter((isPlain, i) => !isPlain && !this.plain.some((_, j) => j > i && isThird(j))).length;
  }

  wantsPlain(streams: number): boolean {
    return !this.target.knows(streams) || this.sincePlain >= 64 || this.sincePlain >= 4 + this.rounds / 4;
  }

  private get isTrying(): boolean {
    return this.tries.some((before) => this.rounds - before < 3);
  }

  /** Whether one slow moment of the beginning makes the draft seem dearer than its target. */
  private get isFluke(): boolean {
    return !this.draft.isTrusted && (this.draft.at(1) ?? 0) > (this.target.at(1) ?? 0);
  }

  /** Whether the last try is not over, and none of its rounds has shown what a draft step takes. */
  private get isUnseen(): boolean {
    const begun = this.tries.at(-1) ?? Number.NEGATIVE_INFINITY;
    return this.rounds - begun < 3 && !this.proposals.some(({ before, shows }) => shows && before >= begun);
  }

  /** Whether the draft's code may not be compiled: in its first twelve rounds, until twenty milliseconds were nobody's loss. */
  private get isCold(): boolean {
    return this.kept === undefined && this.proposals.length < 13 && this.free < 20;
  }

  mayTry(loss: number): boolean {
    if (this.isUnseen) return true;
    const least = this.isFluke ? 0 : loss;
    if (least > this.credit) return false;
    if (this.isTrying) return true;
    if (this.gap > this.idle) return false;
    const isPaid = this.credit > 4 || this.isFluke;
    if (!isPaid && this.owed > this.idle) return false;
    this.tries.push(this.rounds);
    this.owed = 0;
    return true;
  }

  /** Milliseconds of a round: its draft steps one after another, and the target's call. */
  private expected(streams: number, rows: number, steps: number): number {
    const plain = this.target.at(streams) ?? 1;
    const measured = this.draft.at(streams) ?? 0.1 * plain;
    const first = this.isCold && measured > 0.1 * plain ? 0.1 * plain : measured;
    const further = Math.min(first, this.further.at(streams) ?? first);
    let drafting = 0;
    for (let step = 0; step < steps; step++) drafting += step === 0 ? first : further;
    return drafting + (this.target.at(rows) ?? plain);
  }

  cost(streams: number, gamma: number): number {
    return this.expected(streams, streams * (1 + gamma), gamma) / (this.target.at(streams) ?? 1);
  }

  opening(streams: number): number {
    return (this.openings.at(1) ?? 0) / (this.target.at(streams) ?? 1);
  }

  /**
   * After eight plain rounds in a row one in eight is timed: that after the eighth, the sixteenth, and so on. After 64 it is one in 32:
   * that after the 64th, the 96th, and so on.
   */
  private isPassed(streams: number): boolean {
    return this.idle % this.pace > 0 && this.target.knows(streams);
  }

  learn(round: TimedRound): void {
    const isPlain = round.rows === round.streams && round.opened === 0;
    if (isPlain && this.isPassed(round.streams)) this.payIn(0.02);
    else {
      this.time(round, this.plain.at(-1) !== isPlain);
      this.pay(round, isPlain);
    }
    this.plain.push(isPlain);
  }

  private time(round: TimedRound, isFirstOfKind: boolean): void {
    const { streams, rows, steps, draftMs, opened } = round;
    const at = rows > 32 && rows % 8 > 0 ? rows + 8 - (rows % 8) : rows;
    if (!isFirstOfKind || !this.target.knows(at)) this.target.add(at, round.targetMs);
    if (opened > 0) this.openings.add(1, round.openingMs / opened);
    if (steps > 0) this.proposals.push({ before: this.rounds, shows: !round.caughtUp });
    if (steps === 0 || round.caughtUp) return;
    const first = this.draft.at(streams);
    if (first === null || steps === 1 || first > draftMs) this.draft.add(streams, draftMs / steps);
    else this.further.add(streams, (draftMs - first) / (steps - 1));
  }

  private pay(round: TimedRound, isPlain: boolean): void {
    const { streams, draftMs, targetMs, openingMs } = round;
    const plain = this.target.at(streams) as number;
    const beyond = this.isCold ? draftMs - 0.1 * plain * round.steps : 0;
    const free = beyond > 0 ? Math.min(beyond, 20 - this.free) : 0;
    this.free += free;
    const took = draftMs + targetMs + openingMs - free;
    this.payIn(0.02 * Math.min(took / plain, 1.5));
    if (isPlain) return;
    const most =
      this.expected(streams, round.rows, round.steps) * (round.caughtUp ? 3 : 1.5) +
      Math.min(openingMs, 2 * plain * round.opened);
    const lost = Math.min(took, most) / plain - round.tokens / streams;
    this.credit = Math.min(16, Math.max(-1, this.credit - lost));
    this.owed = (this.isTrying ? this.owed : 0) + 100 * lost;
  }

  /** Paying in gives at most four plain rounds; what was gained beyond stays. */
  private payIn(share: number): void {
    this.credit = Math.max(this.credit, Math.min(4, this.credit + share));
  }

  keep(): KeptWay | null {
    const target = this.target.trusted();
    if (target.length < 2 || !(target[0][1] > 0)) return null;
    const [, one] = target[0];
    const inSteps = (points: readonly Point[]) => points.map(([rows, cost]): Point => [rows, cost / one]);
    const [draft, further] = [inSteps(this.draft.trusted()), inSteps(this.further.trusted())];
    return { target: inSteps(target), draft, further, opening: (this.openings.at(1) ?? 0) / one, alpha: this.alpha };
  }
}
