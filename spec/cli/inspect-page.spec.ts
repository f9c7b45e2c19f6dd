/** What tandem inspect prints of any summary: each fact under its name, and one line for each tensor. */
import fc from 'fast-check';
import { pageOf } from '../../cli/inspect-page';
import type { Summary } from '../../cli/inspect-summary';

const size = fc.integer({ min: 1, max: 99_999 });
const tensor = fc.record({
  ...{ name: fc.constantFrom('shared.weight', 'encoder.norm', 'odd\u001bname'), type: fc.constantFrom('F32', 'q8') },
  shape: fc.array(size, { minLength: 1, maxLength: 3 }),
  ...{ bytes: fc.nat(9_999_999), file: fc.constantFrom('a.safetensors', 'b.safetensors'), used: fc.boolean() },
});
const summary = fc.record({
  ...{ name: fc.constantFrom('models/one', 'odd\u001bname'), family: fc.constantFrom('t5', 'mt5') },
  config: fc.record({
    ...{ encoderLayers: size, decoderLayers: size, dModel: size, heads: size, dKv: size, dFf: size },
    ...{ vocabularySize: size, scaleHead: fc.boolean() },
    feedForward: fc.record({ kind: fc.constantFrom('relu', 'gelu'), gated: fc.boolean() }),
  }),
  metadata: fc.dictionary(fc.constantFrom('format', 'x\u001b'), fc.constantFrom('pt', 'y\u001b')),
  ...{ parameters: fc.option(fc.nat(99_999_999)), bytes: fc.nat(99_999_999) },
  ...{ tokenizer: fc.constantFrom('unigram, 32 ids', 'none: no file'), statements: fc.constant([]) },
  tensors: fc.array(tensor, { minLength: 1, maxLength: 5 }),
});
const safe = (text: string) => text.replaceAll('\u001b', '\\x1b');
const grouped = (value: number) => String(value).replace(/\B(?=(\d{3})+$)/g, ',');

describe('the page of tandem inspect', () => {
  it('has each fact under its name, and a line for each tensor in its order', () => {
    fc.assert(
      fc.property(summary, (one) => {
        const { config, tensors, metadata, parameters } = one;
        const { kind, gated } = config.feedForward;
        const sizes = `dModel ${config.dModel}, ${config.heads} heads of ${config.dKv}, dFf ${config.dFf}, vocabulary ${config.vocabularySize}`;
        const files = tensors.map(({ file }) => file).filter((file, i, all) => all.indexOf(file) === i);
        const types = tensors.map(({ type }) => type);
        const counts = [...new Set(types)].map((type) => `${types.filter((each) => each === type).length} ${type}`);
        const lines = pageOf(one as unknown as Summary).split('\n');
        const cells = lines.map((line) => line.trim().split(/ {2,}/));
        const facts = Object.keys(metadata).length + 6;
        expect(cells.slice(0, facts + 2)).toEqual([
          [safe(one.name)],
          [
            'family',
            `${one.family}, ${kind}${gated ? ' gated' : ''} feed-forward, head ${config.scaleHead ? '' : 'not '}scaled`,
          ],
          ['layers', `${config.encoderLayers} encoder, ${config.decoderLayers} decoder`],
          ['sizes', sizes],
          ['parameters', parameters === null ? 'unknown: it cannot be loaded' : grouped(parameters)],
          ['tokenizer', one.tokenizer],
          ['tensors', `${tensors.length} in ${files.join(', ')}: ${counts.join(', ')}; ${grouped(one.bytes)} bytes`],
          ...Object.entries(metadata).map(([key, value]) => [`metadata ${safe(key)}`, safe(value)]),
          [''],
        ]);
        expect(cells.slice(facts + 2)).toEqual([
          ...tensors.map(({ name, type, shape, bytes, used }) => [
            ...[safe(name), type, `[${shape.join(', ')}]`, `${grouped(bytes)} bytes`],
            ...(used ? [] : ['(not used)']),
          ]),
          [''],
        ]);
      }),
    );
  });

  it('has what becomes of every key, file by file: refused ones first, then followed ones, each in its order', () => {
    const statement = fc.record({
      ...{ file: fc.constantFrom('config.json', 'odd\u001b.json'), key: fc.constantFrom('a', 'b\u001b', 'c') },
      ...{ value: fc.constantFrom('1', '"x\u001b"'), note: fc.constantFrom('because', 'why\u001b') },
      outcome: fc.constantFrom('no effect', 'followed', 'refused'),
    });
    fc.assert(
      fc.property(summary, fc.array(statement, { maxLength: 8 }), (one, statements) => {
        const before = pageOf(one as unknown as Summary);
        const page = pageOf({ ...one, statements } as unknown as Summary);
        expect(page.startsWith(before)).toBe(true);
        const parts = page.slice(before.length).split('\n\n').filter(Boolean);
        const files = [...new Set(statements.map(({ file }) => file))];
        const found = parts.map((part) =>
          part
            .trim()
            .split('\n')
            .map((line) => line.trim().split(/ {2,}/)),
        );
        const of = (file: string, outcome: string) =>
          statements
            .filter((each) => each.file === file && each.outcome === outcome)
            .map(({ key, value, note }) => [outcome, `${safe(key)} ${safe(value)}`, safe(note)]);
        expect(found).toEqual(
          files.map((file) => [
            [safe(file)],
            ...['refused', 'followed', 'no effect'].flatMap((outcome) => of(file, outcome)),
          ]),
        );
      }),
    );
  });
});
