/** What a state does before its `next`: it reads a character, looks around, tries `next` and then `other`, or ends the match. */
export enum Kind {
  Character,
  Look,
  Choice,
  End,
}

/** A step of matching an expression. */
export class State {
  /** The number of a state that several others lead to, or -1. */
  join = -1;
  other: State | null = null;

  /** @param test sticky: whether the next character, or what stands around a place, fits */
  constructor(
    readonly kind: Kind,
    public next: State | null,
    readonly test: RegExp | null = null,
  ) {}
}

export interface States {
  readonly first: State;
  readonly count: number;
  readonly joins: number;
}

/** A part of an expression. */
interface Part {
  /** Makes the states that lead to a state. */
  readonly before: (next: State) => State;
  /** Whether it may match nothing. */
  readonly mayBeEmpty: boolean;
}

/** Most states: the steps that a character of the text can take. */
const MOST_STATES = 1000;
/** Most states that several others lead to. Each takes a bit for a character of the text. */
const MOST_JOINS = 128;

const ATOM = String.raw`(?:\\[pP]\{\^?\w+\}|\\.|\[(?:\\.|[^\\\]])*\]|[^\\()|[\]*+?{}])`;
const REPEAT = String.raw`(?:[*+?]|\{\d+(?:,\d*)?\})\??`;
const TOKEN = new RegExp(String.raw`\((?:\?(?::|<?[=!]))?|[)|]|${REPEAT}|${ATOM}`, 'gsu');
// A few characters with one repeat: the time of a look is bounded.
const FEW = String.raw`${ATOM}*(?:(?:\?|\{\d{1,2}(?:,\d{1,2})?\})${ATOM}*)?`;
const LOOK = new RegExp(String.raw`^\(\?<?[=!]${FEW}(?:\|${FEW})*\)$`, 'su');

/**
 * Makes the states of an expression.
 *
 * @param source an expression of JavaScript with the flag u in which no group is repeated
 * @throws SyntaxError for a look around that has an open repeat, for an optional group that may match nothing, and for too many states
 */
export function statesOf(source: string): States {
  return new Parser(source.match(TOKEN) ?? []).run();
}

class Parser {
  private at = 0;
  private readonly all: State[] = [];

  constructor(private readonly tokens: readonly string[]) {}

  run(): States {
    const first = this.alternatives().before(this.add(new State(Kind.End, null)));
    const leading = new Map<State | null, number>([[first, 1]]);
    for (const { next, other } of this.all) {
      for (const to of [next, other]) leading.set(to, (leading.get(to) ?? 0) + 1);
    }
    const joins = this.all.filter((state) => state.kind !== Kind.End && (leading.get(state) ?? 0) > 1);
    if (joins.length > MOST_JOINS) throw new SyntaxError('too many joins');
    for (const [i, state] of joins.entries()) state.join = i;
    return { first, count: this.all.length, joins: joins.length };
  }

  private add(state: State): State {
    if (this.all.push(state) > MOST_STATES) throw new SyntaxError('too many states');
    return state;
  }

  private choice(next: State | null, other: State | null): State {
    const state = this.add(new State(Kind.Choice, next));
    state.other = other;
    return state;
  }

  private alternatives(): Part {
    const branches = [this.branch()];
    while (this.tokens[this.at] === '|') {
      this.at++;
      branches.push(this.branch());
    }
    return {
      before: (next) => {
        const firsts = branches.map((branch) => branch.before(next));
        return firsts.reduceRight((other, first) => this.choice(first, other));
      },
      mayBeEmpty: branches.some((branch) => branch.mayBeEmpty),
    };
  }

  private branch(): Part {
    const parts: Part[] = [];
    while (this.at < this.tokens.length && !/^[|)]$/.test(this.tokens[this.at])) parts.push(this.repeated(this.part()));
    return {
      before: (next) => parts.reduceRight((to, part) => part.before(to), next),
      mayBeEmpty: parts.every((part) => part.mayBeEmpty),
    };
  }

  private part(): Part {
    const token = this.tokens[this.at++];
    if (/^\(\?<?[=!]$/.test(token)) return this.look(token);
    if (token === '(' || token === '(?:') {
      const group = this.alternatives();
      this.at++;
      // JavaScript would not let the group match nothing there, and looks for another match of it.
      if (group.mayBeEmpty && this.tokens[this.at]?.startsWith('?')) throw new SyntaxError('an optional group');
      return group;
    }
    const test = new RegExp(token, 'uy');
    return { before: (next) => this.add(new State(Kind.Character, next, test)), mayBeEmpty: false };
  }

  private look(opening: string): Part {
    const end = this.tokens.indexOf(')', this.at) + 1;
    const source = opening + this.tokens.slice(this.at, end).join('');
    if (!LOOK.test(source)) throw new SyntaxError('a long look around');
    this.at = end;
    const test = new RegExp(source, 'uy');
    return { before: (next) => this.add(new State(Kind.Look, next, test)), mayBeEmpty: true };
  }

  /** A part as often as the repeat after it says. */
  private repeated(part: Part): Part {
    const [, repeat, lazy] = /^([*+?]|\{.+\})(\??)$/s.exec(this.tokens[this.at] ?? '') ?? [];
    if (repeat === undefined) return part;
    this.at++;
    const [least, most] = timesOf(repeat);
    const choice = (again: State | null, enough: State) =>
      lazy === '' ? this.choice(again, enough) : this.choice(enough, again);
    const before = (next: State) => {
      let first = next;
      if (most === Number.POSITIVE_INFINITY) {
        first = choice(null, next);
        first[lazy === '' ? 'next' : 'other'] = part.before(first);
      } else for (let i = least; i < most; i++) first = choice(part.before(first), next);
      for (let i = 0; i < least; i++) first = part.before(first);
      return first;
    };
    return { before, mayBeEmpty: least === 0 || part.mayBeEmpty };
  }
}

function timesOf(repeat: string): [least: number, most: number] {
  if (repeat === '?') return [0, 1];
  if (repeat === '*' || repeat === '+') return [repeat === '*' ? 0 : 1, Number.POSITIVE_INFINITY];
  const [least, most = least] = repeat.slice(1, -1).split(',');
  return [Number(least), most === '' ? Number.POSITIVE_INFINITY : Number(most)];
}
