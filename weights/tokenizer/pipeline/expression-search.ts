import { PART } from '../steps';
import { Kind, type State, type States, statesOf } from './expression-states';
import type { Match, Pattern } from './match';

/** Characters of a text whose notes are in one array. */
const NOTED = 1 << 12;

/**
 * An expression whose search takes a time that is linear in the text, which JavaScript's own does not for ` +x`, say, where a
 * text has many spaces. It finds the same matches. The way from a state to the end of a match depends on the place in the text
 * alone, so a state that led nowhere at some place is not tried there again, neither for this start nor for a later one.
 *
 * @param source an expression of JavaScript with the flag u in which no group is repeated
 * @throws SyntaxError for an expression that this is not done for
 */
export function linearPattern(source: string): Pattern {
  const states = statesOf(source);
  return { find: (text) => new Search(states, text).matches() };
}

class Search {
  /** What was tried, a bit for each place and join. An array is made where a place is first tried. */
  private readonly tried = new Map<number, Uint8Array>();
  private oldest = 0;
  private readonly width: number;
  /** What is still to be tried for this start, last one first. */
  private readonly waiting: State[] = [];
  private readonly places: number[] = [];
  private left = PART;

  constructor(
    private readonly states: States,
    private readonly text: string,
  ) {
    this.width = Math.ceil(states.joins / 8);
  }

  /** The matches in turn, and nothing each time that a part of the work is done. */
  *matches(): Generator<Match | undefined, void, void> {
    let start = 0;
    while (start <= this.text.length) {
      this.forgetBefore(start);
      this.wait(this.states.first, start);
      let end = this.run();
      for (; end === -2; end = this.run()) {
        this.left = PART;
        yield;
      }
      if (end >= 0) {
        yield { 0: this.text.slice(start, end), index: start };
        // There the states of the match led somewhere.
        this.tried.get(Math.floor(end / NOTED))?.fill(0, (end % NOTED) * this.width, ((end % NOTED) + 1) * this.width);
      }
      start = end > start ? end : this.after(start);
    }
  }

  /** Goes on until this start has a match, whose end it gives, has none (-1), or a part of the work is done (-2). */
  private run(): number {
    for (;;) {
      if (this.left <= 0) return -2;
      const state = this.waiting.pop();
      if (state === undefined) return -1;
      const end = this.follow(state, this.places.pop() as number);
      if (end >= 0) return end;
    }
  }

  /** Follows the states from one on; other ways wait, and so does this one where a part of the work is done. Gives the end of a match, or -1. */
  private follow(from: State, start: number): number {
    let [state, at] = [from, start];
    for (;;) {
      if (this.left-- <= 0) {
        this.wait(state, at);
        return -1;
      }
      if (state.join >= 0 && this.wasTried(state.join, at)) return -1;
      if (state.kind === Kind.End) {
        this.waiting.length = this.places.length = 0;
        return at;
      }
      if (state.kind === Kind.Choice) {
        this.wait(state.other as State, at);
      } else {
        const test = state.test as RegExp;
        test.lastIndex = at;
        if (!test.test(this.text)) return -1;
        if (state.kind === Kind.Character) at = test.lastIndex;
      }
      state = state.next as State;
    }
  }

  private wait(state: State, at: number): void {
    this.waiting.push(state);
    this.places.push(at);
  }

  private after(at: number): number {
    return at + ((this.text.codePointAt(at) ?? 0) > 0xffff ? 2 : 1);
  }

  /** Whether a join was tried at a place; from now on it was. */
  private wasTried(join: number, at: number): boolean {
    const bits = this.bitsOf(at);
    const [i, bit] = [(at % NOTED) * this.width + (join >> 3), 1 << (join & 7)];
    const was = (bits[i] & bit) !== 0;
    bits[i] |= bit;
    return was;
  }

  private bitsOf(at: number): Uint8Array {
    const key = Math.floor(at / NOTED);
    let bits = this.tried.get(key);
    if (bits === undefined) {
      bits = new Uint8Array(NOTED * this.width);
      this.tried.set(key, bits);
    }
    return bits;
  }

  private forgetBefore(start: number): void {
    for (; this.oldest < Math.floor(start / NOTED); this.oldest++) this.tried.delete(this.oldest);
  }
}
