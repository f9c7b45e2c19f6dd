import { columns } from '../table';
import type { Check, Group, MutantRow } from './job';

const TITLES: Readonly<Record<Group, string>> = {
  samplers: 'The shipped samplers have the target’s distribution',
  mutants: 'Every known-wrong sampler is caught by the check that the shipped code passes',
  greedy: 'Greedy speculative text equals greedy autoregressive text, bit for bit',
  kernels: 'The kernels keep their laws',
  statistics: 'The bundled pair samples from the target’s distribution',
};

/** A group's checks, one a line, and why a check failed below it. */
export function groupText(group: Group, checks: readonly Check[]): string {
  const lines = checks.flatMap(({ name, passed, measured, failure }) => [
    [passed ? '✓' : '✗ FAILED', name, measured],
    ...(failure === null ? [] : [['', failure]]),
  ]);
  return `${TITLES[group]}\n${columns(lines, [{ align: 'left' }, { align: 'left' }, { align: 'left' }], '  ')}\n`;
}

/** A measure with four digits, or with an exponent when the four digits would be zeros. */
const shown = (value: number) => (value === 0 || Math.abs(value) >= 1e-4 ? value.toFixed(4) : value.toExponential(0));

/** The mutants: what catches each, what it measures beside the shipped code, and a counterexample. */
export function mutantTable(rows: readonly MutantRow[]): string {
  const parts: string[] = [];
  for (const check of new Set(rows.map((row) => row.check))) {
    const own = rows.filter((row) => row.check === check);
    const { unit, shipped } = own[0];
    const lines = own.map((row) => [
      row.caught ? row.mutant : `NOT CAUGHT: ${row.mutant}`,
      shown(row.measured),
      row.example,
    ]);
    parts.push(`  ${check}: the shipped code measures ${shown(shipped)} (${unit})\n`);
    parts.push(columns([['mutant', 'measured', 'counterexample'], ...lines], COLUMNS, '    '));
  }
  return `${parts.join('')}\n`;
}

const COLUMNS = [{ align: 'left' }, { align: 'right' }, { align: 'left' }] as const;
