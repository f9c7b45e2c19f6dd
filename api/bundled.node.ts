import { existsSync, readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { WeightsError } from '../weights';
import type { BundledPair } from './pair';

/** Where the installed package is looked for, in order. */
interface Places {
  /** The folder of this file; undefined in an ES module. */
  readonly here: string | undefined;
  /** The program that Node was started with, such as a bundled server. */
  readonly program: string | undefined;
  readonly workingFolder: string;
}

const PLACES: Places = {
  here: typeof __dirname === 'string' ? __dirname : undefined,
  program: process.argv[1],
  workingFolder: process.cwd(),
};

/** The pair in models/; pair.json names its files. @throws WeightsError `not-found` where models/ is not found */
export async function bundledPair(): Promise<BundledPair> {
  const models = modelsFolder(PLACES);
  const pair = JSON.parse(await readFile(join(models, 'pair.json'), 'utf8')) as BundledPair;
  const { target, draft, heldOut, text } = pair;
  const [a, b, c, d] = [target, draft, heldOut, text].map((name) => join(models, name));
  return { ...pair, target: a, draft: b, heldOut: c, text: d };
}

/**
 * models/ of this package. This file runs from api/, from dist/, and from inside another program's bundle. A bundler
 * copies the code and leaves models/ behind, so the package is then looked for in node_modules, as Node would look for it:
 * from the program's folder and from the working folder upwards.
 *
 * @throws WeightsError `not-found`, which says how to bundle
 */
export function modelsFolder({ here, program, workingFolder }: Places): string {
  const roots = here === undefined ? [] : [dirname(here)];
  for (const start of [program === undefined ? undefined : dirname(program), workingFolder]) {
    if (start !== undefined) roots.push(...foldersUpwards(start).map((at) => join(at, 'node_modules', 'tandem-t5')));
  }
  const root = roots.find(isThisPackage);
  if (root !== undefined) return join(root, 'models');
  throw new WeightsError(
    'not-found',
    `the bundled pair: expected the package tandem-t5 with its models/ in node_modules of ${workingFolder} or above, found none; ` +
      'a bundle does not contain the pair: keep tandem-t5 out of it (esbuild --external:tandem-t5, serverExternalPackages in Next) ' +
      'and install it beside, or name a checkpoint',
  );
}

function foldersUpwards(start: string): string[] {
  const above = dirname(start);
  return above === start ? [start] : [start, ...foldersUpwards(above)];
}

function isThisPackage(folder: string): boolean {
  if (!existsSync(join(folder, 'models', 'pair.json'))) return false;
  try {
    return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')).name === 'tandem-t5';
  } catch {
    return false; // no package.json, or not JSON: some other folder
  }
}
