/** What a run of mutants found: survivors, and scores with their intervals. */

/** Least share of mutants that specs have to kill, in percent. */
export const BAR = 85;

const KILLED = new Set(['Killed', 'Timeout']);
const ALIVE = new Set(['Survived', 'NoCoverage']);

/** Whether no spec has noticed a mutant. */
export const isAlive = ({ status }) => ALIVE.has(status);

/** The 95 % interval of a share that was seen `good` times in `all` (Wilson 1927), as two numbers from 0 to 1. */
export function interval(good, all) {
  const z = 1.959964;
  const middle = good + z ** 2 / 2;
  const width = z * Math.sqrt((good * (all - good)) / all + z ** 2 / 4);
  return [(middle - width) / (all + z ** 2), (middle + width) / (all + z ** 2)];
}

/** Score of some mutants, each with the status that Stryker gave it; null where none counts. */
export function scoreOf(results) {
  const killed = results.filter(({ status }) => KILLED.has(status)).length;
  const all = killed + results.filter(({ status }) => ALIVE.has(status)).length;
  if (all === 0) return null;
  const [low, high] = interval(killed, all).map((share) => 100 * share);
  return { killed, all, percent: (100 * killed) / all, low, high };
}

export function printSurvivors(results) {
  for (const { status, file, line, from, to } of results.filter((result) => ALIVE.has(result.status))) {
    console.log(`${status}: ${file}:${line} ${from.slice(0, 100)} → ${to.slice(0, 100)}`);
  }
}

const folderOf = (file, depth) => file.split('/').slice(0, -1).slice(0, depth).join('/');

function row(name, results, isSample) {
  const score = scoreOf(results);
  if (score === null) return `${name}: no mutant that counts`;
  const { killed, all, percent, low, high } = score;
  const timeouts = results.filter(({ status }) => status === 'Timeout').length;
  const range = isSample ? `, 95 % interval ${low.toFixed(1)} to ${high.toFixed(1)} %` : '';
  return `${name}: score ${percent.toFixed(1)} % (${killed} of ${all} killed, ${timeouts} of them because they did not end)${range}`;
}

/** Prints the score of each folder and of all; `results` are the mutants of a run, with a status where Stryker gave one. */
export function printScores(results, { isSample, total }) {
  const tried = results.filter(({ status }) => status !== undefined);
  const folders = new Set(tried.map(({ file }) => folderOf(file, 2)));
  if (folders.size > 1) {
    for (const folder of [...folders].sort()) {
      console.log(
        row(
          folder,
          results.filter(({ file }) => folderOf(file, 2) === folder),
          isSample,
        ),
      );
    }
  }
  const isCounted = ({ status }) => KILLED.has(status) || ALIVE.has(status);
  const rest = results.filter((result) => result.status !== undefined && !isCounted(result)).length;
  const late = results.filter(({ status }) => status === undefined).length;
  console.log(
    `${results.length} of ${total} mutants; ${rest} do not count (code that runs at import, or no valid change)${late > 0 ? `; no time for ${late}` : ''}`,
  );
  console.log(row('all', results, isSample));
}

/**
 * Whether the bar is missed. All mutants are a fact. A sample misses the bar only where the whole interval is below it, because the
 * share of a few mutants is mostly chance.
 */
export function isBelowBar(score, isSample) {
  return (isSample ? score.high : score.percent) < BAR;
}
