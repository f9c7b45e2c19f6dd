import type { Tandem } from '../../api';
import { published, theory } from '../../decoding';
import { type Cell, table } from '../table';
import type { Figures, PaperMeasurements } from './measure';

const { BIGRAM_SPEEDUP, TABLE_1, TABLE_2, TABLE_3, TABLE_5 } = published;

/** A figure with some decimals; nothing where there is none. */
const fixed = (digits: number) => (value: number | null) => (value === null ? '' : value.toFixed(digits));
const [two, three] = [fixed(2), fixed(3)];
const times = (value: number | null) => (value === null ? '' : `${value.toFixed(2)}×`);
const heading = (number: number, text: string) => `Table ${number}. ${text}\n`;

/** The four tables, with the published figures and those of this machine. */
export function paperPage(tandem: Tandem, measured: PaperMeasurements): string {
  return `${[
    'Leviathan, Kalman and Matias 2023 (arXiv 2211.17192): published figures, and those of this machine',
    `${machine(tandem, measured)}\n`,
    tableOne(),
    tableTwo(measured),
    tableThree(measured),
    tableFive(measured),
    'α: mean of Σ min(target, draft) over positions up to each round’s first rejection. c: a draft step / a target step.',
    'v: a target call of γ + 1 rows / a target step; the paper takes it for 1, which holds where memory is the limit.',
  ].join('\n')}\n`;
}

function machine({ backend, target, draft }: Tandem, { passages, tokens }: PaperMeasurements): string {
  const { name, level, wide, threads } = backend;
  const millions = (parameters = 0) => `${(parameters / 1e6).toPrecision(3)} M`;
  const pair = `${millions(target.parameters)} target, ${millions(draft?.parameters)} draft`;
  return `here: ${pair}, ${target.dtype} on ${name} (${level}${wide?.on ? ', wide' : ''}), ${threads} threads; ${passages} held-out passages, ${tokens} tokens`;
}

function tableOne(): string {
  const rows = TABLE_1.map(({ alpha, gamma, operations, speed }): Cell[] => {
    const formulas = [theory.expectedOperations(alpha, gamma), theory.predictedSpeedup({ alpha, gamma, c: 0 })];
    const [ourOperations, ourSpeed] = formulas.map(times);
    return [two(alpha), gamma, times(operations), ourOperations, times(speed), ourSpeed];
  });
  const head = ['α', 'γ', 'operations', '(formula)', 'speed', '(formula)'];
  return heading(1, 'What theorems 3.8 and 3.11 give at c = 0') + table(head, rows);
}

function tableTwo({ pair }: PaperMeasurements): string {
  const head = ['pair', 'T', 'γ', 'α', 'c', 'v', 'theorem 3.8', 'with v', 'measured'];
  const theirs = TABLE_2.map((row): Cell[] => {
    const { task, draft, temperature, gamma, alpha, c, theory, measured } = row;
    const figures = [two(alpha), two(c), '', times(theory), '', times(measured)];
    return [`${task}, ${draft}`, temperature, gamma, ...figures];
  });
  const ours = pair.map((row): Cell[] => {
    const { temperature, gamma, alpha, c, v } = row;
    const speeds = [row.theory, row.predicted, row.measured].map(times);
    return ['here', temperature, gamma, two(alpha), three(c), two(v), ...speeds];
  });
  return heading(2, 'Speed-up of T5-XXL on a TPU v4, and of the bundled pair here') + table(head, [...theirs, ...ours]);
}

function tableThree({ ngrams }: PaperMeasurements): string {
  const orders = ['', 'unigram', 'bigram'];
  const theirs = TABLE_3.map(({ task, order, alpha }): Cell[] => {
    const { speed, gamma } = BIGRAM_SPEEDUP;
    const known = task === 'EnDe' && order === 2 ? `${times(speed)} (γ = ${gamma}, c = 0)` : '';
    return [`${task}, ${orders[order]}`, two(alpha.greedy), two(alpha.sampled), known, ''];
  });
  const ours = ngrams.map(({ order, greedy, sampled }): Cell[] => {
    const figures = (one: (figures: Figures) => string) => [one(greedy), one(sampled)];
    return [`here, ${orders[order]}`, ...figures(({ alpha }) => two(alpha)), ...figures((one) => times(one.measured))];
  });
  const head = ['draft', 'α, T = 0', 'α, T = 1', 'speed-up, T = 0', 'T = 1'];
  return heading(3, 'n-gram drafts') + table(head, [...theirs, ...ours]);
}

function tableFive({ lenience }: PaperMeasurements): string {
  const rows = TABLE_5.map((row, i): Cell[] => {
    const { exact, alpha, measured } = lenience[i];
    return [row.lenience, two(row.alpha), two(alpha), times(measured), exact ? 'yes' : 'NO'];
  });
  const head = ['lenience', 'α of EnDe, small', 'α here', 'speed-up here', 'exact'];
  return (
    heading(5, 'Lenience at temperature 1: faster, but below 1 no longer the target’s distribution') + table(head, rows)
  );
}
