import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  COMPARE_OPTIONS,
  GENERATE_OPTIONS,
  type GenerateOptions,
  LOAD_OPTIONS,
  MEASURE_OPTIONS,
  SCORE_OPTIONS,
} from '../../api';
import { settingsInForce } from '../../cli/generate/settings';
import type { OptionTable } from '../../common';
import { modelDrafter, TraceRecorder } from '../../decoding';
import { tableTandem } from '../support/table-tandem';

/** Where options are documented for their users; what a call of the face says of its own stands first. */
const DOCUMENTED = [
  'api/types.ts',
  'api/score-options.ts',
  'api/text-options.ts',
  'decoding/settings.ts',
  'decoding/processing.ts',
];
const TABLES: OptionTable = {
  ...MEASURE_OPTIONS,
  ...SCORE_OPTIONS,
  ...COMPARE_OPTIONS,
  ...LOAD_OPTIONS,
  ...GENERATE_OPTIONS,
};

/** A default as a page or a docstring writes it: a number, true, false, or a name. */
function defaultOf(text: string): unknown {
  const bare = text.replace(/['`]/g, '');
  return /^(-?[\d,.]+|true|false)$/.test(bare) ? JSON.parse(bare.replaceAll(',', '')) : bare;
}

/** The defaults that the docstrings of options state: "Default 128." */
function documented(): Map<string, unknown> {
  const found = new Map<string, unknown>();
  for (const file of DOCUMENTED) {
    const source = readFileSync(join(__dirname, '..', '..', file), 'utf8');
    for (const [, comment, name] of source.matchAll(/\/\*\*((?:(?!\*\/)[\s\S])*)\*\/\s+readonly (\w+)\?:/g)) {
      const said = /\bDefault ('?[\w-]+'?|`\w+`)[.,:;]/.exec(comment.replace(/\s+\*\s+/g, ' '));
      if (said && !found.has(name)) found.set(name, defaultOf(said[1]));
    }
  }
  return found;
}

const DEFAULTS = documented();
const numberOf = (name: string) => DEFAULTS.get(name) as number;

/** A pair whose draft is the target itself, so that every proposal is accepted; EOS never comes. */
const { tandem } = tableTandem({ seed: 1, drafter: (draft) => modelDrafter(draft) });
const ENDLESS: GenerateOptions = { suppressTokens: [1], temperature: 1 };

/** How many tokens each round proposed. */
async function proposals(options: GenerateOptions): Promise<number[]> {
  const trace = new TraceRecorder();
  await tandem.generate('abc', { ...ENDLESS, ...options, trace });
  return trace.trace.rounds.map(({ proposal }) => proposal.length);
}

describe('defaults', () => {
  it('are stated in the docstrings of options', () => {
    const wanted = ['gamma', 'maxNewTokens', 'concurrency', 'seed', 'sequence', 'temperature', 'lenience', 'numBeams'];
    expect([...DEFAULTS.keys()]).toEqual(expect.arrayContaining(wanted));
    expect(DEFAULTS.size).toBeGreaterThan(15);
  });

  it('are the same in the docstring of an option and in the sentence that the help prints', () => {
    let compared = 0;
    for (const [name, value] of DEFAULTS) {
      const said = /\(default: ('?[\w-]+'?)[),;]/.exec(TABLES[name]?.about ?? '');
      if (said === null) continue;
      compared++;
      expect([name, defaultOf(said[1])]).toEqual([name, value]);
    }
    expect(compared).toBeGreaterThan(12);
  });

  it('are the settings in force that a record states where none are given', () => {
    const settings = Object.entries(settingsInForce({})).filter(([name]) => DEFAULTS.has(name));
    expect(settings.length).toBeGreaterThan(6);
    for (const [name, value] of settings) expect([name, value]).toEqual([name, DEFAULTS.get(name)]);
  });

  it.each([
    ['maxNewTokens', 'docs/coming-from.md', /`maxNewTokens` counts new tokens; (\d+) by default/],
    ['maxNewTokens', 'docs/serving.md', /what the checkpoint states, else (\d+) \(OpenAI: 16\)/],
    ['temperature', 'docs/serving.md', /what the checkpoint states, else (\d+), which is greedy/],
    ['concurrency', 'docs/serving.md', /`--concurrency` \| (\d+) \|/],
    ['concurrency', 'README.md', /--concurrency (\d+) +# eight lines at once \(the default\)/],
  ])('%s: %s says the same', (name, page, words) => {
    const said = words.exec(readFileSync(join(__dirname, '..', '..', page), 'utf8'));
    expect([page, Number(said?.[1])]).toEqual([page, numberOf(name)]);
  });
});

describe('what is left out behaves as its documented default', () => {
  it.each(['maxNewTokens', 'seed', 'sequence', 'temperature', 'lenience', 'numBeams', 'numReturnSequences'])(
    '%s: the same tokens in the same rounds as with the documented value',
    async (name) => {
      const base: GenerateOptions = {
        gamma: 4,
        ...(name !== 'temperature' && name !== 'numBeams' && { temperature: 1 }),
      };
      const left = await tandem.generate('abc', base);
      const given = await tandem.generate('abc', { ...base, [name]: DEFAULTS.get(name) });
      expect(given.ids).toEqual(left.ids);
      const { rounds, proposed, accepted, targetCalls } = left.metrics;
      expect(given.metrics).toMatchObject({ rounds, proposed, accepted, targetCalls });
    },
  );

  it('gamma: the same tokens as with the documented value, which samples otherwise than a number', async () => {
    const text = async (options: GenerateOptions) =>
      (await tandem.generate('abc', { ...ENDLESS, maxNewTokens: 40, ...options })).ids;
    expect(DEFAULTS.get('gamma')).toBe('auto');
    expect(await text({ gamma: 'auto' })).toEqual(await text({}));
    expect(await text({ gamma: 4 })).not.toEqual(await text({}));
    expect(await text({ gamma: 4, verification: 'coupled' })).toEqual(await text({}));
  });

  it('gamma where the text would depend on it: a round proposes so many tokens as the docstring and the help name', async () => {
    const source = readFileSync(join(__dirname, '..', '..', 'decoding/settings.ts'), 'utf8').replace(/\s+\* /g, ' ');
    const fixed = Number(/Where the text would depend on γ, .*? it is (\d+)/.exec(source)?.[1]);
    expect(Number(/but (\d+) where the text would depend/.exec(GENERATE_OPTIONS.gamma.about)?.[1])).toBe(fixed);
    for (const options of [{ verification: 'token' }, { verification: 'block', seed: 3 }, { lenience: 0.5 }] as const) {
      expect(Math.max(...(await proposals(options)))).toBe(fixed);
    }
  });

  it('gamma beside costs: a round proposes up to the larger number that the docstring names', async () => {
    const source = readFileSync(join(__dirname, '..', '..', 'decoding/settings.ts'), 'utf8');
    const most = Number(/Default 'auto', with costs (\d+)\./.exec(source)?.[1]);
    const free = { c: 0, v: [1] };
    expect(Math.max(...(await proposals({ costs: free, gamma: 64 })))).toBeGreaterThan(most);
    expect(Math.max(...(await proposals({ costs: free })))).toBe(most);
  });

  it('maxNewTokens: a text that does not end has so many tokens', async () => {
    const { ids, stopReason } = await tandem.generate('abc', ENDLESS);
    expect([ids.length, stopReason]).toEqual([numberOf('maxNewTokens'), 'length']);
  });

  it('rows and repeats of measureCosts: so many costs of a target call come out, from so many calls each', async () => {
    const calls = async (options: object) => {
      const { tandem: measured, target } = tableTandem({ seed: 1 });
      const { v } = await measured.measureCosts('abc', options);
      return [v.length, target.calls()];
    };
    const [rows, repeats] = [numberOf('rows'), numberOf('repeats')];
    expect(await calls({})).toEqual(await calls({ rows, repeats }));
    expect((await calls({}))[0]).toBe(rows);
    expect((await calls({ repeats: repeats + 1 }))[1]).toBeGreaterThan((await calls({}))[1]);
  });

  it('concurrency: so many inputs are under way before the first ends', async () => {
    const begun = new Set<number>();
    const inputs = Array.from({ length: 2 * numberOf('concurrency') }, () => 'abc');
    for await (const event of tandem.stream(inputs, { ...ENDLESS, maxNewTokens: 40 })) {
      if (event.kind === 'done') break;
      begun.add(event.index);
    }
    expect(begun.size).toBe(numberOf('concurrency'));
  });
});
