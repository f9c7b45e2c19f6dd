const ROOT = 0;

/** A state stands for all words that end at the same places of the sequence. */
interface State {
  /** Length of the longest word of the state. */
  length: number;
  /** State of the longest suffix that ends at other places too; −1 for the root. */
  link: number;
  /** Index one past the end of its first occurrence. */
  end: number;
  readonly next: Map<number, number>;
}

/**
 * Suffix automaton (Blumer et al. 1985). It has at most 2n states for n tokens, and each token takes amortised constant time. It
 * recognises every run of tokens of the sequence and says where the run first ended.
 */
export class SuffixAutomaton {
  readonly tokens: number[] = [];
  private readonly states: State[] = [{ length: 0, link: -1, end: 0, next: new Map() }];
  private last = ROOT;

  constructor(tokens: readonly number[] = []) {
    for (const token of tokens) this.append(token);
  }

  /** Number of states. */
  get size(): number {
    return this.states.length;
  }

  append(token: number): void {
    this.tokens.push(token);
    const end = this.tokens.length;
    const added = this.add({ length: this.states[this.last].length + 1, link: ROOT, end, next: new Map() });
    let state = this.last;
    while (state >= 0 && !this.states[state].next.has(token)) {
      this.states[state].next.set(token, added);
      state = this.states[state].link;
    }
    if (state >= 0) this.states[added].link = this.linkFor(state, token);
    this.last = added;
  }

  /** The state that a new state links to: where `token` leads from `state`. It is split when it has longer words too. */
  private linkFor(state: number, token: number): number {
    const { states } = this;
    const target = states[state].next.get(token) as number;
    if (states[target].length === states[state].length + 1) return target;
    const { link, end, next } = states[target];
    const clone = this.add({ length: states[state].length + 1, link, end, next: new Map(next) });
    for (let from = state; from >= 0 && states[from].next.get(token) === target; from = states[from].link) {
      states[from].next.set(token, clone);
    }
    states[target].link = clone;
    return clone;
  }

  private add(state: State): number {
    this.states.push(state);
    return this.states.length - 1;
  }

  /** A cursor that has read no token. */
  cursor(): Cursor {
    return { state: ROOT, length: 0 };
  }

  /** The cursor after one more token. It stands at the longest suffix of the tokens it has read that occurs in the sequence. */
  step({ state, length }: Cursor, token: number): Cursor {
    const { states } = this;
    let at = state;
    let matched = length;
    while (at !== ROOT && !states[at].next.has(token)) {
      at = states[at].link;
      matched = states[at].length;
    }
    const next = states[at].next.get(token);
    return next === undefined ? { state: ROOT, length: 0 } : { state: next, length: matched + 1 };
  }

  /** The cursor at the longest shorter suffix that ends at other places too. */
  shorter({ state }: Cursor): Cursor {
    const link = Math.max(ROOT, this.states[state].link);
    return { state: link, length: this.states[link].length };
  }

  /** Index in the sequence one past the first occurrence of the suffix at the cursor. */
  end({ state }: Cursor): number {
    return this.states[state].end;
  }
}

/** The longest suffix matched so far, and its length. */
export interface Cursor {
  readonly state: number;
  readonly length: number;
}
