import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as core from '../../core';
import * as root from '../../index';

const ROOT = join(__dirname, '..', '..');

/** Names that a source file imports from an entry of the package, types included. */
function importedFrom(entry: string, text: string): string[] {
  const imports = text.matchAll(/import (?:type )?\{([^}]*)\} from ['"]([^'"]+)['"]/g);
  return [...imports]
    .filter(([, , from]) => from === entry)
    .flatMap(([, names]) =>
      names.split(',').map(
        (name) =>
          name
            .trim()
            .replace(/^type /, '')
            .split(' as ')[0],
      ),
    )
    .filter((name) => name !== '');
}

/** Every name that an entry exports, types included. */
function exportedBy(file: string): string[] {
  const text = readFileSync(join(ROOT, file), 'utf8');
  return [...text.matchAll(/export (?:type )?\{([^}]*)\} from/g)].flatMap(([, names]) =>
    names
      .split(',')
      .map((name) => name.trim().replace(/^type /, ''))
      .filter((name) => name !== ''),
  );
}

describe('the root of the package', () => {
  it('has fewer than 25 values, and what most programs need is among them', () => {
    expect(Object.keys(root).length).toBeLessThan(25);
    const needed = ['Tandem', 'TandemError', 'VERSION', 'GENERATE_OPTIONS', 'LOAD_OPTIONS', 'TraceRecorder'];
    expect(Object.keys(root)).toEqual(expect.arrayContaining(needed));
  });

  it('has the class of every error, each a TandemError with a code', () => {
    for (const Kind of [root.WeightsError, root.KernelError, root.EngineError, root.DecodingError]) {
      const error = new Kind('aborted' as never, 'x');
      expect(error).toBeInstanceOf(root.TandemError);
      expect(error).toMatchObject({ code: 'aborted', name: Kind.name });
    }
  });
});

describe('tandem-t5/core', () => {
  it('has what a drafter and a logits processor are written with', () => {
    const types = ['Drafter', 'DraftSession', 'DraftRequest', 'DraftTurn', 'Draw', 'Distribution', 'Proposal'];
    const more = [
      'ProposedToken',
      'LogitsProcessor',
      'FileSet',
      'Observe',
      'SequenceModel',
      'Encoded',
      'DecoderStream',
    ];
    const values = ['sample', 'oneHot', 'chain', 'mostProbable', 'generate', 'collect', 'theory', 'firstOf'];
    expect(exportedBy('core.ts')).toEqual(expect.arrayContaining([...types, ...more, ...values]));
    for (const value of values) expect(core).toHaveProperty(value);
  });

  it('has the classes of the root, not copies of them', () => {
    const inCore = new Map<string, unknown>(Object.entries(core));
    const shared = Object.entries(root).filter(([name]) => inCore.has(name));
    expect(shared.length).toBeGreaterThan(4);
    for (const [name, value] of shared) expect(inCore.get(name)).toBe(value);
  });

  it('and the root keep the seams of proofs to themselves', () => {
    for (const file of ['index.ts', 'core.ts']) {
      expect(exportedBy(file).filter((name) => /Parts$|^parts$|Rule$|searchWith/.test(name))).toEqual(
        file === 'index.ts' ? ['LoadedParts'] : [],
      );
    }
  });

  it('the pages of the docs import only names that there are', () => {
    let names = 0;
    for (const page of ['README.md', 'CONTRIBUTING.md', 'docs/decisions.md', 'docs/exactness.md', 'docs/gpu.md']) {
      const text = readFileSync(join(ROOT, page), 'utf8');
      for (const [entry, file] of [
        ['tandem-t5', 'index.ts'],
        ['tandem-t5/core', 'core.ts'],
      ]) {
        const used = importedFrom(entry, text);
        names += used.length;
        expect(exportedBy(file)).toEqual(expect.arrayContaining(used));
      }
    }
    expect(names).toBeGreaterThan(2);
  });
});
