/**
 * Measures `tandem serve` with several clients at once: `npm run bench -- serve [--clients 1,8,32] [--requests 64] [--tokens 48]
 * [--concurrency 16] [--threads 2] [--gamma 4] [--model DIR] [--draft DIR]`. Each client asks one text after the other. The times are those of
 * whole answers as the clients see them; one client is one at a time. The server runs in a process of its own, from dist/ (`npm
 * run build` first). Every answer must be what the first one to the same text was, and the bench fails where one is not.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { DEFAULTS } from '../../decoding';

const ROOT = join(__dirname, '..', '..');
const MODELS = join(ROOT, 'models');

/** Runs the bench; returns the number of cases that it measured. */
export async function serveBench(argv: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      clients: { type: 'string', default: '1,8,32' },
      requests: { type: 'string', default: '64' },
      tokens: { type: 'string', default: '48' },
      concurrency: { type: 'string', default: '16' },
      threads: { type: 'string', default: '2' },
      gamma: { type: 'string' },
      model: { type: 'string' },
      draft: { type: 'string' },
    },
  });
  const { threads, concurrency } = values;
  const named = (['model', 'draft', 'gamma'] as const).flatMap((name) =>
    values[name] ? [`--${name}`, values[name]] : [],
  );
  const server = await start(['--threads', threads, '--concurrency', concurrency, ...named]);
  try {
    const load = new Load(server.address, texts(Number(values.requests)), Number(values.tokens));
    await load.run(8); // the warm-up
    const tokens = await load.tokens();
    const chosen = `--concurrency ${concurrency}, --gamma ${values.gamma ?? DEFAULTS.gamma}, ${threads} threads`;
    console.log(`${load.count} requests, ${tokens} new tokens; ${chosen}`);
    console.log('clients      p50      p95  tokens/s    gain  longest stretch of the event loop');
    let single = 0;
    const counts = values.clients.split(',').map(Number);
    for (const clients of counts) {
      await load.longestStretch(); // begins anew
      const { seconds, times } = await load.run(clients);
      const speed = tokens / seconds;
      single ||= speed;
      const [p50, p95] = [0.5, 0.95].map((share) => `${(quantile(times, share) * 1000).toFixed(0)} ms`.padStart(8));
      const stretch = `${(await load.longestStretch()).toFixed(0)} ms`;
      const gain = `${(speed / single).toFixed(2)}×`.padStart(7);
      console.log(`${String(clients).padStart(7)} ${p50} ${p95} ${speed.toFixed(0).padStart(9)} ${gain}  ${stretch}`);
    }
    return counts.length;
  } finally {
    server.child.kill('SIGTERM');
    await once(server.child, 'close');
  }
}

/** Passages of the bundled pair's held-out text, the same in every run. */
function texts(count: number): string[] {
  const { heldOut } = JSON.parse(readFileSync(join(MODELS, 'pair.json'), 'utf8')) as { heldOut: string };
  const passages = JSON.parse(readFileSync(join(MODELS, heldOut), 'utf8')) as { source: string }[];
  return Array.from({ length: count }, (_, i) => passages[i % passages.length].source);
}

async function start(args: readonly string[]): Promise<{ readonly child: ChildProcess; readonly address: string }> {
  const command = [join(ROOT, 'bin', 'tandem.js'), 'serve', '--port', '0', '--quiet', '--queue', '4096', ...args];
  const child = spawn(process.execPath, command, { stdio: ['ignore', 'pipe', 'inherit'] });
  const [line] = (await once(child.stdout, 'data')) as [Buffer];
  const address = / on (http:\S+)/.exec(line.toString())?.[1];
  if (address === undefined) throw new Error(`serve: expected the server's address, found ${line.toString()}`);
  return { child, address };
}

/** Requests for the same texts, again and again. */
class Load {
  /** The first answer to each text, and its new tokens. */
  private readonly known = new Map<string, { readonly text: string; readonly tokens: number }>();

  constructor(
    private readonly address: string,
    private readonly inputs: readonly string[],
    private readonly most: number,
  ) {}

  get count(): number {
    return this.inputs.length;
  }

  /** Asks for everything once, by so many clients. */
  async run(clients: number): Promise<{ readonly seconds: number; readonly times: readonly number[] }> {
    const times: number[] = [];
    const waiting = this.inputs[Symbol.iterator]();
    const client = async () => {
      for (const prompt of waiting) {
        const start = performance.now();
        await this.ask(prompt);
        times.push((performance.now() - start) / 1000);
      }
    };
    const start = performance.now();
    await Promise.all(Array.from({ length: clients }, client));
    return { seconds: (performance.now() - start) / 1000, times };
  }

  async tokens(): Promise<number> {
    return this.inputs.reduce((sum, prompt) => sum + (this.known.get(prompt)?.tokens ?? 0), 0);
  }

  /** Milliseconds, since this was asked last. */
  async longestStretch(): Promise<number> {
    const metrics = await (await fetch(`${this.address}/metrics`)).text();
    return Number(/^nodejs_eventloop_lag_max_seconds (\S+)$/m.exec(metrics)?.[1]) * 1000;
  }

  private async ask(prompt: string): Promise<void> {
    const response = await fetch(`${this.address}/v1/completions`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ prompt, max_tokens: this.most }),
    });
    if (!response.ok) throw new Error(`serve: expected 200, found ${response.status}: ${await response.text()}`);
    const { choices, usage } = (await response.json()) as {
      choices: { text: string }[];
      usage: { completion_tokens: number };
    };
    const found = { text: choices[0].text, tokens: usage.completion_tokens };
    const first = this.known.get(prompt) ?? found;
    this.known.set(prompt, first);
    if (first.text !== found.text) throw new Error(`serve: expected the text of the first answer, found ${found.text}`);
  }
}

function quantile(times: readonly number[], share: number): number {
  const sorted = [...times].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))];
}
