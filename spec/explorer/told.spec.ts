import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { openCheckpoint } from '../../core';
import { hundredths, percent, visible } from '../../explorer/page/format';
import type { Trace } from '../../index';
import { browserOf, describeIn } from '../browser/support/browsers';
import { comparable, GOLDEN_TEXT, GOLDEN_TOKENS, readGolden, traceInNode } from './golden';
import { untilCount } from './opened';
import { brokenModel, EXAMPLES, LEVEL, type OpenedSite, openSite, ROOT, showPanel, untilLoaded } from './site';

/** More than any distribution of the bundled pair has. */
const ALL_ENTRIES = 1e6;

type LabelOf = (id: number) => string;
type TracedRound = Trace['rounds'][number];

/** Parts of the text that each step of a round must have, from the trace alone. */
function mustSay({ position, proposal, accepted, tokens, next }: TracedRound, labelOf: LabelOf): string[][] {
  const count = proposal.length;
  const share = (top: TracedRound['next']['from'], token: number) => top.find(([id]) => id === token)?.[1];
  const shareIn = (top: TracedRound['next']['from'], token: number) => {
    const known = share(top, token);
    return known === undefined ? [] : [percent(known)];
  };
  const proposed = proposal.map(({ token, draft }, i) => [
    `Position ${i + 1}: `,
    labelOf(token),
    ...(draft.length > 1 ? shareIn(draft, token) : []),
  ]);
  const judged = proposal
    .slice(0, accepted + 1)
    .map(({ token, draft, target }, i) => [
      `The target gives ${labelOf(token)} ${shareIn(target, token)[0] ?? ''}`,
      ...shareIn(draft, token).map((said) => `the draft ${said}`),
      i < accepted ? 'it is kept' : 'it is rejected',
    ]);
  const isCorrected = accepted < count;
  return [
    ...proposed,
    [count === 0 ? 'Nothing was proposed.' : `scores ${count + 1} positions at once`],
    ...judged,
    ...(isCorrected ? [[`${labelOf(proposal[accepted].token)} is rejected.`]] : []),
    [
      `The token after the ${accepted} kept comes from ${isCorrected ? 'the residual' : 'the target’s own distribution'}`,
      labelOf(next.token),
    ],
    [
      `${tokens.length} token${tokens.length === 1 ? '' : 's'} for one call of the target: ${tokens.map(labelOf).join(' ')}.`,
      `held ${position + count} rows and forgets ${count - accepted}`,
    ],
  ];
}

/** Runs in the page: steps through all rounds by the arrow key, and collects what is told at each step. */
async function stepThrough(): Promise<{ where: string; text: string }[]> {
  const textOf = (selector: string) => document.querySelector(selector)?.textContent ?? '';
  const told = [];
  for (let where = ''; textOf('#where') !== where; ) {
    where = textOf('#where');
    told.push({ where, text: textOf('#narration') });
    dispatchEvent(new KeyboardEvent('keydown', { key: 'ArrowRight' }));
    for (let frame = 0; frame < 20 && textOf('#where') === where; frame++) await new Promise(requestAnimationFrame);
  }
  return told;
}

/** A row of a position's bars: its numbers as they are written, and where its pieces are drawn, in shares of the whole. */
interface BarRow {
  readonly label: string;
  readonly q: string;
  readonly p: string;
  readonly pieces: readonly { readonly name: string; readonly from: number; readonly to: number }[];
}

interface CardBars {
  readonly rows: readonly BarRow[];
  /** What stands under them: the chance that a token is kept. */
  readonly overlap: string;
}

/** Runs in the page. */
function readBars(cards: Element[]): CardBars[] {
  const text = (row: Element, selector: string) => row.querySelector(selector)?.textContent ?? '';
  const place = (piece: Element) => {
    const [own, whole] = [piece, piece.parentElement as Element].map((one) => one.getBoundingClientRect());
    const share = (x: number) => (x - whole.left) / whole.width;
    return { name: piece.className, from: share(own.left), to: share(own.right) };
  };
  return cards.map((card) => ({
    rows: [...card.querySelectorAll('tbody tr')].map((row) => ({
      label: text(row, 'th'),
      q: text(row, 'td.draft'),
      p: text(row, 'td.target'),
      pieces: [...row.querySelectorAll('.bar-row i')].map(place),
    })),
    overlap: text(card, '.overlap'),
  }));
}

