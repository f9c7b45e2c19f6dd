import { object, text, unsupported } from '../json';
import { linearPattern } from './expression-search';
import type { Pattern } from './match';

/** Longest pattern that is read. */
const MOST_CHARACTERS = 2000;

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

const ATOM = String.raw`(?:\\[pP]\{\w+\}|\\.|\[(?:\\.|[^\\\]])*\]|[^\\()|[\]*+?{}])`;
// Nothing that could fail follows a repeat without an end: what a try has read is part of its match, but for a few characters.
const BRANCH = String.raw`(?:${ATOM}\?)?${ATOM}*(?:(?:[*+]|\{\d\d?(?:,\d{0,2})?\})(?:${ATOM}\*)*)?`;
// How the expressions of many vocabularies end. A try of the first branch that finds no end of a line is followed by a match of all
// white space that it has read, but for one character.
const LINES = String.raw`\\p\{White_Space\}\*\[\\r\\n\]\+\|\\p\{White_Space\}\+\(\?!\\P\{White_Space\}\)\|\\p\{White_Space\}\+`;
/** Expressions of JavaScript whose own search takes a time that is linear in the text. */
export const QUICK = new RegExp(`^(?:${BRANCH}\\|)*(?:${BRANCH}|${LINES})$`, 'su');

/**
 * Reads the `pattern` of a step: a text that is looked for, or a regular expression. A search takes a time that is linear in the text.
 *
 * @throws RangeError for an expression that is not supported; one for which no such search is known counts as such
 */
export function readPattern(value: unknown, field: string): Pattern {
  const pattern = object(value, field);
  if (typeof pattern.String === 'string' && pattern.String !== '') {
    return quickPattern(new RegExp(pattern.String.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&'), 'gu'));
  }
  const source = text(pattern.Regex, field);
  let found: Pattern;
  try {
    const translated = new Translation(source).run();
    const expression = new RegExp(translated, 'gu');
    found = QUICK.test(translated) ? quickPattern(expression) : linearPattern(translated);
  } catch {
    throw unsupported(`${field}: the expression`, source);
  }
  if ([...found.find('')].length > 0) throw unsupported(`${field}: an expression that matches nothing`, source);
  return found;
}

/** @param expression with the flags g and u */
export const quickPattern = (expression: RegExp): Pattern => ({ find: (text) => text.matchAll(expression) });

/** Writes a regular expression of Oniguruma as one of JavaScript. It refuses what it does not know. */
class Translation {
  private out = '';
  private at = 0;

  constructor(private readonly source: string) {}

  run(): string {
    if (this.source.length > MOST_CHARACTERS) throw new SyntaxError();
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
    else if (first === '|') this.copy('|');
    else if (first === '.') {
      this.out += '[^\\n]';
      this.at++;
    } else if (/[$^{}\]]/.test(first)) throw new SyntaxError();
    else this.copy(String.fromCodePoint(rest.codePointAt(0) as number));
  }

  private copy(part: string): void {
    this.out += part;
    this.at += part.length;
  }

  private openGroup(rest: string): void {
    const group = GROUP.exec(rest)?.[0] ?? '';
    if (group === '(' && rest[1] === '?') throw new SyntaxError();
    this.copy(group);
  }

  /** Groups are not repeated: such a repeat could read nothing again and again. */
  private closeGroup(): void {
    this.copy(')');
    const next = this.source[this.at];
    if (next === '*' || next === '+' || next === '{') throw new SyntaxError();
    if (next === '?' && this.source[this.at - 2] === '(') throw new SyntaxError();
  }

  private repeat(repeat: string): void {
    if (this.out === '' || this.source[this.at + repeat.length] === '+') throw new SyntaxError();
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
    else if (/[A-Za-z0-9]/.test(letter) || letter === '') throw new SyntaxError();
    else this.out += /[\\^$.*+?()[\]{}|/]/.test(letter) || (inClass && letter === '-') ? `\\${letter}` : letter;
  }

  private characterClass(): void {
    this.copy(this.source[this.at + 1] === '^' ? '[^' : '[');
    while (this.source[this.at] !== ']') {
      const rest = this.source.slice(this.at);
      if (rest === '' || rest.startsWith('[') || rest.startsWith('&&')) throw new SyntaxError();
      if (rest.startsWith('\\')) this.escape(true);
      else if ('()|{}/^$*+?.'.includes(rest[0])) {
        this.out += `\\${rest[0]}`;
        this.at++;
      } else this.copy(String.fromCodePoint(rest.codePointAt(0) as number));
    }
    this.copy(']');
  }
}
