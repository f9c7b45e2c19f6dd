import { parseArgs } from 'node:util';
import { type Dtype, WEIGHT_TYPES } from '../../kernels';
import type { RoundPlan } from '../harness/untilPrecise';

export interface Options {
  readonly drafts: readonly string[];
  readonly dtypes: readonly Dtype[];
  readonly temperatures: readonly number[];
  readonly threads: readonly number[];
  readonly passages: number;
  readonly tokens: number;
  readonly rounds: RoundPlan;
}

/** Reads the command line; a wrong value is refused with the name of its option. */
export function parseOptions(argv: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      drafts: { type: 'string', default: 'pair,self:q8:copy,copy,ngram,random' },
      dtypes: { type: 'string', default: 'f32,bf16,q8' },
      temperatures: { type: 'string', default: '0,1' },
      threads: { type: 'string', default: '1,2' },
      passages: { type: 'string', default: '4' },
      tokens: { type: 'string', default: '48' },
      rounds: { type: 'string', default: '9' },
      'most-rounds': { type: 'string', default: '40' },
      precision: { type: 'string', default: '0.015' },
    },
  });
  const rounds: RoundPlan = {
    least: count('rounds', values.rounds),
    most: count('most-rounds', values['most-rounds']),
    precision: number('precision', values.precision, 'a number above 0 and below 1', (n) => n > 0 && n < 1),
  };
  if (rounds.most < rounds.least) refuse('most-rounds', `--rounds (${rounds.least}) or more`, values['most-rounds']);
  const dtypes = values.dtypes.split(',');
  const unknown = dtypes.find((type) => !WEIGHT_TYPES.includes(type as Dtype));
  if (unknown !== undefined) refuse('dtypes', `some of ${WEIGHT_TYPES.join(', ')}`, unknown);
  return {
    drafts: values.drafts.split(','),
    dtypes: dtypes as Dtype[],
    temperatures: values.temperatures
      .split(',')
      .map((text) => number('temperatures', text, 'numbers from 0 up', (n) => n >= 0)),
    threads: values.threads.split(',').map((text) => count('threads', text)),
    passages: count('passages', values.passages),
    tokens: count('tokens', values.tokens),
    rounds,
  };
}

function count(name: string, text: string): number {
  return number(name, text, 'a whole number from 1 up', (n) => Number.isSafeInteger(n) && n >= 1);
}

function number(name: string, text: string, expected: string, fits: (value: number) => boolean): number {
  const value = text.trim() === '' ? Number.NaN : Number(text);
  if (!Number.isFinite(value) || !fits(value)) refuse(name, expected, text);
  return value;
}

function refuse(name: string, expected: string, found: string): never {
  throw new Error(`never-slower: --${name}: expected ${expected}, found ${found === '' ? 'nothing' : found}`);
}
