import { cpSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BUNDLED, buildCommand, expectOneLine, removeCommand, tandem } from './command';

const scratch = mkdtempSync(join(tmpdir(), 'tandem-refusals-'));
beforeAll(buildCommand);
afterAll(() => {
  removeCommand();
  rmSync(scratch, { recursive: true, force: true });
});

/** A copy of the bundled draft with one file changed. */
function spoilt(name: string, change: (directory: string) => void): string {
  const directory = join(scratch, name);
  cpSync(BUNDLED.draft, directory, { recursive: true });
  change(directory);
  return directory;
}

const FLAGS: readonly (readonly [readonly string[], RegExp])[] = [
  [['generate', '--gamma', 'x', 'hi'], /'--?g.* expected an integer from 0 to 64, found "x"/],
  [['generate', '--temperature', '-1', 'hi'], /--temperature .* expected a number of at least 0, found "-1"/],
  [['generate', '--temperature', 'NaN', 'hi'], /expected a number of at least 0, found "NaN"/],
  [['generate', '--top-p', '0', 'hi'], /expected a number above 0 and at most 1, found "0"/],
  [['generate', '--top-k', '0', 'hi'], /expected an integer of at least 1, found "0"/],
  [['generate', '--min-p', '2', 'hi'], /expected a number of at least 0 and at most 1, found "2"/],
  [['generate', '--max-tokens', '1e9', 'hi'], /expected an integer of at least 1, found "1e9"/],
  [['generate', '--seed', '1.5', 'hi'], /expected an integer of at least 0, found "1.5"/],
  [['generate', '--ids', '5,,1'], /expected token ids as 5,17,1, found "5,,1"/],
  [['generate', '--ids', '5,99999,1'], /expected 0 to 4095, found 99999/],
  [['generate', '--suppress', '4096', 'hi'], /suppressTokens: expected ids from 0 to 4095, found 4096/],
  [['generate', '--suppress', 'a', 'hi'], /expected token ids as 5,17,1, found "a"/],
  [['generate', '--backend', 'abacus', 'hi'], /expected one of auto, wasm, cpu, gpu, reference, found "abacus"/],
  [['generate', '--level', 'zz', 'hi'], /level: expected zz, found/],
  [['generate', '--threads', '0', 'hi'], /expected an integer from 1 to 64, found "0"/],
  [['generate', '--dtype', 'f64', 'hi'], /expected one of f32, bf16, q8, found "f64"/],
  [['generate', '--dtype', 'f32', '--type', 'q8', 'hi'], /expected one weight type, found --dtype f32 and --type q8/],
  [['generate', '--file', '/no/such/file'], /'\/no\/such\/file': expected a file that can be read, found ENOENT/],
  [['generate', '--file', '/dev/zero'], /'\/dev\/zero': expected a file that can be read, found a device/],
  [['generate', '--file', 'cli'], /'cli': expected a file that can be read, found a directory/],
  [['generate', '--file', 'x', 'hi'], /expected one source of input, found TEXT and --file/],
  [['generate'], /standard input: expected at least one line of text, found none/],
  [
    ['generate', '--draft', 'ngram:/no/such/table', 'hi'],
    /draft: expected an n-gram table in \/no\/such\/table, found ENOENT/,
  ],
  [['generate', '--draft', 'ngram:package.json', 'hi'], /package.json: expected format tandem-ngram, version 1/],
  [['generate', '--draft', 'layers:99', 'hi'], /layers: expected 1 to 6, found 99/],
  [
    ['generate', '--draft', 'layers:x', 'hi'],
    /draft: expected layers:N with a whole number from 1 up, found 'layers:x'/,
  ],
  [['generate', '--draft', 'copy,', 'hi'], /draft: expected copy, ngram, .*layers:N, .* found ''/],
  [['generate', '--draft', 'none', '--gamma', 'auto', 'hi'], /costs: expected a draft to measure, found none/],
  [['generate', '--gamma', 'auto', '--costs', '0.1,1', 'hi'], /expected --gamma auto or --costs, found both/],
  [['generate', '--costs', '1', 'hi'], /expected c and at least one v, as 0.05,1,1.1, found "1"/],
  [['generate', '--branching', '2,x', 'hi'], /expected whole numbers from 1 up, as 3,1,1, found "2,x"/],
  [['generate', '--branching', '2', '--gamma', '3', 'hi'], /gamma: expected none beside branching/],
  [['generate', '--lenience', '0', 'hi'], /expected a number above 0 and at most 1, found "0"/],
  [
    ['generate', '--lenience', '0.5', '--verification', 'block', 'hi'],
    /lenience: expected 1 with block verification, found 0.5/,
  ],
  [['generate', '--beams', '2', '--temperature', '1', 'hi'], /expected no --temperature beside --beams/],
  [
    ['generate', '--beams', '2', '--sequences', '3', 'hi'],
    /numReturnSequences: expected at most numBeams, which is 2, found 3/,
  ],
  [['generate', '--sequences', '2', 'hi'], /expected --beams, found --sequences without it/],
  [['generate', '--batch', '2', '--compare', 'hi'], /expected no --compare beside --batch/],
  [['generate', '--batch', '0', 'hi'], /expected an integer from 1 to 1024, found "0"/],
  [
    ['generate', '--trace', '/no/such/place', 'hi'],
    /'\/no\/such\/place': expected a file that can be written, found ENOENT/,
  ],
  [['ngram'], /ngram: expected a subcommand, build, found none/],
  [
    ['ngram', 'build', '/no/such/text', '-o', '/tmp/x'],
    /'\/no\/such\/text': expected a file that can be read, found ENOENT/,
  ],
  [['ngram', 'build', 'package.json'], /required option '-o, --out <path>' not specified/],
  [['generate', '--modle', 'x', 'hi'], /unknown option '--modle'/],
  [['generate', '--model', '/no/such/model', 'hi'], /--model '\/no\/such\/model': expected a checkpoint directory/],
  [
    ['generate', '--model', 'models/nope', 'hi'],
    /--model 'models\/nope': expected a checkpoint directory, found nothing/,
  ],
  [['generate', '--draft', 'copy,./nope', 'hi'], /--draft '.\/nope': expected a checkpoint directory, found nothing/],
  [
    ['generate', '--model', 'package.json', 'hi'],
    /--model 'package.json': expected a checkpoint directory, found a file/,
  ],
  [
    ['generate', '--offline', '--model', 'owner/name', 'hi'],
    /owner\/name: .* there is no directory 'owner\/name' here/,
  ],
  [['genrate', 'hi'], /unknown command 'genrate'; did you mean 'generate'\?/],
  [['inspekt', 'models/modernize-draft'], /unknown command 'inspekt'; did you mean 'inspect'\?/],
  [['Thou art my rock.'], /unknown command 'Thou art my rock.'; known are .*tandem generate TEXT/],
  [['--gamma', '2', 'hi'], /expected 'generate' before a text, found 'hi' without it/],
  [['inspect'], /missing required argument 'model'/],
  [['inspect', '/no/such/model'], /inspect '\/no\/such\/model': expected a checkpoint directory/],
  [['inspect', __dirname], /config\.json/],
];

describe('tandem refuses in one clear line, with a failing exit code and nothing on standard output', () => {
  test.each(FLAGS.map(([args, message]) => [args.join(' '), args, message] as const))('%s', (_, args, message) => {
    const run = tandem(args);
    expect(run.status).toBeGreaterThan(0);
    expect(run.stdout).toBe('');
    expectOneLine(run, message);
  });

  test('text that is not UTF-8', () => {
    const path = join(scratch, 'latin1.txt');
    writeFileSync(path, Buffer.from([0x63, 0x61, 0x66, 0xe9, 0x0a]));
    const run = tandem(['generate', '--file', path]);
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
  ])('%s', (name, change, message) => {
    const run = tandem(['generate', '--model', spoilt(name.replace(/\W+/g, '-'), change), 'hi']);
    expect(run).toMatchObject({ status: 1, stdout: '' });
    expectOneLine(run, message);
  });

  test('a draft with another vocabulary, naming the first difference', () => {
    const draft = spoilt('other-vocabulary', (directory) => {
      rmSync(join(directory, 'spiece.model'));
      const path = join(directory, 'tokenizer.json');
      const tokenizer = JSON.parse(readFileSync(path, 'utf8')) as { model: { vocab: [string, number][] } };
      const { vocab } = tokenizer.model;
      [vocab[1000][0], vocab[2000][0]] = [vocab[2000][0], vocab[1000][0]];
      writeFileSync(path, JSON.stringify(tokenizer));
    });
    const run = tandem(['generate', '--draft', draft, 'hi']);
    expect(run).toMatchObject({ status: 1, stdout: '' });
    expectOneLine(
      run,
      /draft .*other-vocabulary: expected the vocabulary of the target .*, found a difference: id 1000 is ".+" in one, ".+" in the other/,
    );
  });
});
