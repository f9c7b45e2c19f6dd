import { Command } from 'commander';
import fc from 'fast-check';
import { type DraftModel, GENERATE_OPTIONS, LOAD_OPTIONS } from '../../api';
import { addFlags, checkConflicts, flagName, optionsOf } from '../../cli/flags';
import { addGenerateFlags, checkGenerateFlags, loadOptions } from '../../cli/generate/flags';
import { listOf, type OptionEntry, type OptionTable, text, whole } from '../../common';
import { NOT_FOLLOWED } from '../../decoding';
import { inside } from './inside';

/** Parses ARGS with the flags of a table. */
function values(table: OptionTable, args: readonly string[]): Record<string, unknown> {
  const command = new Command('test').exitOverride().configureOutput({ writeErr: () => undefined });
  addFlags(command, table);
  command.parse([...args], { from: 'user' });
  return command.opts();
}

const rows = (table: OptionTable): [string, OptionEntry, string][] =>
  Object.entries(table).flatMap(([name, entry]) => (entry.flag === undefined ? [] : [[name, entry, entry.flag]]));
const ROWS = [...rows(LOAD_OPTIONS), ...rows(GENERATE_OPTIONS)];

/** Texts of which every rule accepts at least one. */
const SAMPLES = ['1', '0.5', '3,1', '2,1;7', '1,7:-2.5;9:3', 'token', 'f32', 'auto', 'true', 'copy', 'word'];

