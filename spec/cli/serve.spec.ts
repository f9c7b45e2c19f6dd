import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import OpenAI from 'openai';
import { buildCommand, expectOneLine, removeCommand, startTandem, tandem } from './command';

beforeAll(() => buildCommand('cli/index.ts', true));
afterAll(removeCommand);

const ROOT = join(__dirname, '..', '..');
const TEXTS = ['Thou art my rock and my fortress.', 'Verily he cometh quickly.', 'And the land had rest forty years.'];

/** A server in a process of its own, when it listens. */
async function started(args: readonly string[], env: Readonly<Record<string, string>> = {}, port = '0') {
  const child = startTandem(['serve', '--port', port, '--threads', '1', ...args], env);
  const printed = { stdout: '', stderr: '' };
  child.stderr.on('data', (chunk) => {
    printed.stderr += chunk;
  });
  const listening = new Promise<void>((resolve, reject) => {
    child.stdout.on('data', (chunk) => {
      printed.stdout += chunk;
      if (printed.stdout.includes('\n')) resolve();
    });
    child.on('close', () => reject(new Error(printed.stderr)));
  });
  await listening;
  const address = / on (http:\S+)\n/.exec(printed.stdout)?.[1] as string;
  const closed = once(child, 'close') as Promise<[number | null, NodeJS.Signals | null]>;
  const client = new OpenAI({ baseURL: `${address}/v1`, apiKey: env.TANDEM_API_KEY ?? 'none', maxRetries: 0 });
  return { child, printed, address, closed, client };
}

/** What the route of the model says of what runs it. */
interface Served {
  readonly tandem: { readonly wide: boolean };
}

const endless = {
  model: 'modernize-target',
  prompt: TEXTS[0],
  max_tokens: 4000,
  min_new_tokens: 4000,
  stream: true,
} as const;

/** Starts an answer that does not end, and reads its first piece. */
async function underWay(client: OpenAI) {
  const stream = await client.completions.create(endless);
  const pieces = stream[Symbol.asyncIterator]();
  await pieces.next();
  return pieces;
}

