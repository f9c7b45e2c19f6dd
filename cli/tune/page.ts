import { type EngineFacts, VERSION } from '../../api';
import { printable } from '../../common';
import { rowCost } from '../../decoding';
import { flagName } from '../flags';
import type { Settings } from '../settings';
import { type Cell, table } from '../table';
import type { Choice, Tried, TriedType } from './choose';
import type { Series } from './picture';

/** Everything that `tandem tune` found. */
export interface Findings {
  readonly target: string;
  readonly backend: EngineFacts;
  /** Texts that were decoded, and texts that there were. */
  readonly texts: number;
  readonly of: number;
  readonly temperature: number;
  readonly types: readonly TriedType[];
  readonly choice: Choice;
  /** The best setting, as it is written to a file. */
  readonly settings: Settings;
}

/** The findings as data. */
export function asData(found: Findings): object {
  const { target, backend, texts, of, temperature, types, choice, settings } = found;
  const { name, level, wide, threads } = backend;
  return {
    ...{ version: VERSION, target, backend: { name, level, wide, threads }, texts, of, temperature },
    types: types.map(({ dtype, plain, v, tried, leftOut }) => ({
      ...{ dtype, plain, v, leftOut },
      drafts: tried.map(({ candidate, costs, ...figures }) => ({ draft: candidate.name, c: costs.c, ...figures })),
    })),
    best: {
      ...{ dtype: choice.type.dtype, draft: choice.draft?.name ?? null, gamma: choice.gamma },
      ...{ speedup: choice.speedup, tokensPerSecond: choice.tokensPerSecond, settings },
    },
  };
}

/** The lines of the picture; they name the type where there are several. */
export function seriesOf({ types }: Findings): Series[] {
  return types.flatMap(({ dtype, tried }) =>
    tried.map(({ candidate, curve, points }) => ({
      label: types.length > 1 ? `${candidate.name} (${dtype})` : candidate.name,
      ...{ curve, points },
    })),
  );
}

const HEAD = ['draft', 'α', 'proposing', 'c', 'γ', 'predicted', 'measured', 'tokens/s'];

/** The findings for a person. */
export function page(found: Findings): string {
  const { target, backend, texts, of, temperature, types, choice, settings } = found;
  const { name, level, threads } = backend;
  const all = of > texts ? ` of ${of}` : '';
  const head = `${target} on ${name} (${level}), ${threads} threads; ${texts}${all} texts, temperature ${temperature}`;
  const parts = types.map(({ dtype, plain, v, tried, leftOut }) => {
    const none: Cell[] = ['none', '', '', '', 0, '', '1.00×', plain.toFixed(1)];
    const without = leftOut.map((draft) => `  left out: ${draft}, which is the target's own type\n`).join('');
    const rows =
      v.length === 0 ? [] : [2, 3, 5, 9, 17].map((count) => `v(${count}) ${rowCost({ c: 0, v }, count).toFixed(2)}`);
    return `${[dtype, ...rows].join(', ')}\n${table(HEAD, [none, ...tried.flatMap(rowsOf)])}${without}`;
  });
  const { draft, gamma, speedup, tokensPerSecond } = choice;
  const what = draft === null ? 'no draft' : `${draft.name}, γ = ${gamma}`;
  const type = types.length > 1 ? `, ${choice.type.dtype}` : '';
  const best = `best: ${what}${type}: ${speedup.toFixed(2)}×, ${tokensPerSecond.toFixed(1)} tokens/s`;
  const flags = flagsOf(settings);
  const differs = types.some(({ tried }) => tried.some(({ points }) => points.some((point) => !point.equal)));
  const warning = temperature === 0 && differs ? 'texts with a draft DIFFER from those without\n' : '';
  return printableLines(`${head}\n${parts.join('')}${best}${flags === '' ? '' : `\nflags: ${flags}`}\n${warning}`);
}

const printableLines = (text: string) => text.split('\n').map(printable).join('\n');

function rowsOf({ candidate, alpha, proposing, costs, gamma, curve, points }: Tried): Cell[][] {
  const known = [candidate.name, alpha.toFixed(3), `${(100 * proposing).toFixed(0)}%`, costs.c.toFixed(3)];
  if (points.length === 0) return [[...known, gamma, `${curve[gamma].toFixed(2)}×`]];
  return points.map((point, i) => [
    ...(i === 0 ? known : known.map(() => '')),
    point.gamma,
    `${point.predicted.toFixed(2)}×`,
    `${point.measured.toFixed(2)}×`,
    point.tokensPerSecond.toFixed(1),
  ]);
}

/** A setting as flags of the command line. */
export function flagsOf(settings: Settings): string {
  return Object.entries(settings)
    .map(([name, value]) => `${flagName(name)} ${shellWord(Array.isArray(value) ? value.join(',') || 'none' : value)}`)
    .join(' ');
}

function shellWord(value: unknown): string {
  const word = String(value);
  return /^[\w./:,@+=-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
