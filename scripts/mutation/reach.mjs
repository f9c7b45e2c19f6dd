/** Which specs reach which lines of sources, by one run of each spec with coverage, before the first mutant. */
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { listSpecs, runSpecs } from './runner.mjs';

/** Lines of each source that ran, from 1, of a report of coverage; a source of which none ran is left out. */
export function linesOf(report, root) {
  const lines = new Map();
  for (const [path, { statementMap, s }] of Object.entries(report)) {
    const ran = Object.keys(s)
      .filter((id) => s[id] > 0)
      .map((id) => statementMap[id].start.line);
    if (ran.length > 0) lines.set(relative(root, path).replaceAll('\\', '/'), new Set(ran));
  }
  return lines;
}

/**
 * Runs every spec of some folders once in the copy. One that fails there without a mutant is named and left out: its failure tells
 * nothing.
 *
 * @param specs folders and files of specs
 * @param files sources whose lines count
 * @returns [{ spec, seconds, lines }]
 */
export async function reachOf(copy, specs, files) {
  const found = [];
  const report = resolve(copy, '../coverage');
  for (const spec of await listSpecs(copy, specs)) {
    rmSync(report, { recursive: true, force: true });
    const begun = Date.now();
    const coverage = [
      ...['--coverage', '--coverageProvider', 'v8', '--coverageReporters', 'json', '--coverageDirectory', report],
      ...files.flatMap((file) => ['--collectCoverageFrom', file]),
    ];
    const failed = await runSpecs(copy, [spec], { args: coverage });
    const name = join(report, 'coverage-final.json');
    if (failed?.length !== 0 || !existsSync(name)) {
      console.log(`without a mutant too, there fails or does not end: ${spec}`);
      continue;
    }
    const seconds = (Date.now() - begun) / 1000;
    found.push({ spec, seconds, lines: linesOf(JSON.parse(readFileSync(name, 'utf8')), resolve(copy)) });
  }
  rmSync(report, { recursive: true, force: true });
  return found;
}
