import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { browserOf, describeIn } from '../browser/support/browsers';
import { startGuard } from '../browser/support/session';
import { ISOLATED, serve } from '../house/package/chromium';
import { EXAMPLES, endNode, inNode, LEVEL, siteFolder } from './site';

/** Tells the server what the page shows when both runs have ended, or what went wrong. */
const REPORT = `
const tell = (report) => fetch('/report?' + encodeURIComponent(JSON.stringify(report)));
addEventListener('error', ({ message }) => tell({ error: message }));
const look = () => {
  const text = (selector) => document.querySelector(selector)?.textContent ?? null;
  if (text('.problem') !== null) return tell({ error: text('.problem') });
  if (text('#verdict') === null) return setTimeout(look, 100);
  const lanes = [...document.querySelectorAll('.lane .text')].map(({ textContent }) => textContent);
  return tell({ lanes, verdict: text('#verdict'), machine: text('#machine'), isIsolated: crossOriginIsolated });
};
look();
`;

interface Report {
  readonly error?: string;
  readonly lanes?: readonly string[];
  readonly verdict?: string;
  readonly machine?: string;
}

let site: string;
/** The page with the script that tells; all else is served from the site. */
let page: string;
beforeAll(() => {
  site = siteFolder();
  page = mkdtempSync(join(tmpdir(), 'tandem-page-'));
  const text = readFileSync(join(site, 'index.html'), 'utf8');
  writeFileSync(join(page, 'report.js'), REPORT);
  writeFileSync(join(page, 'index.html'), text.replace('</body>', '<script src="./report.js"></script></body>'));
});
afterAll(async () => {
  rmSync(page, { recursive: true });
  await endNode();
});

const foldersOf = (site: string) => ({
  '/': `${page}/`,
  '/assets/': join(site, 'assets/'),
  '/models/': join(site, 'models/'),
});

for (const name of ['firefox', 'webkit'] as const) {
  describeIn(browserOf(name), 'the explorer', () => {
    test('decodes as Node does, with the draft and without it', async () => {
      const { url, server } = await serve(foldersOf(site), ISOLATED);
      const reported = new Promise<Report>((resolve) => {
        server.on('request', ({ url: path = '' }: IncomingMessage) => {
          if (path.startsWith('/report?')) resolve(JSON.parse(decodeURIComponent(path.slice('/report?'.length))));
        });
      });
      const guard = startGuard(browserOf(name), `${url}#race?level=${LEVEL}`, { page: '/isolated' });
      try {
        const ended = guard.ended.then((last): Report => ({ error: `the browser ended: ${last}` }));
        const report = await Promise.race([reported, ended]);
        const { text } = await inNode(EXAMPLES[0], { maxNewTokens: 96 });
        expect(report).toMatchObject({ lanes: [text, text], verdict: expect.stringMatching(/^✓ The same text/) });
        expect(report.machine).toMatch(/wasm simd, \d threads?$/);
      } finally {
        await guard.end();
        server.close();
        server.closeAllConnections();
      }
    });
  });
}