describe('tandem serve', () => {
  test('answers many at once, each as tandem generate alone; SIGTERM lets them end, and the exit code is 0', async () => {
    const { client, child, closed, printed, address } = await started(['--concurrency', '3']);
    expect(printed.stdout).toBe(`tandem: serving modernize-target on ${address}\n`);
    const { tandem: facts } = (await client.models.retrieve('modernize-target')) as unknown as Served;
    const doctor = JSON.parse(tandem(['doctor', '--json']).stdout) as { wide: { on: boolean } };
    expect(facts.wide).toBe(doctor.wide.on); // the server's engine computes as wide as the command can
    const expected = tandem(['generate', '--threads', '1'], `${TEXTS.join('\n')}\n`)
      .stdout.trim()
      .split('\n');
    const prompts = Array.from({ length: 12 }, (_, i) => TEXTS[i % TEXTS.length]);
    const first = client.completions.create({ model: 'modernize-target', prompt: 'Amen.' });
    await first;
    const answers = prompts.map((prompt) => client.completions.create({ model: 'modernize-target', prompt }));
    const stream = await client.completions.create({ model: 'modernize-target', prompt: TEXTS[0], stream: true });
    child.kill('SIGTERM'); // the stream has begun, so all that were sent before are under way
    const texts = (await Promise.all(answers)).map(({ choices }) => choices[0].text);
    expect(texts).toEqual(prompts.map((prompt) => expected[TEXTS.indexOf(prompt)]));
    let streamed = '';
    for await (const { choices } of stream) streamed += choices[0].text;
    expect(streamed).toBe(expected[0]);
    expect(await closed).toEqual([0, null]);
    expect(printed.stderr).toMatch(/ POST \/v1\/completions 200 \d+ ms\n/);
    expect(printed.stderr).toMatch(/tandem: stopping/);
    for (const text of [...TEXTS, ...expected]) expect(printed.stderr).not.toContain(text);
  });

  test('docs/serving.md: its program, its curl and the fields of an answer are as it says', async () => {
    const page = readFileSync(join(ROOT, 'docs', 'serving.md'), 'utf8');
    const block = (language: string) => new RegExp(`\`\`\`${language}\n([\\s\\S]*?)\`\`\``).exec(page)?.[1] as string;
    const { child, closed, address } = await started([]);
    const file = join(ROOT, 'build', `serving-${process.pid}.mjs`); // from there it finds the client's package
    writeFileSync(file, block('js').replace('http://127.0.0.1:8080', address));
    try {
      const { stdout } = await promisify(execFile)(process.execPath, [file]);
      expect(stdout).toMatch(/^You are the man\. \d+\n$/);
    } finally {
      rmSync(file);
    }
    const [, path, header, body] = /curl http:\/\/127\.0\.0\.1:8080(\S+) -H '([^']+)' -d '([^']+)'/.exec(
      page,
    ) as string[];
    const [name, value] = header.split(': ');
    const answer = await (await fetch(address + path, { method: 'POST', headers: { [name]: value }, body })).json();
    const fields = JSON.parse(`{${block('json')}}`);
    expect(answer).toMatchObject({ choices: [{ text: 'You are the man.' }] });
    for (const part of ['usage', 'tandem']) expect(Object.keys(answer[part])).toEqual(Object.keys(fields[part]));
    const details = 'completion_tokens_details';
    expect(Object.keys(answer.usage[details])).toEqual(Object.keys(fields.usage[details]));
    child.kill('SIGTERM');
    expect(await closed).toEqual([0, null]);
  });

  test('what does not end in time is cut off, with exit code 143', async () => {
    const { client, child, closed, printed } = await started(['--grace', '0', '--quiet']);
    const pieces = await underWay(client);
    child.kill('SIGTERM');
    await expect(
      (async () => {
        while (!(await pieces.next()).done);
        throw new Error('it ended by itself');
      })(),
    ).rejects.not.toThrow('it ended by itself');
    expect(await closed).toEqual([143, null]);
    expect(printed.stderr).toBe('tandem: cancelled\n');
  });

  test('a second signal ends it at once', async () => {
    const { client, child, closed, printed } = await started(['--grace', '600']);
    const pieces = await underWay(client);
    child.kill('SIGINT');
    while (!printed.stderr.includes('stopping')) await pieces.next();
    child.kill('SIGINT');
    expect(await closed).toEqual([null, 'SIGINT']);
  });

  test('a killed server leaves nothing behind: another takes its port, and its clients hear of it', async () => {
    const one = await started([]);
    const pieces = await underWay(one.client);
    one.child.kill('SIGKILL');
    await expect(
      (async () => {
        while (!(await pieces.next()).done);
      })(),
    ).rejects.toThrow();
    await one.closed;
    const { port } = new URL(one.address);
    const two = await started(['--name', 'other'], {}, port);
    expect(two.address).toBe(one.address);
    expect((await two.client.models.list()).data[0].id).toBe('other');
    const taken = tandem(['serve', '--threads', '1', '--port', new URL(two.address).port]);
    expect(taken.status).toBe(1);
    expectOneLine(taken, /expected to listen on '127.0.0.1', port \d+, found EADDRINUSE/);
    two.child.kill('SIGINT');
    expect(await two.closed).toEqual([0, null]);
  });

  test('takes its key from the environment, asks for it, and prints it nowhere', async () => {
    const key = 'a-key-of-the-spec';
    const { client, child, closed, printed, address } = await started(['--host', '0.0.0.0'], { TANDEM_API_KEY: key });
    expect((await fetch(`http://127.0.0.1:${new URL(address).port}/v1/models`)).status).toBe(401);
    expect((await client.models.list()).data).toHaveLength(1);
    child.kill('SIGTERM');
    expect(await closed).toEqual([0, null]);
    expect(printed.stdout + printed.stderr).not.toContain(key);
    expect(printed.stderr).not.toContain('no API key');
  });

  test('proposes as many draft tokens as its settings say, unless a request says', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'tandem-serve-'));
    const path = join(folder, 'settings.json');
    writeFileSync(path, '{ "draft": ["random"], "gamma": 3 }');
    const { client, child, closed } = await started(['--settings', path]);
    try {
      const proposed = async (fields: object) => {
        const body = { model: 'modernize-target', prompt: 'Amen.', max_tokens: 8, min_new_tokens: 8, ...fields };
        const { usage, ...found } = await client.completions.create(body);
        const { rounds } = (found as unknown as { tandem: { rounds: number } }).tandem;
        const { accepted_prediction_tokens: accepted = 0, rejected_prediction_tokens: rejected = 0 } =
          usage?.completion_tokens_details ?? {};
        return (accepted + rejected) / rounds;
      };
      const [usual, none] = [await proposed({}), await proposed({ gamma: 0 })];
      expect(none).toBe(0);
      expect(usual).toBeGreaterThan(1); // the last rounds have less than γ tokens to go
      expect(usual).toBeLessThanOrEqual(3);
    } finally {
      child.kill('SIGTERM');
      rmSync(folder, { recursive: true, force: true });
    }
    expect(await closed).toEqual([0, null]);
  });

  test.each<[string, string[], number, RegExp]>([
    ['a γ without a draft', ['--draft', 'none', '--gamma', '2'], 2, /expected a draft beside --gamma, found none/],
    ['a port that is none', ['--port', '70000'], 2, /--port: expected a whole number from 0 to 65535, found '70000'/],
    ['a misspelt flag', ['--prot', '1'], 2, /unknown option '--prot'/],
    ['a queue below 0', ['--queue', '-1'], 2, /--queue: expected a whole number/],
    ['a model that is not there', ['--model', './no-model'], 1, /expected a checkpoint directory, found nothing there/],
    ['a text', ['Thou'], 2, /too many arguments/],
    ['an empty key', ['--api-key', ''], 2, /--api-key: expected text that is not empty/],
    ['the type of a draft without one', ['--model', 'x/y', '--draft', 'copy', '--draft-dtype', 'q8'], 2, /--draft/],
  ])('%s: one line, and nothing is loaded', (_, args, status, message) => {
    const found = tandem(['serve', ...args]);
    expect(found.status).toBe(status);
    expectOneLine(found, message);
  });
});
