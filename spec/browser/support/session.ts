import { type ChildProcess, spawn } from 'node:child_process';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { PageFunctions } from '../page';
import type { BrowserSettings, SpecBrowser } from './browsers';
import { PageChannel } from './channel';
import { buildPage, type PageFiles, servePage } from './serve';

/** A browser that runs, on a page that does what it is told. */
export interface Session {
  /** Calls a function of the page; what it takes and returns goes through JSON. */
  call<Name extends keyof PageFunctions>(
    name: Name,
    ...args: Parameters<PageFunctions[Name]>
  ): Promise<Awaited<ReturnType<PageFunctions[Name]>>>;
  /** Goes to another page; see `servePage` for which there are. */
  visit(path: string): Promise<void>;
  /** Errors that nobody in the page caught, since the last time this was asked. */
  faults(): string[];
  /** Ends the browser, deletes its profile, and closes the server. */
  close(): Promise<void>;
}

export interface SessionSettings extends BrowserSettings {
  readonly page: '/isolated' | '/ordinary';
  /** How long one call may take. */
  readonly callMilliseconds?: number;
  /** The folder in which the browser's profile is made; default: the system's temporary one. */
  readonly profiles?: string;
}

const ARRIVAL_MILLISECONDS = 60_000;
const CALL_MILLISECONDS = 120_000;
const END_MILLISECONDS = 15_000;
const GUARD = path.join(__dirname, 'guard.mjs');

/**
 * Starts a browser on a page of ours. Every wait is bounded, and its error says what was waited for and which test the page
 * had begun last.
 */
export async function openSession(browser: SpecBrowser, files: PageFiles, settings: SessionSettings): Promise<Session> {
  const channel = new PageChannel();
  const { url, close } = await servePage(files, channel);
  const { callMilliseconds = CALL_MILLISECONDS } = settings;
  const guard = startGuard(browser, `${url}${settings.page}`, settings);
  guard.ended.then((last) => channel.fail(`${browser.title} has ended. It wrote:\n${last}`));
  const end = async () => {
    channel.close();
    await guard.end();
    await close();
  };
  try {
    await channel.arrive(settings.page, ARRIVAL_MILLISECONDS);
  } catch (error) {
    await end();
    throw new Error(`${browser.title}: ${(error as Error).message}. It wrote:\n${guard.tail()}`);
  }
  return {
    call: (name, ...args) => channel.call(name, args, callMilliseconds) as Promise<never>,
    async visit(page) {
      channel.visit(page);
      await channel.arrive(page, ARRIVAL_MILLISECONDS);
    },
    faults: () => channel.faults.splice(0),
    close: end,
  };
}

/**
 * Declares hooks for a group of specs: the browser starts before the first and ends after the last, and a spec fails if the page
 * had an error that nobody caught.
 */
export function withSession(
  browser: SpecBrowser,
  settings: SessionSettings,
  buildFiles: () => PageFiles = () => ({ script: buildPage() }),
): () => Session {
  let session: Session | null = null;
  beforeAll(async () => {
    session = await openSession(browser, buildFiles(), settings);
  }, 2 * ARRIVAL_MILLISECONDS);
  afterAll(() => session?.close());
  afterEach(() => {
    expect(session?.faults()).toEqual([]);
  });
  return () => session as Session;
}

interface Guard {
  /** Resolves to the last lines the browser wrote, when it is gone. */
  readonly ended: Promise<string>;
  tail(): string;
  end(): Promise<void>;
}

/** The guard owns the browser (guard.mjs): it cleans up when it is asked to and when this process is no more. */
export function startGuard(browser: SpecBrowser, url: string, settings: SessionSettings): Guard {
  const { profiles = tmpdir() } = settings;
  const child: ChildProcess = spawn(
    process.execPath,
    [GUARD, JSON.stringify(browser.command(url, settings)), profiles],
    {
      stdio: ['pipe', 'pipe', 'pipe'],
      detached: true, // a signal to the test runner's group must not stop it before it has cleaned up
    },
  );
  let written = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (text: string) => {
      written = (written + text).slice(-4000);
    });
  }
  const ended = new Promise<string>((resolve) => child.once('exit', () => resolve(written)));
  return {
    ended,
    tail: () => written,
    async end() {
      child.stdin?.end();
      let timer: NodeJS.Timeout | undefined;
      const late = new Promise<null>((resolve) => {
        timer = setTimeout(() => resolve(null), END_MILLISECONDS);
      });
      const last = await Promise.race([ended, late]);
      clearTimeout(timer);
      if (last === null)
        throw new Error(`${browser.title}: expected to end in ${END_MILLISECONDS / 1000} s, and did not`);
    },
  };
}
