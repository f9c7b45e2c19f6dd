import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { Project, ROOT } from './project';

/** The same small random model as a Hugging Face directory and as ONNX; scripts/goldens/transformers_js.py makes both. */
const MODELS = join(ROOT, 'spec', 'data');

describe('transformers.js and tandem-t5/transformers, one program with one import changed,', () => {
  const project = new Project();
  let theirs: Record<string, unknown>;
  let ours: Record<string, unknown>;

  beforeAll(() => {
    project.install([process.env.TANDEM_TARBALL as string, '@huggingface/transformers@4'], 300);
    cpSync(join(__dirname, 'transformers', 'examples.mjs'), join(project.folder, 'examples.mjs'));
    const run = (from: string) => JSON.parse(project.node('examples.mjs', from, MODELS, 'transformers'));
    theirs = run('@huggingface/transformers');
    ours = run('tandem-t5/transformers');
  });
  afterAll(() => project.dispose());

  test('give the same texts, ids, masks and pieces', () => {
    expect(Object.keys(ours).length).toBeGreaterThan(15);
    expect(ours).toEqual(theirs);
  });

  test('on texts that vary', () => {
    const texts = new Set(
      (ours.generated as { generated_text: string }[][]).map(([{ generated_text }]) => generated_text),
    );
    expect(texts.size).toBe(3);
    expect([...texts].every((text) => text.length > 10)).toBe(true);
  });
});
