/** Which options tandem generate refuses before anything is loaded, and which may be made good by what a checkpoint states. */
import { Tandem } from '../../../api';
import { BUNDLED, expectOneLine } from '../command';
import { inside } from '../inside';

afterEach(() => jest.restoreAllMocks());

/** Runs the command with models that cannot be loaded. @returns what it gave, and whether it began to load */
async function run(...args: string[]) {
  const load = jest.spyOn(Tandem, 'load').mockRejectedValue(new Error('loading began'));
  const outcome = await inside(['generate', 'a text', ...args]);
  return { outcome, loads: load.mock.calls.length };
}

const NEEDS_TEMPERATURE = ['--top-k', '5'];

describe('options that need another one which a checkpoint may state', () => {
  it.each<[string[]]>([
    [[]],
    [['--generation-config', 'false']],
    [['--model', BUNDLED.target, '--generation-config', 'false']],
  ])('are refused before loading where nothing is followed that a checkpoint states: %j', async (args) => {
    const { outcome, loads } = await run(...args, ...NEEDS_TEMPERATURE);
    expect([outcome.status, outcome.stdout, loads]).toEqual([2, '', 0]);
    expectOneLine(outcome, /temperature/);
  });

  it('wait for the model where it is named', async () => {
    const { outcome, loads } = await run('--model', BUNDLED.target, ...NEEDS_TEMPERATURE);
    expect([outcome.status, outcome.stderr, loads]).toEqual([1, 'tandem: loading began\n', 1]);
  });

  it('are refused before loading in any case where nothing can make them good', async () => {
    for (const args of [[], ['--model', BUNDLED.target]]) {
      for (const wrong of [
        ['--top-p', '2'],
        ['--temperature', '0', '--top-k', '5'],
      ]) {
        const { outcome, loads } = await run(...args, ...wrong);
        expect([outcome.status, loads]).toEqual([2, 0]);
      }
    }
  });
});
