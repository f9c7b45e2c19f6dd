import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command } from 'commander';
import fc from 'fast-check';
import { askingHub, checkDrafts, checkModelName } from '../../cli/models';
import { checkSubcommand } from '../../cli/subcommands';
import { TandemError } from '../../common';

const NAMES = ['generate', 'inspect', 'quantize', 'ngram', 'paper', 'doctor'];
const KNOWN = ['help', ...NAMES];
const PROGRAM = new Command('tandem');
for (const name of NAMES) PROGRAM.command(name);
PROGRAM.commands[NAMES.indexOf('ngram')].command('build');

describe('the first argument', () => {
  it('is a subcommand, a flag, or refused: no other word is taken for a text', () => {
    const texts = NAMES.filter((name) => name !== 'ngram').map((name) => [name, 'x']);
    for (const args of [[], ...texts, ['--json'], ['-']]) checkSubcommand(args, PROGRAM);
    fc.assert(
      fc.property(fc.string({ minLength: 1 }), fc.array(fc.string()), (first, rest) => {
        fc.pre(!first.startsWith('-') && !KNOWN.includes(first));
        expect(() => checkSubcommand([first, ...rest], PROGRAM)).toThrow(/unknown command/);
      }),
    );
  });

  it('names the subcommand that was meant', () => {
    for (const [typed, meant] of [
      ['genrate', 'generate'],
      ['inspekt', 'inspect'],
      ['docter', 'doctor'],
      ['ngrams', 'ngram'],
      ['Paper', 'paper'],
    ]) {
      expect(() => checkSubcommand([typed, 'models/x'], PROGRAM)).toThrow(`did you mean '${meant}'?`);
    }
    expect(() => checkSubcommand(['Whither thou goest'], PROGRAM)).toThrow('known are help, generate');
  });

  it('may be help or a command with subcommands: the second one is then one of them', () => {
    for (const args of [['help'], ['help', 'ngram'], ['ngram'], ['ngram', 'build'], ['ngram', 'help'], ['ngram', '-h']])
      checkSubcommand(args, PROGRAM);
    expect(() => checkSubcommand(['help', 'docter'], PROGRAM)).toThrow("did you mean 'doctor'?");
    expect(() => checkSubcommand(['ngram', 'x'], PROGRAM)).toThrow("ngram: expected a subcommand, build, found 'x'");
  });
});

describe('the name of a model', () => {
  const start = process.cwd();
  const scratch = mkdtempSync(join(tmpdir(), 'tandem-models-'));
  beforeAll(() => {
    process.chdir(scratch);
    mkdirSync(join('models', 'one'), { recursive: true });
    writeFileSync('file', '');
  });
  afterAll(() => {
    process.chdir(start);
    rmSync(scratch, { recursive: true, force: true });
  });

  it.each(['models/one', './models/one', 'models', 'google/flan-t5-small', 't5-small'])('%s is accepted', (name) => {
    checkModelName(name, '--model');
  });

  it.each([
    ['./nope', 'nothing there'],
    ['/abs/nope', 'nothing there'],
    ['../nope', 'nothing there'],
    ['~/nope', 'nothing there'],
    ['models/nope', 'nothing there'],
    ['models/one/nope', 'nothing there'],
    ['google/flan/t5', 'nothing there'],
    ['nope/', 'nothing there'],
    ['a b', 'nothing there'],
    ['a..b', 'nothing there'],
    ['', 'nothing there'],
    ['file', 'a file'],
    ['file/nope', 'ENOTDIR'],
  ])('%s is refused before a hub is asked', (name, found) => {
    const message = `--model '${name}': expected a checkpoint directory, found ${found}`;
    expect(() => checkModelName(name, '--model')).toThrow(message);
  });

  it('is checked among drafts too, where other kinds of drafts have no path', async () => {
    await checkDrafts(['copy', 'layers:2', 'ngram:file', 'models/one', 'random', 'model:google/t5', 'self:q8']);
    for (const draft of ['./nope', 'models/nope', 'model:./nope', 'model:models/nope']) {
      await expect(checkDrafts(['copy', draft])).rejects.toThrow(/--draft '.*nope': expected a checkpoint directory/);
    }
    for (const draft of ['ngram:none', 'ngram:models', 'ngram:/dev/zero']) {
      await expect(checkDrafts([draft])).rejects.toThrow(/expected a file that can be read/);
    }
  });

  it('that no directory has and the hub does not know: the error says both', async () => {
    const ask = (code: TandemError['code'], message: string) =>
      askingHub(['models/one', 'google/nope'], () => Promise.reject(new TandemError(code, message)));
    await expect(ask('hub-failed', 'google/nope: HTTP 404')).rejects.toMatchObject({
      code: 'hub-failed',
      message: "google/nope: HTTP 404; and there is no directory 'google/nope' here",
    });
    await expect(ask('hub-failed', 'models/one: HTTP 404')).rejects.toThrow(/^models\/one: HTTP 404$/);
    await expect(ask('config-invalid', 'google/nope: odd')).rejects.toThrow(/^google\/nope: odd$/);
    await expect(askingHub([], async () => 7)).resolves.toBe(7);
  });

  it('is missing from the hub for three codes alone, and for errors of Tandem', async () => {
    const said = async (error: Error) => {
      const thrown = await askingHub(['google/nope'], () => Promise.reject(error)).catch((one: Error) => one);
      return (thrown as Error).message.includes('and there is no directory');
    };
    const codes = ['aborted', 'option-invalid', 'not-found', 'io-failed', 'hub-failed', 'offline', 'config-invalid'];
    const found: string[] = [];
    for (const code of codes) if (await said(new TandemError(code as 'offline', 'google/nope'))) found.push(code);
    expect(found).toEqual(['not-found', 'hub-failed', 'offline']);
    expect(await said(Object.assign(new Error('google/nope'), { code: 'offline' }))).toBe(false);
  });
});
