import { cpSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Tandem } from '../../api';
import { BUNDLED, expectOneLine } from './command';
import { inside } from './inside';

const scratch = mkdtempSync(join(tmpdir(), 'tandem-refusals-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

/** A copy of the bundled draft with one file changed. */
function spoilt(name: string, change: (directory: string) => void): string {
  const directory = join(scratch, name);
  cpSync(BUNDLED.draft, directory, { recursive: true });
  change(directory);
  return directory;
}

const REFUSED: readonly (readonly [args: readonly string[], status: number, message: RegExp])[] = [
  // A value that its option does not accept: every option is tried in flags.spec.ts.
  [['generate', '--gamma', 'x', 'hi'], 2, /^--gamma: expected .*0 to 64.*, found 'x'$/],
  [['generate', '--temperature', '-1', 'hi'], 2, /^--temperature: expected a number from 0 up, found '-1'$/],
  [
    ['generate', '--max-new-tokens', '1e9', 'hi'],
    2,
    /^--max-new-tokens: expected a whole number from 1 up, found '1e9'$/,
  ],
  [['generate', '--ids', '5,,1'], 2, /^--ids: expected token ids, as 5,17,1, found '5,,1'$/],
  [['generate', '--seed', '1', '--seed', '2', 'hi'], 2, /^--seed: expected once, found it twice$/],
  [['generate', '--stop', '', 'hi'], 2, /^--stop: expected a list of strings, none of them empty, found ''$/],
  [['generate', '--bad-words', '1,,2', 'hi'], 2, /^--bad-words: expected .*, found '1,,2'$/],
  [['generate', '--draft', 'layers:x', 'hi'], 2, /^--draft: expected self, .*, found 'layers:x'$/],
  [['generate', '--draft', 'copy,', 'hi'], 2, /^--draft: expected self, .*, found 'copy,'$/],
  [['ngram', 'build', 'x', '--order', '9', '-o', 'y'], 2, /^--order: expected a whole number from 1 to 8, found '9'$/],
  [['paper', '--passages', '999'], 2, /^--passages: expected at most 200, found 999$/],
  // Ids that the vocabulary does not have.
  [['generate', '--ids', '5,99999,1'], 1, /expected 0 to 4095, found 99999/],
  [['generate', '--suppress-tokens', '4096', 'hi'], 2, /suppressTokens: expected ids from 0 to 4095, found 4096/],
  // Words that do not go together.
  [['generate', '--log-probs', '2', 'hi'], 2, /expected --json beside --log-probs, found text/],
  [['generate', '--gamma', 'auto', '--costs', '0.1,1', 'hi'], 2, /no --costs beside --gamma auto, found both/],
  [['generate', '--gamma', 'auto', '--branching', '2', 'hi'], 2, /no --branching beside --gamma auto/],
  [['generate', '--gamma', 'auto', '--num-beams', '2', 'hi'], 2, /no --gamma auto beside --num-beams/],
  [['generate', '--branching', '2', '--gamma', '3', 'hi'], 2, /gamma: expected none beside branching/],
  [['generate', '--ids', '5,1', '--prefix', 'x'], 2, /no --prefix beside --ids/],
  [['generate', '--ids', '5,1', '--plain'], 2, /no --plain beside --ids/],
  [['generate', '--compare', '--num-beams', '2', 'hi'], 2, /no --compare beside --num-beams/],
  [
    ['generate', '--compare', '-t', '1', '--num-return-sequences', '2', 'hi'],
    2,
    /no --compare beside --num-return-sequences/,
  ],
  [['generate', '--trace', 'x', '--num-beams', '2', 'hi'], 2, /no --trace beside --num-beams/],
  [
    ['generate', '--trace', 'x', '-t', '1', '--num-return-sequences', '2', 'hi'],
    2,
    /no --trace beside --num-return-sequences/,
  ],
  [['generate', '--concurrency', '2', '--compare', 'hi'], 2, /no --concurrency beside --compare/],
  [['generate', '--concurrency', '2', '--trace', 'x', 'hi'], 2, /no --concurrency beside --trace/],
  [['generate', '--json', '--color', 'hi'], 2, /no --color beside --json/],
  [['generate', '--revision', 'v1', 'hi'], 2, /expected --model beside --revision, found none/],
  [['generate', '--draft', 'none', '--gamma', 'auto', 'hi'], 2, /a draft beside --gamma auto, found --draft none/],
  [['generate', '--draft', 'none', '--compare', 'hi'], 2, /a draft beside --compare, found --draft none/],
  [
    ['generate', '--model', BUNDLED.draft, '--gamma', '3', 'hi'],
    2,
    /a draft beside --gamma, found none: \S+modernize-draft in bf16 does not draft for itself unasked/,
  ],
  [['generate', '--num-beams', '2', '--temperature', '1', 'hi'], 2, /temperature: .* a beam search does not sample/],
  [['generate', '--num-beams', '2', '--stop', 'x', 'hi'], 2, /stop: expected none with numBeams/],
  [
    ['generate', '--num-beams', '2', '--num-return-sequences', '3', 'hi'],
    2,
    /numReturnSequences: expected at most numBeams/,
  ],
  [['generate', '--length-penalty', '2', 'hi'], 2, /lengthPenalty: expected numBeams of 2 or more beside it/],
  [['generate', '--top-k', '2', 'hi'], 2, /topK: expected .*temperature/],
  [
    ['generate', '--lenience', '0.5', '--verification', 'block', 'hi'],
    2,
    /lenience: expected 1 with block verification/,
  ],
  // Words and arguments.
  [['genrate', 'hi'], 2, /^unknown command 'genrate'; did you mean 'generate'\?/],
  [['inspekt', 'models/modernize-draft'], 2, /^unknown command 'inspekt'; did you mean 'inspect'\?/],
  [['Thou art my rock.'], 2, /^unknown command 'Thou art my rock.'; known are .*tandem generate TEXT/],
  [['--gamma', '2', 'hi'], 2, /^expected 'generate' before a text, found 'hi' without it$/],
  [['generate', '--modle', 'x', 'hi'], 2, /unknown option '--modle' \(Did you mean --model\?\)/],
  [['generate', '--max-tokens', '3', 'hi'], 2, /unknown option '--max-tokens'/],
  [['generate', '--gamma'], 2, /option '-g, --gamma <n>' argument missing/],
  [['inspect'], 2, /missing required argument 'model'/],
  [['inspect', 'a', 'b'], 2, /too many arguments/],
  [['ngram'], 2, /ngram: expected a subcommand, build, found none/],
  [['ngram', 'build', 'package.json'], 2, /ngram build: expected --out <path>, found none/],
  // Files and models that are not there, or are something else.
  [['generate', '--file', 'x', 'hi'], 2, /expected one source of input, found TEXT and --file/],
  [['generate'], 2, /standard input: expected at least one line of text, found none/],
  [['generate', ' \n '], 2, /TEXT: expected text, found none/],
  [['generate', '--file', '/no/such/file'], 1, /'\/no\/such\/file': expected a file that can be read, found ENOENT/],
  [['generate', '--file', '/dev/zero'], 1, /'\/dev\/zero': expected a file that can be read, found a device/],
  [['generate', '--file', 'cli'], 1, /'cli': expected a file that can be read, found a directory/],
  [
    ['generate', '--trace', '/no/such/place', 'hi'],
    1,
    /'\/no\/such\/place': expected a file that can be written, found ENOENT/,
  ],
  [['generate', '--draft', 'ngram:/no/such/table', 'hi'], 1, /'\/no\/such\/table': expected a file that can be read/],
  [['generate', '--draft', 'ngram:package.json', 'hi'], 2, /package.json: expected format tandem-ngram, version 1/],
  [['generate', '--draft', 'layers:99', 'hi'], 2, /draft: expected layers:1 to layers:6 of .*, found 'layers:99'/],
  [['generate', '--level', 'zz', 'hi'], 2, /level: expected one of auto, relaxed-simd, simd, scalar, found 'zz'/],
  [['generate', '--model', '/no/such/model', 'hi'], 1, /--model '\/no\/such\/model': expected a checkpoint directory/],
  [
    ['generate', '--model', 'models/nope', 'hi'],
    1,
    /--model 'models\/nope': expected a checkpoint directory, found nothing/,
  ],
  [
    ['generate', '--draft', 'copy,./nope', 'hi'],
    1,
    /--draft '.\/nope': expected a checkpoint directory, found nothing/,
  ],
  [
    ['generate', '--model', 'package.json', 'hi'],
    1,
    /--model 'package.json': expected a checkpoint directory, found a file/,
  ],
  [
    ['generate', '--offline', '--model', 'owner/name', 'hi'],
    1,
    /owner\/name: .* there is no directory 'owner\/name' here/,
  ],
  [['inspect', '/no/such/model'], 1, /inspect '\/no\/such\/model': expected a checkpoint directory/],
  [['inspect', __dirname], 1, /config\.json/],
  [
    ['ngram', 'build', '/no/such/text', '-o', 'no-such-table.json'],
    1,
    /'\/no\/such\/text': expected a file that can be read/,
  ],
  [
    ['ngram', 'build', 'package.json', '-o', '/no/such/place'],
    1,
    /'\/no\/such\/place': expected a file that can be written/,
  ],
];

describe('tandem refuses in one clear line, with a failing exit code and nothing on standard output', () => {
  test.each(REFUSED.map(([args, ...rest]) => [args.join(' '), args, ...rest] as const))(
    '%s',
    async (_, args, status, message) => {
      const run = await inside(args);
      expect(run).toMatchObject({ status, stdout: '' });
      expectOneLine(run, /^tandem: /);
      expect(run.stderr.slice('tandem: '.length, -1)).toMatch(message);
      if (run.stderr.includes('found both')) expect(run.stderr).toMatch(/found both: \w/); // and why
    },
  );

  test('options that do not go together, before a model is loaded and before standard input is read', async () => {
    const load = jest.spyOn(Tandem, 'load');
    for (const args of [
      ['--top-k', '2'],
      ['--num-beams', '2', '--stop', 'x'],
      ['--length-penalty', '2'],
    ]) {
      const run = await inside(['generate', ...args], { input: Buffer.from([0xff, 0xfe]) }); // UTF-16, if it were read
      expect(run).toMatchObject({ status: 2, stdout: '' });
      expectOneLine(run, /(topK|stop|lengthPenalty): expected/);
    }
    expect(load).not.toHaveBeenCalled();
    load.mockRestore();
  });

  test('text that is not UTF-8', async () => {
    const path = join(scratch, 'latin1.txt');
    writeFileSync(path, Buffer.from([0x63, 0x61, 0x66, 0xe9, 0x0a]));
    const run = await inside(['generate', '--file', path]);
    expect(run.status).toBe(1);
    expectOneLine(run, /latin1\.txt: line 1: expected UTF-8 text, found other bytes/);
  });

  test.each([
    [
      'a truncated safetensors file',
      (d: string) => truncateSync(join(d, 'model.safetensors'), 4000),
      /model\.safetensors/,
    ],
    ['a config that is no JSON', (d: string) => writeFileSync(join(d, 'config.json'), '{'), /config\.json/],
    [
      'a config of another family',
      (d: string) => writeFileSync(join(d, 'config.json'), '{"model_type":"gpt2"}'),
      /gpt2/,
    ],
    ['a tokenizer that is no JSON', (d: string) => writeFileSync(join(d, 'tokenizer.json'), '[}'), /tokenizer\.json/],
    ['no weights', (d: string) => rmSync(join(d, 'model.safetensors')), /model\.safetensors/],
  ])('%s', async (name, change, message) => {
    const run = await inside(['generate', '--model', spoilt(name.replace(/\W+/g, '-'), change), 'hi']);
    expect(run).toMatchObject({ status: 1, stdout: '' });
    expectOneLine(run, message);
  });

  test('a draft with another vocabulary, naming the first difference', async () => {
    const draft = spoilt('other-vocabulary', (directory) => {
      rmSync(join(directory, 'spiece.model'));
      const path = join(directory, 'tokenizer.json');
      const tokenizer = JSON.parse(readFileSync(path, 'utf8')) as { model: { vocab: [string, number][] } };
      const { vocab } = tokenizer.model;
      [vocab[1000][0], vocab[2000][0]] = [vocab[2000][0], vocab[1000][0]];
      writeFileSync(path, JSON.stringify(tokenizer));
    });
    const run = await inside(['generate', '--draft', draft, 'hi']);
    expect(run).toMatchObject({ status: 1, stdout: '' });
    expectOneLine(
      run,
      /draft .*other-vocabulary: expected the vocabulary of the target .*, found a difference: id 1000 is ".+" in one, ".+" in the other/,
    );
  });
});
