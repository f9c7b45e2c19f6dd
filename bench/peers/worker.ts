import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createInterface, type Interface } from 'node:readline';
import type { Peer, PeerType } from './peers';

export interface Setting {
  /** build/peers. */
  readonly folder: string;
  readonly shape: string;
  readonly threads: number;
}

interface Answer {
  readonly ok: boolean;
  readonly error?: string;
  readonly version?: string;
  readonly many?: boolean;
  readonly ids?: number[];
  readonly sequences?: number[][];
}

/** One peer's process. It is stopped (SIGSTOP) when it is not its turn, because idle thread pools spin. */
export class Worker {
  version = '';
  /** Whether it decodes many sequences together. */
  many = false;
  private readonly child: ChildProcessWithoutNullStreams;
  private readonly lines: Interface;
  private waiting: { answer: (answer: Answer) => void; fail: (error: Error) => void } | null = null;
  private complaint = '';

  private constructor(
    readonly name: string,
    command: readonly string[],
  ) {
    this.child = spawn(command[0], command.slice(1), { stdio: 'pipe' });
    this.child.stderr.on('data', (text) => {
      this.complaint = `${this.complaint}${text}`.slice(-400);
    });
    this.lines = createInterface({ input: this.child.stdout });
    this.lines.on('line', (line) => this.settle(line));
    this.child.on('error', (error) => this.waiting?.fail(error));
    this.child.stdin.on('error', () => undefined); // the write callback reports the error
    this.child.on('close', (code) => this.waiting?.fail(new Error(`ended with ${code}: ${this.complaint.trim()}`)));
  }

  /** Starts the process and loads the model. Throws an error that says why the peer does not work. */
  static async start(peer: Peer, type: PeerType, setting: Setting): Promise<Worker> {
    const command = peer.command(setting.folder);
    if (!existsSync(command[0])) throw new Error(`${command[0]} is missing: run bench/peers/setup.sh`);
    const worker = new Worker(`${peer.name} ${type}`, command);
    try {
      const { version, many } = await worker.ask({ do: 'load', type, ...setting, ...peer.extra });
      worker.version = version ?? '';
      worker.many = many === true;
      return worker;
    } catch (error) {
      worker.end();
      throw error;
    }
  }

  /** Decodes exactly `tokens` tokens. */
  async run(source: readonly number[], tokens: number): Promise<readonly number[]> {
    const { ids = [] } = await this.ask({ do: 'run', source, tokens });
    if (ids.length !== tokens) throw new Error(`${this.name}: expected ${tokens} tokens, found ${ids.length}`);
    return ids;
  }

  /** Decodes exactly `tokens` tokens of each source, all sources together. They have the same length. */
  async runMany(sources: readonly (readonly number[])[], tokens: number): Promise<readonly (readonly number[])[]> {
    const { sequences = [] } = await this.ask({ do: 'runMany', sources, tokens });
    const lengths = sequences.map(({ length }) => length);
    if (lengths.length !== sources.length || lengths.some((length) => length !== tokens)) {
      const expected = `${sources.length} sequences of ${tokens} tokens`;
      throw new Error(`${this.name}: expected ${expected}, found lengths ${JSON.stringify(lengths)}`);
    }
    return sequences;
  }

  /** Stops the process until the next request, so that it takes no processor time. */
  rest(): void {
    this.child.kill('SIGSTOP');
  }

  end(): void {
    this.lines.close();
    this.child.kill('SIGCONT');
    this.child.kill('SIGTERM');
  }

  private ask(request: object): Promise<Answer> {
    this.child.kill('SIGCONT');
    return new Promise((resolve, reject) => {
      this.waiting = { answer: resolve, fail: reject };
      if (this.child.exitCode !== null) reject(new Error(`ended: ${this.complaint.trim()}`));
      this.child.stdin.write(`${JSON.stringify(request)}\n`, (error) => error && reject(error));
    });
  }

  private settle(line: string): void {
    const { waiting } = this;
    this.waiting = null;
    let answer: Answer;
    try {
      answer = JSON.parse(line);
    } catch {
      waiting?.fail(new Error(`${this.name}: expected a line of JSON, found ${line.slice(0, 200)}`));
      return;
    }
    if (answer.ok) waiting?.answer(answer);
    else waiting?.fail(new Error(answer.error));
  }
}
