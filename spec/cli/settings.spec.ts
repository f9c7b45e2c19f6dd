import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command } from 'commander';
import fc from 'fast-check';
import { addBatchFlags, type BatchFlags } from '../../cli/batch/flags';
import { flagName } from '../../cli/flags';
import { addGenerateFlags, type GenerateFlags } from '../../cli/generate/flags';
import { addServeFlags, type ServeFlags } from '../../cli/serve';
import { parseSettings, SETTINGS_KEYS, type Settings, settingsText, withSettings } from '../../cli/settings';
import { expectOneLine } from './command';
import { inside, keepModels, records } from './inside';

const scratch = mkdtempSync(join(tmpdir(), 'tandem-settings-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

const FILE = join(scratch, 'settings.json');
const { signal } = new AbortController();

function written(content: string | Uint8Array): string {
  writeFileSync(FILE, content);
  return FILE;
}

const dtype = fc.constantFrom('f32', 'bf16', 'q8', 'q4');
const name = fc.stringMatching(/^[a-z][a-z0-9/._-]{0,12}$/);
const draft = fc.oneof(
  fc.constantFrom('self', 'self:bf16', 'self:q4', 'copy', 'ngram', 'random', 'layers:1', 'layers:12'),
  name.map((one) => `model:${one}`),
);

/** Settings of every kind. No model of a draft's name has a comma, which a command line takes for the end of the name. */
const settings = fc.record(
  {
    model: name,
    revision: name,
    dtype,
    draft: fc.array(draft, { maxLength: 3 }),
    draftDtype: dtype,
    draftRevision: name,
    prefix: fc.string(),
    backend: fc.constantFrom('auto', 'wasm', 'cpu', 'gpu', 'reference'),
    threads: fc.integer({ min: 1, max: 64 }),
    level: name,
    wide: fc.constantFrom(true, false, 'auto' as const),
    gamma: fc.oneof(fc.integer({ min: 0, max: 64 }), fc.constant('auto' as const)),
  },
  { requiredKeys: [] },
) as fc.Arbitrary<Settings>;

test('the settings of the law have every key', () => {
  const seen = new Set(fc.sample(settings, 200).flatMap((one) => Object.keys(one)));
  expect([...seen].sort()).toEqual(Object.keys(SETTINGS_KEYS).sort());
});

const COMMANDS = { generate: addGenerateFlags, batch: addBatchFlags, serve: addServeFlags };

/** What a command makes of its flags. */
function parsed(command: keyof typeof COMMANDS, args: readonly string[]): GenerateFlags & BatchFlags & ServeFlags {
  const program = COMMANDS[command](new Command(command)).exitOverride();
  return program.parse([...args], { from: 'user' }).opts();
}

describe.each(['generate', 'batch', 'serve'] as const)('tandem %s --settings', (command) => {
  it('has the options that were written, as if they had been typed', async () => {
    await fc.assert(
      fc.asyncProperty(settings, async (one) => {
        const typed = Object.entries(one).map(([key, value]) => {
          return `${flagName(key)}=${Array.isArray(value) ? value.join(',') || 'none' : value}`;
        });
        const flags = await withSettings(parsed(command, ['--settings', written(settingsText(one))]), signal);
        expect(flags).toEqual(parsed(command, typed));
      }),
      { numRuns: 30 },
    );
  });

  it('yields to the command line; a draft of the command line takes γ, type and revision of the file’s draft away', async () => {
    const all: Settings = { dtype: 'q8', draft: ['m'], draftDtype: 'f32', draftRevision: 'r', gamma: 7, threads: 2 };
    const path = written(settingsText({ ...all, model: 'a', revision: 'b' }));
    const flags = (...args: string[]) => withSettings(parsed(command, ['--settings', path, ...args]), signal);
    expect(await flags('--dtype', 'f32', '--gamma', '3')).toEqual({
      ...{ ...all, model: 'a', revision: 'b' },
      ...{ dtype: 'f32', gamma: 3 },
    });
    expect(await flags('--draft', 'copy')).toEqual({
      ...{ model: 'a', revision: 'b', dtype: 'q8', threads: 2, draft: ['copy'] },
    });
    expect(await flags('--draft', 'copy', '--gamma', '0')).toMatchObject({ draft: ['copy'], gamma: 0 });
    expect(await flags('--model', 'c')).toEqual({ ...all, model: 'c' });
  });
});

describe('a settings file', () => {
  keepModels();

  const TEXT = 'Thou art the man.';

  it('decides how tandem generate decodes', async () => {
    const path = written('{ "draft": ["copy"], "gamma": 2 }');
    const [copying] = await records(['generate', TEXT, '-n', '4', '--settings', path]);
    expect([copying.metrics.gamma, copying.draft]).toEqual([2, 'copy']);
    const [typed] = await records(['generate', TEXT, '-n', '4', '--settings', path, '--draft', 'none']);
    expect(typed.draft).toBeNull();
    expect(typed.ids).toEqual(copying.ids);
  });

  it('decides how tandem batch decodes: a run goes on only with the same options', async () => {
    const out = join(scratch, 'out.jsonl');
    const input = join(scratch, 'in.jsonl');
    writeFileSync(input, `"${TEXT}"\n`);
    const run = (...args: string[]) => inside(['batch', input, '--out', out, '-n', '4', '--quiet', ...args]);
    expect(await run('--settings', written('{ "draft": ["copy"], "gamma": 2 }'))).toMatchObject({ status: 0 });
    expect(await run('--draft', 'copy', '--gamma', '2')).toMatchObject({ status: 0 });
    expect(await run('--draft', 'copy', '--gamma', '3')).toMatchObject({ status: 2 });
  });

  test.each<[string, string | Uint8Array, number, RegExp]>([
    ['no JSON', '{ "gamma": ', 1, /settings\.json: expected JSON, found/],
    ['no text', Uint8Array.of(0xff, 0x80, 0x7b), 1, /settings\.json: expected UTF-8 text/],
    ['a list', '[5]', 2, /settings\.json: expected an object of options, found \[5\]/],
    ['null', 'null', 2, /expected an object of options, found null/],
    ['a misspelt key', '{ "gama": 3 }', 2, /settings\.json: unknown option 'gama'; did you mean 'gamma'\?/],
    ['an option of decoding', '{ "temperature": 1 }', 2, /unknown option 'temperature'; known are model, revision/],
    ['a key of the language', '{ "__proto__": {} }', 2, /unknown option '__proto__'/],
    [
      'a γ as text',
      '{ "gamma": "3" }',
      2,
      /settings\.json: gamma: expected auto, or a whole number from 0 to 64, found "3"/,
    ],
    ['a γ of null', '{ "gamma": null }', 2, /gamma: expected auto, or a whole number from 0 to 64, found null/],
    ['one draft as text', '{ "draft": "copy" }', 2, /draft: expected a list of drafts, .*, found "copy"/],
    ['a draft of another kind', '{ "draft": [{ "model": "x" }] }', 2, /draft: expected a list of drafts/],
    ['a draft that is none', '{ "draft": ["layers:x"] }', 2, /draft: expected a list of drafts/],
    ['a type that is none', '{ "dtype": "f16" }', 2, /dtype: expected one of f32, bf16, q8, q4, found "f16"/],
    ['a γ without a draft', '{ "draft": [], "gamma": 2 }', 2, /expected a draft beside --gamma, found/],
  ])('%s is refused by generate and serve, before a model is loaded', async (_, content, status, message) => {
    for (const command of [['generate', TEXT], ['serve']]) {
      const run = await inside([...command, '--settings', written(content)]);
      expect(run).toMatchObject({ status, stdout: '' });
      expectOneLine(run, message);
    }
  });

  test('that is not there is refused', async () => {
    const run = await inside(['batch', '--settings', join(scratch, 'none.json')]);
    expect(run.status).toBe(1);
    expectOneLine(run, /none\.json': expected a file that can be read, found ENOENT/);
  });

  test('that nests too deep is no JSON', () => {
    expect(() => parseSettings('['.repeat(1000), 'file')).toThrow(/file: expected JSON, found .*nesting/);
  });
});
