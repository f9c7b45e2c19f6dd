import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { BROWSERS, decideOn, describeIn } from './support/browsers';
import { PageChannel } from './support/channel';
import { processesOn, waitUntil } from './support/processes';
import { buildPage, servePage } from './support/serve';
import { openSession, type Session } from './support/session';

const GUARD = path.join(__dirname, 'support', 'guard.mjs');
const LIMIT = 20_000;

/** Starts a guard with this browser, as a session does, then waits for a signal. */
const STARTER = `
  const { spawn } = require('node:child_process');
  spawn(process.execPath, process.argv.slice(1), { stdio: ['pipe', 'ignore', 'ignore'], detached: true });
  setInterval(() => undefined, 1000);
`;

/** A process of a browser may have ended with one that was killed before it. */
function killIfThere(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

describe('a browser that is not installed', () => {
  test('is a failure where it is needed and a skip elsewhere; an installed one always runs', () => {
    expect(decideOn('no browser', true)).toBe('fail');
    expect(decideOn('no browser', false)).toBe('skip');
    expect(decideOn(null, true)).toBe('run');
    expect(decideOn(null, false)).toBe('run');
  });
});

for (const browser of BROWSERS) {
  describeIn(browser, 'the end of a run', () => {
    let folder: string;
    let script: string;
    let session: Session | null = null;

    beforeAll(() => {
      script = buildPage();
    }, LIMIT);
    beforeEach(() => {
      folder = mkdtempSync(path.join(tmpdir(), 'tandem-lifetime-'));
    });
    afterEach(async () => {
      await session?.close();
      session = null;
      rmSync(folder, { recursive: true, force: true });
    });

    async function open(callMilliseconds: number): Promise<Session> {
      session = await openSession(browser, { script }, { page: '/isolated', callMilliseconds, profiles: folder });
      return session;
    }

    const browserProcesses = () => processesOn(folder).filter(({ command }) => !command.includes('guard.mjs'));
    const expectNothingLeft = async () => {
      await waitUntil('no process of the browser', () => browserProcesses().length === 0, LIMIT);
      await waitUntil('no profile', () => readdirSync(folder).length === 0, LIMIT);
    };

    test(
      'errors are told, a call that hangs ends at its limit and names the test that had begun; nothing is left after close',
      async () => {
        const page = await open(5000);
        expect(browserProcesses().length).toBeGreaterThan(0);
        expect(readdirSync(folder)).toHaveLength(1);
        await page.call('failUncaught');
        const faults: string[] = [];
        await waitUntil('an error that nobody caught', () => faults.push(...page.faults()) > 0, LIMIT);
        expect(faults[0]).toContain('nobody caught this');
        await expect(page.call('runWasmGoldens', {}, ['nothing'])).rejects.toThrow('nothing: HTTP 404');
        await expect(page.call('unknown' as 'hang')).rejects.toThrow('found the name unknown');
        await expect(page.call('hang')).rejects.toThrow(
          'no answer to hang within 5 s; the last test that began: a test that hangs',
        );
        await page.close();
        await expectNothingLeft();
      },
      4 * LIMIT,
    );

    test(
      'a browser that dies fails the call that waits for it, and nothing is left',
      async () => {
        const page = await open(LIMIT);
        const hanging = page.call('hang');
        hanging.catch(() => undefined);
        const running = browserProcesses().filter(({ command }) => !command.startsWith('Xvfb'));
        for (const { pid } of running) killIfThere(pid);
        await expect(hanging).rejects.toThrow(/went away|has ended/);
        await expectNothingLeft();
      },
      4 * LIMIT,
    );

    test(
      'a test runner that is killed leaves no browser and no profile',
      async () => {
        const channel = new PageChannel();
        const { url, close } = await servePage({ script }, channel);
        const command = JSON.stringify(browser.command(`${url}/isolated`, {}));
        const runner = spawn(process.execPath, ['-e', STARTER, GUARD, command, folder], {
          stdio: 'ignore',
        });
        try {
          await channel.arrive('/isolated', LIMIT);
          expect(browserProcesses().length).toBeGreaterThan(0);
          runner.kill('SIGKILL');
          await expectNothingLeft();
        } finally {
          runner.kill('SIGKILL');
          channel.close();
          await close();
        }
      },
      4 * LIMIT,
    );
  });
}