/** A position's bars are as the numbers beside them, begin where they should, and are all of both distributions. */
function checkBars(rows: readonly BarRow[]): void {
  const ends = rows.map(({ label, q, p, pieces }) => {
    const [shared, draft, target] = pieces;
    const [ofDraft, ofTarget] = [q, p].map(Number.parseFloat);
    expect([label, pieces.map(({ name }) => name)]).toEqual([label, ['shared', 'draft', 'target']]);
    for (const [found, wanted] of [
      [shared.from * 100, 0],
      [shared.to * 100, Math.min(ofDraft, ofTarget)],
      [draft.from * 100, shared.to * 100],
      [target.from * 100, shared.to * 100],
      [draft.to * 100, ofDraft],
      [target.to * 100, ofTarget],
    ]) {
      expect(Math.abs(found - wanted)).toBeLessThan(0.6);
    }
    return { draft: draft.to, target: target.to };
  });
  for (const side of ['draft', 'target'] as const) {
    expect(ends.reduce((sum, end) => sum + end[side], 0)).toBeCloseTo(1, 2);
  }
}

/** Σ min(target, draft) of distributions that are there as a whole. */
function overlapOf({ draft, target }: TracedRound['proposal'][number]): number {
  const inTarget = new Map(target);
  return draft.reduce((sum, [id, share]) => sum + Math.min(share, inTarget.get(id) ?? 0), 0);
}

/** Tokens of the bundled pair as they are written. */
async function labels(): Promise<LabelOf> {
  const checkpoint = await openCheckpoint(join(ROOT, 'models', 'modernize-target'));
  const tokenizer = await checkpoint.tokenizer();
  await checkpoint.dispose();
  return (id) => tokenizer.piece(id).replaceAll('▁', ' ');
}

