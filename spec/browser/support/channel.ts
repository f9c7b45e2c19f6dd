import type { IncomingMessage, ServerResponse } from 'node:http';

/** What a page is asked to do: call one of its functions, or go to another page. */
type Job =
  | { readonly id: number; readonly name: string; readonly args: readonly unknown[] }
  | { readonly visit: string };

interface Waiting {
  readonly what: string;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: Error) => void;
}

const BEAT_MILLISECONDS = 10_000;

/**
 * The server's side of the talk with one page (page/remote.ts is the other side). The page listens to `/jobs`, a stream of
 * server-sent events, and posts what it found to `/answer`, the title of each test to `/progress` and errors nobody caught to
 * `/fault`. One job at a time. This needs nothing of a browser but `EventSource` and `fetch`, so that it is the same in all.
 */
export class PageChannel {
  /** Errors that nobody caught in the page. */
  readonly faults: string[] = [];
  private stream: ServerResponse | null = null;
  private visited = '';
  private calls = 0;
  private progress = '';
  private arrival: Waiting | null = null;
  private answer: (Waiting & { readonly id: number }) | null = null;
  private readonly beat = setInterval(() => this.stream?.write(':\n\n'), BEAT_MILLISECONDS);

  /** Resolves when a page at that path listens. */
  arrive(path: string, milliseconds: number): Promise<void> {
    return this.wait(`no page listened at ${path}`, milliseconds, (waiting) => {
      if (this.stream !== null && this.visited === path) waiting.resolve(undefined);
      else this.arrival = { ...waiting, what: path };
    }) as Promise<void>;
  }

  /** Sends the page elsewhere; `arrive` tells when it is there. */
  visit(path: string): void {
    const leaving = this.stream;
    this.stream = null;
    if (leaving === null) throw new Error(`visit ${path}: expected a page that listens, found none`);
    send(leaving, { visit: path });
  }

  /** Calls a function of the page by name; resolves to what it returns. */
  call(name: string, args: readonly unknown[], milliseconds: number): Promise<unknown> {
    const { stream } = this;
    if (stream === null) return Promise.reject(new Error(`${name}: expected a page that listens, found none`));
    const id = ++this.calls;
    this.progress = '';
    return this.wait(`no answer to ${name}`, milliseconds, (waiting) => {
      this.answer = { ...waiting, id, what: name };
      send(stream, { id, name, args });
    });
  }

  /** Fails whatever is being waited for. */
  fail(reason: string): void {
    for (const waiting of [this.arrival, this.answer]) {
      waiting?.reject(new Error(`${waiting.what}: ${reason}${this.lastProgress()}`));
    }
  }

  close(): void {
    clearInterval(this.beat);
    this.stream?.end();
    this.stream = null;
  }

  /** Takes a request of the page; false where it is for somebody else. */
  async take(request: IncomingMessage, response: ServerResponse): Promise<boolean> {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://page');
    if (pathname === '/jobs') this.listen(searchParams.get('page') ?? '', response);
    else if (request.method !== 'POST') return false;
    else {
      const body = await readBody(request);
      response.writeHead(204).end();
      this.hear(pathname, JSON.parse(body) as Record<string, unknown>);
    }
    return true;
  }

  private hear(pathname: string, body: Record<string, unknown>): void {
    if (pathname === '/fault') this.faults.push(String(body.message));
    if (pathname === '/progress') this.progress = String(body.title);
    if (pathname !== '/answer' || this.answer === null || body.id !== this.answer.id) return;
    const { what, resolve, reject } = this.answer;
    if (typeof body.error === 'string') reject(new Error(`${what}: ${body.error}${this.lastProgress()}`));
    else resolve(body.value);
  }

  private listen(path: string, response: ServerResponse): void {
    response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
    response.write(':\n\n');
    response.on('close', () => {
      if (this.stream !== response) return;
      this.stream = null;
      this.fail('the page went away');
    });
    this.stream = response;
    this.visited = path;
    if (this.arrival?.what === path) this.arrival.resolve(undefined);
  }

  /** A promise with a limit; both of its fields are cleared when it ends. */
  private wait(complaint: string, milliseconds: number, begin: (waiting: Waiting) => void): Promise<unknown> {
    let timer: NodeJS.Timeout | undefined;
    const promise = new Promise((resolve, reject) => {
      timer = setTimeout(
        () => reject(new Error(`${complaint} within ${milliseconds / 1000} s${this.lastProgress()}`)),
        milliseconds,
      );
      begin({ what: '', resolve, reject });
    });
    return promise.finally(() => {
      clearTimeout(timer);
      this.arrival = null;
      this.answer = null;
    });
  }

  private lastProgress(): string {
    return this.progress === '' ? '' : `; the last test that began: ${this.progress}`;
  }
}

function send(stream: ServerResponse, job: Job): void {
  stream.write(`data: ${JSON.stringify(job)}\n\n`);
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}