describe('flags of option tables', () => {
  it.each(ROWS)('%s: the flag is the option’s own word', (name, _entry, flag) => {
    expect(flag).toMatch(new RegExp(`(^|, )${flagName(name)}( [<[]|$)`));
  });

  it.each(ROWS)(
    '%s: what the rule accepts arrives under the option’s name, and what it refuses is refused by flag',
    (name, entry, flag) => {
      const table = { [name]: entry };
      const word = flagName(name);
      if (!flag.includes('<')) return expect(values(table, [word])).toEqual({ [name]: true });
      const { parse } = entry;
      if (parse === undefined) return expect(values(table, [word, 'a,b', word, 'c'])).toEqual({ [name]: ['a,b', 'c'] });
      const accepted = SAMPLES.filter((sample) => parse(sample) !== null);
      expect(accepted).not.toEqual([]);
      for (const sample of accepted) expect(values(table, [word, sample])).toEqual({ [name]: parse(sample) });
      for (const sample of [...SAMPLES, ''].filter((one) => parse(one) === null)) {
        const message = `${word}: expected ${entry.expected}, found '${sample}'`;
        expect(() => values(table, [word, sample])).toThrow(message);
      }
      const twice = () => values(table, [word, accepted[0], word, accepted[0]]);
      expect(twice).toThrow(`${word}: expected once, found it twice`);
    },
  );

  it('--costs takes c first, and then v of one row, of two, …', () => {
    const cost = fc.double({ min: 0, max: 1e6, noNaN: true }).map((value) => value + 0); // no −0, which text does not show
    fc.assert(
      fc.property(cost, fc.array(cost, { minLength: 1, maxLength: 9 }), (c, v) => {
        expect(values(GENERATE_OPTIONS, ['--costs', [c, ...v].join()])).toEqual({ costs: { c, v } });
      }),
    );
    expect(() => values(GENERATE_OPTIONS, ['--costs', '1'])).toThrow(/--costs: expected/);
  });

  it('a flag that is not given has no value, and a row without a flag is none of the command line', () => {
    const table: OptionTable = {
      one: { ...whole(1), about: 'one', flag: '--one <n>' },
      noTwo: { ...whole(1), about: 'two', flag: '--no-two <n>' },
      hidden: { ...whole(1), about: 'for programs' },
      words: { ...listOf(text(2), 'words of two characters'), parse: undefined, about: 'words', flag: '--words <w>' },
    };
    expect(values(table, [])).toEqual({});
    expect(values(table, ['--no-two', '3'])).toEqual({ noTwo: 3 });
    expect(() => values(table, ['--hidden', '3'])).toThrow(/unknown option '--hidden'/);
    expect(() => values(table, ['--words', 'ab', '--words', 'a'])).toThrow(
      "--words: expected words of two characters, found 'a'",
    );
  });

  it('the options of a table are picked from all flags', () => {
    expect(optionsOf({ gamma: 3, json: true, prefix: '' }, GENERATE_OPTIONS)).toEqual({ gamma: 3 });
    expect(optionsOf({ gamma: 3, json: true, prefix: '' }, LOAD_OPTIONS)).toEqual({ prefix: '' });
  });

  it('the type and the revision of drafts go to each model among them, and to the bundled pair’s draft', async () => {
    const own = { draftDtype: 'q8', draftRevision: 'v2' } as const;
    const draft = ['copy', 'a/b', 'model:c'];
    expect(await loadOptions({ ...own, model: 'm', draft, dtype: 'f32' })).toEqual({
      dtype: 'f32',
      draft: ['copy', { model: 'a/b', dtype: 'q8', revision: 'v2' }, { model: 'c', dtype: 'q8', revision: 'v2' }],
    });
    for (const [dtype, revision] of [
      ['q8', undefined],
      [undefined, 'v2'],
    ] as const) {
      const options = await loadOptions({ draftDtype: dtype, draftRevision: revision, draft: ['self:q8:a/b', 'a/b'] });
      const model = { model: 'a/b', dtype, revision };
      expect(options).toEqual({ draft: [{ self: 'q8', draft: model }, model] });
    }
    expect(await loadOptions({ draft, model: 'm' })).toEqual({ draft });
    const { draft: bundled } = (await loadOptions({ draftDtype: 'q8' })) as { draft: readonly DraftModel[] };
    expect(bundled).toEqual([{ model: expect.stringMatching(/modernize-draft$/), dtype: 'q8', revision: undefined }]);
    checkGenerateFlags({ draftDtype: 'q8' });
    for (const flags of [
      { draftDtype: 'q8' as const, draft: ['copy'] },
      { draftRevision: 'x' },
      { ...own, model: 'm' },
    ]) {
      expect(() => checkGenerateFlags(flags)).toThrow(/^expected a model in --draft beside --draft-\w+, found none$/);
    }
  });

  it('words that do not go together are refused, both named, with the reason', () => {
    const conflicts = [['--a', '--b', 'c']] as const;
    checkConflicts(new Set(['--a']), conflicts);
    checkConflicts(new Set(['--b', '--d']), conflicts);
    expect(() => checkConflicts(new Set(['--b', '--a']), conflicts)).toThrow(
      'expected no --a beside --b, found both: c',
    );
  });

  it.each(Object.entries(NOT_FOLLOWED))(
    'the flag of %s is refused with the reason, and is not in the help',
    (name, reason) => {
      for (const words of [[flagName(name)], [flagName(name), '2'], [`${flagName(name)}=2`]]) {
        const command = addGenerateFlags(new Command('generate').exitOverride());
        const parse = () => command.parse(words, { from: 'user' });
        expect(parse).toThrow(`expected flags of tandem, found ${flagName(name)}: ${reason}`);
        expect(command.helpInformation()).not.toContain(flagName(name));
      }
    },
  );

  it('help names every flag of generate once, and every exit code', async () => {
    const { stdout, status, stderr } = await inside(['generate', '--help']);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    const command = addGenerateFlags(new Command('generate'));
    const longs = command.options.filter(({ hidden }) => !hidden).map(({ long }) => long as string);
    expect(new Set(longs).size).toBe(longs.length);
    for (const [, , flag] of ROWS) expect(stdout).toContain(flag);
    for (const long of longs) expect(stdout).toMatch(new RegExp(`${long}\\b`));
    expect(stdout).toMatch(/Exit codes: 0 .* 1 .* 2 .*\n130 .*SIGINT.* 143 .*SIGTERM/);
  });
});
