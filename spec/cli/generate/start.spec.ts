import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { goldenBytes } from '../../support/golden-files.node';
import { inside } from '../inside';

const folder = mkdtempSync(join(tmpdir(), 'tandem-start-'));
afterAll(() => rmSync(folder, { recursive: true }));

beforeAll(() => {
  for (const file of ['config.json', 'model.safetensors']) {
    writeFileSync(join(folder, file), goldenBytes(`stated/model/${file}`));
  }
});

/** Runs `tandem generate` on ids with a generation_config.json. */
function generate(stated: object, ...flags: readonly string[]) {
  writeFileSync(join(folder, 'generation_config.json'), JSON.stringify({ decoder_start_token_id: 0, ...stated }));
  return inside(['generate', '--model', folder, '--ids', '17,5,40,1', '--backend', 'reference', '--json', ...flags]);
}

async function recordOf(stated: object, ...flags: readonly string[]) {
  const { status, stdout, stderr } = await generate(stated, ...flags);
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  return JSON.parse(stdout) as { ids: number[]; sequences: unknown[]; settings: Record<string, unknown> };
}

describe('tandem generate with a generation_config.json', () => {
  const STATED = { max_length: 7, no_repeat_ngram_size: 2, suppress_tokens: [3] };

  it('prints the settings in force: what the file states, and what flags say in its place', async () => {
    const stated = await recordOf(STATED);
    expect(stated.settings).toMatchObject({
      maxNewTokens: 6,
      noRepeatNgramSize: 2,
      suppressTokens: [3],
      temperature: 0,
    });
    expect(stated.ids).toHaveLength(6);
    const said = await recordOf(STATED, '--max-new-tokens', '4', '--suppress-tokens', '5');
    expect(said.settings).toMatchObject({ maxNewTokens: 4, noRepeatNgramSize: 2, suppressTokens: [5] });
    expect(said.ids).toHaveLength(4);
  });

  it('--generation-config false starts from nothing', async () => {
    const { settings } = await recordOf({ ...STATED, guidance_scale: 2 }, '--generation-config', 'false', '-n', '3');
    expect(settings).toMatchObject({ maxNewTokens: 3, noRepeatNgramSize: null, suppressTokens: [] });
  });

  it('prints every sequence of the beams that the file asks for', async () => {
    const { sequences, settings } = await recordOf({ num_beams: 3, num_return_sequences: 2, max_length: 5 });
    expect(settings).toMatchObject({ numBeams: 3, numReturnSequences: 2 });
    expect(sequences).toHaveLength(2);
  });

  it('takes a flag of sampling alone where the file samples, and refuses it where it does not', async () => {
    const { settings } = await recordOf({ do_sample: true, max_length: 4 }, '--top-p', '0.5');
    expect(settings).toMatchObject({ temperature: 1, topK: 50, topP: 0.5 });
    expect(await generate({}, '--top-p', '0.5')).toMatchObject({
      status: 2,
      stderr: expect.stringMatching(/^tandem: topP: expected a temperature above 0 beside it/),
    });
  });

  it('refuses in one line what the file asks for and is not done: no fault of who called the command', async () => {
    const { status, stdout, stderr } = await generate({ guidance_scale: 2 });
    expect([status, stdout]).toEqual([1, '']);
    expect(stderr).toMatch(
      /^tandem: generation_config.json: guidance_scale 2 is refused: .*generationConfig: false.*\n$/,
    );
  });

  it('refuses flags that contradict each other before it looks for the model', async () => {
    for (const flags of [
      ['-t', '0', '--top-p', '0.5'],
      ['--num-beams', '2', '-t', '1'],
      ['--num-beams', '1', '-t', '0', '--early-stopping', 'true'],
    ]) {
      const { status, stderr } = await inside(['generate', '--model', '/no/such/model', '--ids', '5,1', ...flags]);
      expect([status, stderr]).toEqual([2, expect.not.stringContaining('/no/such')]);
    }
  });
});
