/** Mutants of sources, drawn at random: what `scripts/mutate.mjs --sample` counts, and a checker that makes Stryker run no others. */
import { readFileSync } from 'node:fs';
import { relative } from 'node:path';
import { Instrumenter } from '@stryker-mutator/instrumenter';

const SILENT = { debug() {}, info() {}, isDebugEnabled: () => false };

/** One name for a mutant in every process: file, place (lines from 0), kind and new text. */
export function keyOf({ fileName, location: { start, end }, mutatorName, replacement }) {
  const place = [start.line, start.column, end.line, end.column];
  return JSON.stringify([relative(process.cwd(), fileName).replaceAll('\\', '/'), ...place, mutatorName, replacement]);
}

/** The keys of every mutant of some files, in the order of the files. */
export async function mutantsOf(files) {
  const given = files.map((name) => ({ name, mutate: true, content: readFileSync(name, 'utf8') }));
  const { mutants } = await new Instrumenter(SILENT).instrument(given, { ignorers: [], excludedMutations: [] });
  return mutants.map(keyOf);
}

/** `count` members of a list, each as likely as another; the same for the same seed (mulberry32). */
export function draw(list, count, seed) {
  let state = seed >>> 0;
  const random = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let bits = Math.imul(state ^ (state >>> 15), state | 1);
    bits ^= bits + Math.imul(bits ^ (bits >>> 7), bits | 61);
    return ((bits ^ (bits >>> 14)) >>> 0) / 2 ** 32;
  };
  const rest = [...list];
  return Array.from({ length: Math.min(count, list.length) }, () => {
    const [one] = rest.splice(Math.floor(random() * rest.length), 1);
    return one;
  });
}

/** The 95 % interval of a share that was seen `good` times in `all` (Wilson 1927), as two numbers from 0 to 1. */
export function interval(good, all) {
  const z = 1.959964;
  const middle = good + z ** 2 / 2;
  const width = z * Math.sqrt((good * (all - good)) / all + z ** 2 / 4);
  return [(middle - width) / (all + z ** 2), (middle + width) / (all + z ** 2)];
}

/** Passes the mutants that the file TANDEM_MUTATE_SAMPLE lists. Stryker leaves out what a checker refuses. */
class SampleChecker {
  async init() {
    this.keys = new Set(JSON.parse(readFileSync(process.env.TANDEM_MUTATE_SAMPLE, 'utf8')));
  }
  async check(mutants) {
    const refused = { status: 'compileError', reason: 'not in the sample' };
    return Object.fromEntries(
      mutants.map((mutant) => [mutant.id, this.keys.has(keyOf(mutant)) ? { status: 'passed' } : refused]),
    );
  }
  async group(mutants) {
    return [mutants.map(({ id }) => id)];
  }
}

export const strykerPlugins = [{ kind: 'Checker', name: 'sample', injectableClass: SampleChecker }];
