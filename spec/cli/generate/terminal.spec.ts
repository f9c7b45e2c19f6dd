import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ESCAPES, hostileCheckpoint, OBEYED } from '../hostile';
import { inside, keepModels, records } from '../inside';

keepModels();

const scratch = mkdtempSync(join(tmpdir(), 'tandem-terminal-'));
const hostile = join(scratch, `model${'\u001b[2J'}`);
beforeAll(() => hostileCheckpoint(hostile));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

const TEXT = 'And the word of the LORD came unto Jonah the second time.';
/** What colours are made of. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: colours are escape sequences
const COLOUR = /\u001b\[\d+m/g;

describe('on a terminal', () => {
  it('text is coloured by origin, and is the text of a pipe; a report follows, and nothing is compared unasked', async () => {
    const pipe = await inside(['generate', TEXT]);
    const terminal = await inside(['generate', TEXT, '--gamma', '4'], { terminal: true });
    expect(terminal).toMatchObject({ status: 0, stderr: '' });
    expect(terminal.stdout).toContain('\u001b[32m'); // drafted and accepted
    expect(terminal.stdout).toContain('\u001b[36m'); // the free extra token
    const plain = terminal.stdout.replace(COLOUR, '');
    expect(plain.startsWith(pipe.stdout)).toBe(true);
    expect(plain).toMatch(/^tokens a target call +[\d.]+ \(\d+ tokens, \d+ calls\)$/m);
    expect(plain).toMatch(/^time +/m);
    expect(plain).not.toMatch(/speed-up|equal/);
  });

  it('--no-color prints the same without colours, and --color colours a pipe as well', async () => {
    const call = ['generate', TEXT, '--gamma', '4'];
    const coloured = await inside(call, { terminal: true });
    const plain = await inside([...call, '--no-color'], { terminal: true });
    const textOf = (stdout: string) => stdout.split('\n')[0];
    expect(plain.stdout).not.toContain('\u001b');
    expect(textOf(coloured.stdout).replace(COLOUR, '')).toBe(textOf(plain.stdout));
    expect((await inside([...call, '--color'])).stdout).toBe(`${textOf(coloured.stdout)}\n`);
  });

  const IDS = ['generate', '--model', hostile, '--ids', '5,17,1', '--max-new-tokens', '6', '--min-new-tokens', '6'];
  const WAYS = [[], ['--draft', 'copy', '--compare'], ['--num-beams', '2', '--num-return-sequences', '2'], ['--color']];

  test.each(WAYS.map((way) => [way.join(' '), way] as const))(
    'no control character of a model arrives, only colours of our own (%s)',
    async (_, way) => {
      const run = await inside([...IDS, ...way], { terminal: true });
      expect(run.status).toBe(0);
      expect(run.stdout).toContain('\\x1b[2J'); // the escapes are there to read
      expect(run.stdout.replace(COLOUR, '')).not.toMatch(OBEYED);
    },
  );

  it('in a pipe the text is as the model gives it; JSON has it too, in escapes', async () => {
    const pipe = await inside(IDS);
    expect(pipe.stdout).toContain(ESCAPES);
    const json = await inside([...IDS, '--json']);
    expect(json.stdout).not.toMatch(OBEYED);
    const [{ text }] = await records(IDS);
    expect(`${text}\n`).toBe(pipe.stdout);
  });

  it('errors name models, files and lines without their control characters, even in a pipe', async () => {
    const name = `nope${ESCAPES}`;
    const calls = [
      ['generate', '--model', name, 'hi'],
      ['generate', '--file', name],
      ['generate', '--draft', `ngram:${name}`, 'hi'],
      ['generate', '--trace', join(name, name), 'hi'],
      ['generate', '--seed', name, 'hi'],
      ['generate', `--${name}`, 'hi'],
      ['generate', '--model', hostile, 'hi', '--draft', 'models/modernize-target'],
      ['inspect', name],
      [name],
      ['ngram', 'build', name, '-o', name],
    ];
    for (const call of calls) {
      const { stderr, stdout, status } = await inside(call, { terminal: true });
      expect({ call, status: status === 0, stdout }).toEqual({ call, status: false, stdout: '' });
      expect(stderr).toMatch(/^tandem: [^\n]+\n$/);
      expect(stderr).not.toMatch(OBEYED);
    }
  });

  it('inspect prints names and metadata without their control characters', async () => {
    const { stdout, status } = await inside(['inspect', hostile], { terminal: true });
    expect(status).toBe(0);
    expect(stdout).not.toMatch(OBEYED);
    expect(stdout).toMatch(/^metadata key\\x1b\[2J.* {2}value\\x1b/m);
    expect(stdout).toMatch(/^ {2}tensor\\x1b.* F32 +\[0\] +0 bytes {2}\(not used\)$/m);
    const json = await inside(['inspect', hostile, '--json'], { terminal: true });
    expect(json.stdout).not.toMatch(OBEYED);
    expect(JSON.parse(json.stdout).metadata).toEqual({ [`key${ESCAPES}`]: `value${ESCAPES}` });
  });
});
