import { object, text, unsupported } from '../json';

/** Longest pattern that is read. */
const MOST_CHARACTERS = 2000;
/** Most repetitions without an end in one branch. More could take a time that grows with a high power of the text's length. */
const MOST_OPEN_REPEATS = 2;

// Hugging Face's patterns are Oniguruma's. JavaScript's own \s, \d and \w mean something else for text that is not ASCII.
const IN_CLASS: Readonly<Record<string, string>> = {
  s: '\\p{White_Space}',
  S: '\\P{White_Space}',
  d: '\\p{Nd}',
  D: '\\P{Nd}',
  w: '\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}',
  n: '\\n',
  r: '\\r',
  t: '\\t',
};
const GROUP = /^\((?:\?(?:[:=!]|<[=!]))?/;
const REPEAT = /^(?:[*+?]|\{\d{1,4}(?:,\d{0,4})?\})/;

/**
 * Reads the `pattern` of a step: a text that is looked for, or a regular expression.
 *
 * @returns a regular expression with the flags g and u
 * @throws RangeError for an expression that is not supported; a slow one counts as such
 */
export function readPattern(value: unknown, field: string): RegExp {
  const pattern = object(value, field);
  if (typeof pattern.String === 'string' && pattern.String !== '') {
    return new RegExp(pattern.String.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&'), 'gu');
  }
  const source = text(pattern.Regex, field);
  let expression: RegExp;
  try {
    expression = new RegExp(new Translation(source).run(), 'gu');
  } catch {
    throw unsupported(`${field}: the expression`, source);
  }
  if (expression.test('')) throw unsupported(`${field}: an expression that matches nothing`, source);
  expression.lastIndex = 0;
  return expression;
}

/** Writes a regular expression of Oniguruma as one of JavaScript. It refuses what it does not know. */
class Translation {
  private out = '';
  private at = 0;
  private openRepeats = 0;

  constructor(private readonly source: string) {}

  run(): string {
    if (this.source.length > MOST_CHARACTERS) throw new SyntaxError('too long');
    while (this.at < this.source.length) this.step();
    return this.out;
  }

  private step(): void {
    const rest = this.source.slice(this.at);
    const [first] = rest;
    if (first === '\\') this.escape(false);
    else if (first === '[') this.characterClass();
    else if (first === '(') this.openGroup(rest);
    else if (first === ')') this.closeGroup();
    else if (REPEAT.test(rest)) this.repeat(REPEAT.exec(rest)?.[0] ?? '');
    else if (first === '|') {
      this.openRepeats = 0;
      this.copy('|');
    } else if (first === '.') {
      this.out += '[^\\n]';
      this.at++;
    } else if (/[$^{}\]]/.test(first)) throw new SyntaxError(first);
    else this.copy(String.fromCodePoint(rest.codePointAt(0) as number));
  }

  private copy(part: string): void {
    this.out += part;
    this.at += part.length;
  }

  private openGroup(rest: string): void {
    const group = GROUP.exec(rest)?.[0] ?? '';
    if (group === '(' && rest[1] === '?') throw new SyntaxError('a group of another kind');
    this.copy(group);
  }

  /** A repeated group could contain repeats: the time of such expressions can be exponential. */
  private closeGroup(): void {
    this.copy(')');
    const next = this.source[this.at];
    if (next === '*' || next === '+' || next === '{') throw new SyntaxError('a repeated group');
    if (next === '?' && this.source[this.at - 2] === '(') throw new SyntaxError('an empty group');
  }

  private repeat(repeat: string): void {
    if (this.out === '' || this.source[this.at + repeat.length] === '+') throw new SyntaxError('a possessive repeat');
    if (/^(?:[*+]|\{\d+,\})$/.test(repeat) && ++this.openRepeats > MOST_OPEN_REPEATS) throw new SyntaxError('repeats');
    this.copy(repeat);
    if (this.source[this.at] === '?') this.copy('?');
  }

  private escape(inClass: boolean): void {
    const rest = this.source.slice(this.at);
    const property = /^\\[pP]\{\^?[A-Za-z_]{1,30}\}/.exec(rest)?.[0];
    if (property !== undefined) {
      this.copy(property);
      return;
    }
    const letter = rest[1] ?? '';
    this.at += 2;
    if (Object.hasOwn(IN_CLASS, letter)) this.out += inClass || letter !== 'w' ? IN_CLASS[letter] : `[${IN_CLASS.w}]`;
    else if (letter === 'W' && !inClass) this.out += `[^${IN_CLASS.w}]`;
    else if (/[A-Za-z0-9]/.test(letter) || letter === '') throw new SyntaxError(letter);
    else this.out += /[\\^$.*+?()[\]{}|/]/.test(letter) || (inClass && letter === '-') ? `\\${letter}` : letter;
  }

  private characterClass(): void {
    this.copy(this.source[this.at + 1] === '^' ? '[^' : '[');
    while (this.source[this.at] !== ']') {
      const rest = this.source.slice(this.at);
      if (rest === '' || rest.startsWith('[') || rest.startsWith('&&')) throw new SyntaxError('a class');
      if (rest.startsWith('\\')) this.escape(true);
      else if ('()|{}/^$*+?.'.includes(rest[0])) {
        this.out += `\\${rest[0]}`;
        this.at++;
      } else this.copy(String.fromCodePoint(rest.codePointAt(0) as number));
    }
    this.copy(']');
  }
}
