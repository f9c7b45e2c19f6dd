import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { gunzipSync } from 'node:zlib';
import { Tandem } from '../../../api';
import { checkpointFiles } from '../../../weights/checkpoint-writer';
import { goldenCheckpoint } from '../../support/golden-files.node';
import { randomTensors, tinyConfig } from '../../support/random-checkpoint';
import { inside, keepModels, records } from '../inside';

keepModels();

const DATA = path.join(__dirname, '..', '..', 'data', 'tokenizer');
/** The case of transformers#6150: newlines are white space, and the document is one source. */
const DOCUMENT = 'summarize: The meeting\nis on Monday.\n';
const IDS = [21603, 10, 37, 1338, 19, 30, 2089, 5, 1];

describe('a document', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'tandem-document-'));
  const model = path.join(folder, 'model');
  const file = path.join(folder, 'document.txt');

  /** A small random model on the real tokenizer, which says that it was made for sources of eight ids. */
  beforeAll(async () => {
    mkdirSync(model);
    const config = tinyConfig({ vocabularySize: 32128, dModel: 4, encoderLayers: 1, decoderLayers: 1 });
    for (const { name, chunks } of checkpointFiles({ config, tensors: randomTensors(config, 3) })) {
      const parts: Uint8Array[] = [];
      for await (const chunk of chunks()) parts.push(chunk);
      writeFileSync(path.join(model, name), Buffer.concat(parts));
    }
    writeFileSync(path.join(model, 'spiece.model'), gunzipSync(readFileSync(path.join(DATA, 't5.spiece.model.gz'))));
    writeFileSync(path.join(model, 'tokenizer_config.json'), '{"model_max_length": 8}');
    writeFileSync(file, DOCUMENT);
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  const ARGS = ['generate', '--model', model, '--max-new-tokens', '4', '--backend', 'cpu'];
  const run = (args: readonly string[], input = '') => inside([...ARGS, '--json', ...args], { input });
  const idsOf = ({ stdout }: { stdout: string }) =>
    stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line).ids);
  const byIds = (ids: readonly number[]) => run(['--ids', ids.join(',')]);

  it.each([
    ['as TEXT', [DOCUMENT], ''],
    ['in a file', ['--document', file], ''],
    ['on standard input', ['--document', '-'], DOCUMENT],
  ])('%s is one source, whose ids are Hugging Face’s', async (_, args, input) => {
    const found = await run(args, input);
    expect(found.status).toBe(0);
    expect(JSON.parse(found.stdout)).toMatchObject({ index: 0, line: 1, input: DOCUMENT });
    expect(idsOf(found)).toEqual(idsOf(await byIds(IDS)));
  });

  it('has the ids of the case, in a program too', async () => {
    const tandem = await Tandem.load(model, { backend: 'cpu' });
    expect(await tandem.encode(DOCUMENT)).toEqual(IDS);
  });

  it('is what standard input and --file are not: each of their lines is an input', async () => {
    for (const [args, input] of [
      [[], DOCUMENT],
      [['--file', file], ''],
    ] as const) {
      const found = await run(args, input);
      expect(idsOf(found)).toHaveLength(2);
    }
  });

  it.each([
    ['with no text', '', ' \n\n', /standard input: expected text, found none/],
    [
      'that is not UTF-8',
      '',
      Buffer.from('caf\xe9\nHe said.', 'latin1'),
      /standard input: expected UTF-8 text, found other bytes/,
    ],
    ['in UTF-16', '', Buffer.from('\ufeffcafe', 'utf16le'), /expected UTF-8 text, found UTF-16/],
  ])('%s is refused', async (_what, _none, input, message) => {
    const { status, stderr } = await inside([...ARGS, '--document', '-'], { input });
    expect(status).toBeGreaterThan(0);
    expect(stderr).toMatch(message);
  });

  it('is not given beside another input, and not in a directory', async () => {
    for (const other of [['TEXT'], ['--file', file], ['--ids', '5,1']]) {
      expect((await run(['--document', file, ...other])).stderr).toMatch(/expected one source of input, found/);
    }
    expect((await run(['--document', folder])).stderr).toMatch(/expected a file that can be read, found a directory/);
  });

  describe('longer than the model was made for', () => {
    const NOTICE =
      /^tandem: .*found a source of 9 ids, and the model was made for at most 8; truncate \(--truncate\) cuts it\n$/;

    it('is told once on standard error, however many there are, and decoded whole', async () => {
      const lines = Array(3).fill(DOCUMENT.replace(/\n/g, ' ')).join('\n');
      const found = await run([], lines);
      expect(found).toMatchObject({ status: 0 });
      expect(found.stderr).toMatch(/^(tandem: .*at most 8.*\n)?$/); // a kept model has told it before
      expect(idsOf(found)).toEqual(Array(3).fill(idsOf(await byIds(IDS))[0]));
      const notices: string[] = [];
      const tandem = await Tandem.load(model, {
        backend: 'cpu',
        worker: false,
        onNotice: ({ message }) => notices.push(`tandem: ${message}\n`),
      });
      await tandem.generate([DOCUMENT, DOCUMENT], { maxNewTokens: 2 });
      await tandem.generate(IDS, { maxNewTokens: 2, numBeams: 2 });
      expect(notices).toEqual([expect.stringMatching(NOTICE)]);
      await tandem.dispose();
    });

    it.each([
      [['--truncate'], [...IDS.slice(0, 7), 1]],
      [
        ['--truncate', '5'],
        [...IDS.slice(0, 4), 1],
      ],
      [['--truncate', '1'], [1]],
      [['--truncate', '9'], IDS],
      [
        ['--truncate', '5', '--num-beams', '2'],
        [...IDS.slice(0, 4), 1],
      ],
    ])('is cut by %j, and its EOS stays', async (flags, ids) => {
      const beams = flags.slice(2);
      const [expected] = await records([...ARGS, '--ids', ids.join(','), ...beams]).catch(() => [null]);
      const found = await run([DOCUMENT, ...flags]);
      expect(found.status).toBe(0);
      const plain = await run(['--ids', ids.join(','), ...beams]);
      expect(idsOf(found)).toEqual(idsOf(plain));
      if (expected)
        expect(JSON.parse(found.stdout).settings.truncate).toBe(flags[1] === undefined ? true : Number(flags[1]));
    });

    it('is cut where ids have no EOS at their end, and refused where the model says no length', async () => {
      const ids = IDS.slice(0, -1);
      const found = await run(['--ids', ids.join(','), '--truncate', '3']);
      expect(idsOf(found)).toEqual(idsOf(await byIds(ids.slice(0, 3))));
      const unknown = await inside(['generate', '--model', goldenCheckpoint('t5-v1.0'), '--ids', '5,1', '--truncate']);
      expect(unknown.stderr).toMatch(
        /truncate: expected a number of ids: .* does not say how long a source it was made for/,
      );
      expect(unknown.status).toBe(2);
      expect((await run(['--truncate', 'much', DOCUMENT])).stderr).toMatch(/--truncate: expected .* found 'much'/);
    });
  });
});
