/** What `npm run mutate` adds to Stryker: a checker that lets only the chosen mutants run, and a reporter that notes each result. */
import { appendFileSync, readFileSync } from 'node:fs';
import { keyOf } from './mutants.mjs';

/** Passes the mutants that the file TANDEM_MUTATE_KEYS lists. Stryker leaves out what a checker refuses. */
class ChoiceChecker {
  async init() {
    this.keys = new Set(JSON.parse(readFileSync(process.env.TANDEM_MUTATE_KEYS, 'utf8')));
  }
  async check(mutants) {
    const refused = { status: 'compileError', reason: 'not among the mutants of this run' };
    return Object.fromEntries(
      mutants.map((mutant) => [mutant.id, this.keys.has(keyOf(mutant)) ? { status: 'passed' } : refused]),
    );
  }
  async group(mutants) {
    return [mutants.map(({ id }) => id)];
  }
}

/** Appends each result to the file TANDEM_MUTATE_RESULTS, so that a run that is ended early has those that it got. */
class ResultsReporter {
  onMutantTested({ fileName, location: { start, end }, mutatorName, replacement, status }) {
    // A reporter gets lines from 1, a checker from 0.
    const from0 = ({ line, column }) => ({ line: line - 1, column: column - 1 });
    const key = keyOf({ fileName, location: { start: from0(start), end: from0(end) }, mutatorName, replacement });
    appendFileSync(process.env.TANDEM_MUTATE_RESULTS, `${JSON.stringify({ key, status })}\n`);
  }
}

export const strykerPlugins = [
  { kind: 'Checker', name: 'choice', injectableClass: ChoiceChecker },
  { kind: 'Reporter', name: 'results', injectableClass: ResultsReporter },
];