describeIn(browserOf('chromium'), 'what the explorer tells', () => {
  let opened: OpenedSite;
  let page: Page;
  let errors: string[];

  beforeAll(async () => {
    opened = await openSite();
    ({ page, errors } = opened);
    await page.addInitScript(() => {
      const moved = { count: 0 };
      Object.assign(globalThis, { moved });
      for (const name of ['transitionrun', 'animationstart']) addEventListener(name, () => moved.count++, true);
    });
    await page.goto(`${opened.site.url}#timeline?level=${LEVEL}&temperature=1&seed=7&length=${GOLDEN_TOKENS}`);
    await untilLoaded(page);
  });
  afterAll(() => opened?.close());

  const show = (hash: string, selector: string) => showPanel(page, hash, selector);

  test('the trace that it saves is the golden one, field by field, and so is Node’s', async () => {
    await page.waitForSelector('.calls');
    const waiting = page.waitForEvent('download');
    await page.getByRole('button', { name: 'Save this trace' }).click();
    const saved: Trace = JSON.parse(readFileSync(await (await waiting).path(), 'utf8'));
    const golden = readGolden();
    expect(golden.rounds.length).toBeGreaterThan(5);
    expect(golden.rounds.some(({ accepted, proposal }) => accepted < proposal.length)).toBe(true);
    expect(comparable(saved)).toEqual(golden);
    expect(comparable(await traceInNode(GOLDEN_TEXT, GOLDEN_TOKENS))).toEqual(golden);
  });

  test('the text of each step of each round says what Node’s trace has', async () => {
    const { rounds } = await traceInNode(EXAMPLES[1], 48);
    const written = await labels();
    const labelOf: LabelOf = (id) => {
      const label = written(id);
      return `“${label === '</s>' ? 'end' : label.trim() || label}”`;
    };
    await show(`#round?level=${LEVEL}&round=0&step=0`, '.code');
    const whole = `of ${rounds.length},`;
    await page.waitForFunction((said) => document.querySelector('#where')?.textContent?.includes(said), whole);
    const expected = rounds.flatMap((round, index) =>
      mustSay(round, labelOf).map((parts, step, { length }) => ({
        where: `round ${index + 1} of ${rounds.length}, step ${step + 1} of ${length}`,
        parts,
      })),
    );
    const told = await page.evaluate(stepThrough);
    expect(told.map(({ where }) => where)).toEqual(expected.map(({ where }) => where));
    for (const [i, { where, parts }] of expected.entries()) {
      for (const part of parts) expect(`${where}: ${told[i].text}`).toContain(part);
    }
    expect(await page.locator('#narration').getAttribute('role')).toBe('status');
  });

  test('the bars of a round are both distributions of Node’s trace, and the residual is the one that it drew from', async () => {
    const { rounds } = await traceInNode(EXAMPLES[1], 48, ALL_ENTRIES);
    const at = rounds.findIndex(({ accepted, proposal }) => accepted < proposal.length);
    const { proposal, accepted, next } = rounds[at];
    const labelOf = await labels();
    await page.emulateMedia({ reducedMotion: 'reduce' }); // bars that are on their way have no length yet
    const open = async (step: number) => {
      await show(`#round?level=${LEVEL}&round=${at}&step=${step}`, '.code');
      const where = `round ${at + 1} of ${rounds.length}, step ${step + 1} `;
      await page.waitForFunction((said) => document.querySelector('#where')?.textContent?.startsWith(said), where);
      await untilCount(page, '.card', proposal.length + 1);
      return page.$$eval('.card', readBars);
    };
    const cards = await open(proposal.length); // the target's call
    for (const [i, { draft, target }] of proposal.entries()) {
      const { rows, overlap } = cards[i];
      for (const [side, top] of [
        ['q', draft],
        ['p', target],
      ] as const) {
        for (const [id, share] of top.filter(([, one]) => one > 0.05)) {
          const row = rows.find(({ label }) => label === visible(labelOf(id)));
          expect([i, labelOf(id), row?.[side]]).toEqual([i, labelOf(id), hundredths(share)]);
        }
      }
      checkBars(rows);
      expect([i, overlap.trim()]).toEqual([i, `Σ min(p, q) = ${percent(overlapOf(proposal[i]))}`]);
    }
    const residual = (await open(proposal.length + 1 + accepted + 1))[accepted].rows;
    expect(residual.reduce((sum, { pieces }) => sum + (pieces.at(-1)?.to ?? 0), 0)).toBeCloseTo(1, 2);
    for (const [id, share] of next.from.filter(([, one]) => one > 0.05)) {
      expect(residual.find(({ label }) => label === visible(labelOf(id)))?.p).toBe(hundredths(share));
    }
    await page.emulateMedia({ reducedMotion: 'no-preference' });
  });

  test('nothing moves for those who ask for reduced motion', async () => {
    const movesOf = async (preference: 'reduce' | 'no-preference') => {
      await page.emulateMedia({ reducedMotion: preference });
      await page.evaluate(() => {
        (globalThis as unknown as { moved: { count: number } }).moved.count = 0;
      });
      await show('#prove', '#finding.exact');
      await show('#prove?wrong=corrects+from+the+target+itself', '#finding.bent');
      await show('#round?round=0&step=3', '.cards .bar-row');
      await page.keyboard.press('ArrowRight');
      await page.keyboard.press('ArrowRight');
      return page.evaluate(() => (globalThis as unknown as { moved: { count: number } }).moved.count);
    };
    expect(await movesOf('no-preference')).toBeGreaterThan(0);
    expect(await movesOf('reduce')).toBe(0);
  });

  test('a directory with a broken checkpoint, dropped as a person drops it, is refused in words', async () => {
    await show('#own', '.own');
    const broken = brokenModel();
    const box = await page.locator('.own .lane.target').boundingBox();
    if (box === null) throw new Error('expected the place for the target, found none');
    const session = await page.context().newCDPSession(page);
    const data = { items: [], files: [broken], dragOperationsMask: 1 };
    for (const type of ['dragEnter', 'dragOver', 'drop'] as const) {
      await session.send('Input.dispatchDragEvent', { type, x: box.x + 40, y: box.y + 20, data });
    }
    await page.waitForSelector('.problem');
    expect(await page.textContent('.problem')).toMatch(/config\.json.*expected.*JSON/);
    expect(await page.textContent('#own-status')).toMatch(/^Loaded: modernize-target/);
    rmSync(broken, { recursive: true });
    expect(errors).toEqual([]);
  });
});
