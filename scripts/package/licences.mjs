/** The licences of the packages that the bundles contain: the MIT licence asks that its text travels with every copy. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Packages inside gpu.js's browser build, which esbuild sees as one file. */
const INSIDE_GPU_JS = ['acorn', 'gpu-mock.js'];

/** The text of third-party.txt. @throws Error where a package says nothing about its licence */
export function licencesOf(results, root) {
  const inputs = results.flatMap(({ metafile }) => Object.keys(metafile.inputs));
  const folders = new Set(inputs.filter((input) => input.includes('node_modules/')).map(packageFolder));
  for (const name of INSIDE_GPU_JS) folders.add(`node_modules/${name}`);
  const parts = [...folders].sort().map((folder) => licenceOf(join(root, folder)));
  return `The bundles in this folder contain these packages.\n\n${parts.join('\n')}`;
}

/** node_modules/@a/b for node_modules/@a/b/c/d.js */
function packageFolder(input) {
  const [folder] = /^.*node_modules\/(@[^/]+\/)?[^/]+/.exec(input);
  return folder;
}

function licenceOf(folder) {
  const { name, version, license, repository } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  if (!license) throw new Error(`build: expected a licence in ${folder}/package.json, found none`);
  const file = readdirSync(folder).find((one) => /^licen[cs]e/i.test(one));
  const source = typeof repository === 'string' ? repository : (repository?.url ?? '');
  const text = file ? readFileSync(join(folder, file), 'utf8').trim() : 'The package brings no text of it.';
  return `${'='.repeat(80)}\n${name} ${version}, ${license} ${source}\n\n${text}\n`;
}
