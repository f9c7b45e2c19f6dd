import type { Page } from 'playwright-core';
import { type OpenedSite, openSite, untilLoaded } from './site';

/** `openSite` at a place of the page, when the models are loaded. `prepare` runs before the page does. */
export async function openLoaded(hash: string, prepare?: (page: Page) => Promise<unknown>): Promise<OpenedSite> {
  const opened = await openSite();
  try {
    await prepare?.(opened.page);
    await opened.page.goto(`${opened.site.url}${hash}`);
    await untilLoaded(opened.page);
    return opened;
  } catch (error) {
    await opened.close();
    throw error;
  }
}

/** Waits until there are so many elements, and sees that no more come: long lists come in portions, one in each frame. */
export async function untilCount(page: Page, selector: string, count: number): Promise<void> {
  const wanted = [selector, count] as const;
  await page.waitForFunction(([one, all]) => document.querySelectorAll(one).length === all, wanted);
  const found = await page.evaluate(async (one) => {
    const frame = () => new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
    for (let i = 0; i < 3; i++) await frame();
    return document.querySelectorAll(one).length;
  }, selector);
  expect(found).toBe(count);
}
