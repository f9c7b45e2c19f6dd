/**
 * The suffix automaton of a token sequence (Blumer et al. 1985): every substring is a path from the start. Linear in the
 * sequence's length; following a text token by token takes amortised constant time.
 */
export class SuffixAutomaton {
  private readonly next: Map<number, number>[] = [new Map()];
  private readonly link: number[] = [-1];
  private readonly longest: number[] = [0];
  /** Index in the sequence of the last token of the state's first occurrence. */
  private readonly firstEnd: number[] = [-1];

  constructor(sequence: readonly number[]) {
    let last = 0;
    sequence.forEach((token, index) => {
      last = this.extend(last, token, index);
    });
  }

  /** Index of the last token of the first occurrence of what the state stands for. */
  endOf(state: number): number {
    return this.firstEnd[state];
  }

  /** The longest suffix of (what `match` stands for, then the token) that occurs in the sequence. */
  follow(match: Match, token: number): Match {
    let { state, length } = match;
    while (state > 0 && !this.next[state].has(token)) {
      state = this.link[state];
      length = this.longest[state];
    }
    const onward = this.next[state].get(token);
    return onward === undefined ? START : { state: onward, length: length + 1 };
  }

  private extend(last: number, token: number, index: number): number {
    const state = this.add(new Map(), this.longest[last] + 1, index);
    let at = last;
    while (at >= 0 && !this.next[at].has(token)) {
      this.next[at].set(token, state);
      at = this.link[at];
    }
    this.link[state] = at < 0 ? 0 : this.suffixTarget(at, token);
    return state;
  }

  /** The state that `at` reaches by the token, split off if it stands for longer strings too. */
  private suffixTarget(at: number, token: number): number {
    const reached = this.next[at].get(token) as number;
    if (this.longest[reached] === this.longest[at] + 1) return reached;
    const clone = this.add(new Map(this.next[reached]), this.longest[at] + 1, this.firstEnd[reached]);
    this.link[clone] = this.link[reached];
    this.link[reached] = clone;
    for (let from = at; from >= 0 && this.next[from].get(token) === reached; from = this.link[from]) {
      this.next[from].set(token, clone);
    }
    return clone;
  }

  private add(next: Map<number, number>, longest: number, end: number): number {
    this.next.push(next);
    this.link.push(-1);
    this.longest.push(longest);
    this.firstEnd.push(end);
    return this.next.length - 1;
  }
}

/** A suffix of a text that occurs in the sequence: its state, and how many tokens it has. */
export interface Match {
  readonly state: number;
  readonly length: number;
}

/** The empty match. */
export const START: Match = { state: 0, length: 0 };
