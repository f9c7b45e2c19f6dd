import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { bundledPair, modelsFolder } from '../../api/bundled.node';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'tandem-bundled-'));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

/** What package.json and models/pair.json of a folder contain; null where there is no such file. */
interface Contents {
  readonly manifest: string | null;
  readonly pair: string | null;
}

const OWN: Contents = { manifest: '{"name":"tandem-t5"}', pair: '{}' };

/** Folders that are no such package. */
const OTHERS: Readonly<Record<string, Contents>> = {
  'no folder of models': { ...OWN, pair: null },
  'the package of another name': { ...OWN, manifest: '{"name":"tandem"}' },
  'no package.json': { ...OWN, manifest: null },
  'a package.json that is broken': { ...OWN, manifest: '{"name":' },
};

function install(folder: string, { manifest, pair }: Contents = OWN): void {
  mkdirSync(join(folder, 'models'), { recursive: true });
  if (manifest !== null) writeFileSync(join(folder, 'package.json'), manifest);
  if (pair !== null) writeFileSync(join(folder, 'models', 'pair.json'), pair);
}

const at = (...names: string[]) => join(root, ...names);
const installed = (...names: string[]) => at(...names, 'node_modules', 'tandem-t5');

/** A file of the package that is in no folder above the program or the working folder, such as a bundle. */
const PLACES = {
  here: () => at('bundle', 'dist'),
  program: () => at('a', 'b', 'c', 'server.js'),
  workingFolder: () => at('x', 'y', 'z'),
};
const places = () => ({ here: PLACES.here(), program: PLACES.program(), workingFolder: PLACES.workingFolder() });

/** Where the package is found, as Node would look for it, the nearest first: the folder above its own file comes before all. */
const ROOTS: readonly (() => string)[] = [
  () => at('bundle'),
  () => installed('a', 'b', 'c'),
  () => installed('a', 'b'),
  () => installed('a'),
  () => installed('x', 'y', 'z'),
  () => installed('x', 'y'),
  () => installed('x'),
  () => installed(),
];

describe('the folder of the bundled models', () => {
  it.each(ROOTS.map((_, i) => i))('is found in place %i, where no nearer one is of this package', (i) => {
    install(ROOTS[i]());
    expect(modelsFolder(places())).toBe(join(ROOTS[i](), 'models'));
    for (const [what, contents] of Object.entries(OTHERS)) {
      for (const nearer of ROOTS.slice(0, i)) {
        install(nearer(), contents);
        expect([what, modelsFolder(places())]).toEqual([what, join(ROOTS[i](), 'models')]);
        rmSync(nearer(), { recursive: true });
      }
    }
  });

  it('is that of the nearest of two places, those above the program before those above the working folder', () => {
    const nearest = [...ROOTS.slice(0, 4), ROOTS[7], ...ROOTS.slice(4, 7)]; // the root is above both
    nearest.forEach((near, i) => {
      install(near());
      for (const far of nearest.slice(i + 1)) {
        install(far());
        expect(relative(root, modelsFolder(places()))).toBe(relative(root, join(near(), 'models')));
        rmSync(far(), { recursive: true });
      }
      rmSync(near(), { recursive: true });
    });
  });

  it('is looked for without a folder of the own file, and without a program', () => {
    install(installed('x'));
    const { workingFolder } = places();
    const found = join(installed('x'), 'models');
    expect(modelsFolder({ here: undefined, program: undefined, workingFolder })).toBe(found);
    install(at('bundle'));
    expect(modelsFolder({ here: undefined, program: PLACES.program(), workingFolder })).toBe(found);
  });

  it.each(Object.entries(OTHERS))('is not found in %s: the error says where it was looked for', (_, contents) => {
    for (const one of ROOTS) install(one(), contents);
    expect(() => modelsFolder(places())).toThrow(
      expect.objectContaining({ code: 'not-found', message: expect.stringContaining(PLACES.workingFolder()) }),
    );
  });

  it('is that of this package here, and its description names files in it', async () => {
    const models = join(__dirname, '..', '..', 'models');
    expect(modelsFolder({ ...places(), here: join(__dirname, '..', '..', 'api') })).toBe(models);
    const { target, draft, heldOut, text } = await bundledPair();
    for (const name of [target, draft, heldOut, text]) expect(relative(models, name)).toMatch(/^[\w.-]+$/);
  });
});
