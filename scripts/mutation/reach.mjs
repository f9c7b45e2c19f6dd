/** Which specs reach which lines of sources, by one run of a spec with coverage. */
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { runSpecs } from './runner.mjs';

/** What a spec may take of the processor before one knows; a run of specs may take four times as much and a little more. */
const FIRST_SECONDS = 100;

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

/** A digest of the files of a tree that `isWanted` holds for. */
function digestOf(folder, isWanted) {
  const digest = createHash('sha256');
  for (const name of readdirSync(folder, { recursive: true }).sort()) {
    if (/^(node_modules|dist|models|docs|examples)(\/|$)/.test(name) || !/\.([cm]?[jt]s|json)$/.test(name)) continue;
    if (isWanted(name)) digest.update(`${name}\0`).update(readFileSync(join(folder, name)));
  }
  return digest.digest('hex');
}

/** Runs a spec once in the copy. @returns null where it fails without a mutant */
async function reachOfOne(copy, spec, files) {
  const report = resolve(copy, '../coverage');
  rmSync(report, { recursive: true, force: true });
  const coverage = [
    ...['--coverage', '--coverageProvider', 'v8', '--coverageReporters', 'json', '--coverageDirectory', report],
    ...files.flatMap((file) => ['--collectCoverageFrom', file]),
  ];
  const { late, failed, seconds } = await runSpecs(copy, [spec], { args: coverage, seconds: FIRST_SECONDS });
  const name = join(report, 'coverage-final.json');
  if (late || failed || !existsSync(name)) return null;
  const lines = linesOf(JSON.parse(readFileSync(name, 'utf8')), resolve(copy));
  rmSync(report, { recursive: true, force: true });
  return { spec, seconds, lines };
}

/**
 * The reach of specs, each of which runs once in the copy when somebody asks. What an earlier run has found is kept beside the copy, and
 * counts while neither the sources nor the spec have changed.
 */
export class Reach {
  #copy;
  #files;
  #store;
  #known;
  #tree;
  #found = new Map();

  /** @param files sources whose lines count */
  constructor(copy, files) {
    this.#copy = copy;
    this.#files = files;
    this.#store = resolve(copy, '../reach.json');
    this.#known = existsSync(this.#store) ? JSON.parse(readFileSync(this.#store, 'utf8')) : {};
    this.#tree = digestOf(copy, (name) => !name.endsWith('.spec.ts')) + files.join();
  }

  /**
   * @returns { spec, seconds, lines }, with seconds of the processor. Null for a spec that fails in the copy without a mutant, which is
   *     named: its failure tells nothing.
   */
  async of(spec) {
    if (!this.#found.has(spec)) this.#found.set(spec, await this.#look(spec));
    return this.#found.get(spec);
  }

  async #look(spec) {
    const key = this.#tree + readFileSync(join(this.#copy, spec), 'utf8');
    const digest = createHash('sha256').update(key).digest('hex');
    const earlier = this.#known[spec];
    if (earlier?.digest === digest) {
      return { spec, seconds: earlier.seconds, lines: new Map(earlier.lines.map(([file, of]) => [file, new Set(of)])) };
    }
    const reach = await reachOfOne(this.#copy, spec, this.#files);
    if (reach === null) {
      console.log(`without a mutant too, there fails or does not end: ${spec}`);
      return null;
    }
    const { seconds, lines } = reach;
    this.#known[spec] = { digest, seconds, lines: [...lines].map(([file, of]) => [file, [...of]]) };
    writeFileSync(this.#store, JSON.stringify(this.#known));
    return reach;
  }
}
