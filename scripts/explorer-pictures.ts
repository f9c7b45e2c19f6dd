/**
 * Takes the pictures of the explorer that README and docs/explorer.md show, into docs/pictures.
 *
 *   npx ts-node scripts/explorer-pictures.ts [FOLDER WIDTH…]   other widths, in both themes, into another folder, to look at
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { ROOT, serveSite, siteFolder, untilLoaded } from '../spec/explorer/site';
import { launchChromium } from '../spec/house/package/chromium';

interface Picture {
  readonly name: string;
  readonly hash: string;
  /** What the page has when it is ready. */
  readonly ready: string;
  /** Height of the picture; left out, the whole page. */
  readonly height?: number;
}

/** The panels as they are looked at, each in a state that shows something. */
const PANELS: readonly Picture[] = [
  { name: 'race', hash: '#race', ready: '#verdict' },
  { name: 'round', hash: '#round?step=9', ready: '.code' },
  { name: 'play', hash: '#play?temperature=1', ready: '.charts > :nth-child(2) svg' },
  { name: 'prove', hash: '#prove', ready: '#finding' },
  { name: 'attention', hash: '#attention?at=9', ready: '.heat' },
  { name: 'attention-encoder', hash: '#attention?reads=encoder&layer=2&head=3&by=read&at=12', ready: '.heat' },
  { name: 'timeline', hash: '#timeline', ready: '.calls' },
  { name: 'machine', hash: '#machine', ready: '#roofline' },
  { name: 'own', hash: '#own', ready: '.own' },
  { name: 'prove-wrong', hash: '#prove?wrong=corrects+from+the+target+itself', ready: '#finding' },
];
/** Pictures of the documentation. */
const SHOWN: readonly Picture[] = [
  { name: 'explorer-round', hash: '#round?step=8', ready: '.code', height: 940 },
  { name: 'explorer-prove', hash: '#prove?wrong=corrects+from+the+target+itself', ready: '#finding', height: 860 },
  { name: 'explorer-attention', hash: '#attention?at=9', ready: '.heat', height: 900 },
];
/** What is still moving when a panel is ready: the rest of the run, or the samples. */
const SETTLE_MILLISECONDS = 2500;

/** How a page looks. */
interface Look {
  readonly width: number;
  readonly theme: string;
}

/** Takes pictures with one page: the models load once, and the link leads from panel to panel. */
async function take(browser: Browser, url: string, { width, theme }: Look, shots: readonly (Picture & File)[]) {
  const page = await browser.newPage({ viewport: { width, height: 900 } });
  await page.goto(`${url}#race`);
  await untilLoaded(page);
  for (const { hash, ready, height, file } of shots) {
    await page.setViewportSize({ width, height: height ?? 900 });
    await page.evaluate(
      (to) => {
        location.hash = to;
      },
      `${hash}${hash.includes('?') ? '&' : '?'}theme=${theme}`,
    );
    await page.waitForSelector(ready, { timeout: 60_000 });
    await page.waitForTimeout(SETTLE_MILLISECONDS);
    await page.screenshot({ path: file, fullPage: height === undefined });
  }
  await page.close();
}

interface File {
  readonly file: string;
}

async function main([folder = join(ROOT, 'docs', 'pictures'), ...widths]: string[]): Promise<void> {
  const site = await serveSite(siteFolder());
  const browser = await launchChromium();
  try {
    mkdirSync(folder, { recursive: true });
    const fileOf = (name: string) => join(folder, `${name}.png`);
    if (widths.length === 0) {
      const shots = SHOWN.map((picture) => ({ ...picture, file: fileOf(picture.name) }));
      await take(browser, site.url, { width: 1400, theme: 'light' }, shots);
    }
    for (const width of widths.map(Number)) {
      for (const theme of ['light', 'dark']) {
        const shots = PANELS.map((picture) => ({ ...picture, file: fileOf(`${picture.name}-${width}-${theme}`) }));
        await take(browser, site.url, { width, theme }, shots);
      }
    }
  } finally {
    await browser.close();
    site.close();
  }
}

main(process.argv.slice(2)).catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
