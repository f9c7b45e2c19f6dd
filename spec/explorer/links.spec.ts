import { isDeepStrictEqual } from 'node:util';
import type { Page } from 'playwright-core';
import { DEFAULTS, decodingSettings, type RunSettings } from '../../explorer/page/settings';
import { browserOf, describeIn } from '../browser/support/browsers';
import { openLoaded } from './opened';
import { LEVEL, type OpenedSite, PANELS, showPanel } from './site';

/** What the page has asked of its worker, in the order of the requests. */
interface Posted {
  readonly kind: string;
  readonly request: Readonly<Record<string, unknown>>;
}

/** Runs in the page before its own code: remembers what is sent to the worker. */
function listen(): void {
  const posted: unknown[] = [];
  Object.assign(globalThis, { posted });
  const post = Worker.prototype.postMessage as (message: unknown) => void;
  Worker.prototype.postMessage = function (this: Worker, message: unknown) {
    posted.push(message);
    post.call(this, message);
  } as Worker['postMessage'];
}

/** Every setting with a value that is not the one by itself; together they can be used. */
const COMMON = {
  text: 'And he said.',
  draft: 'copy',
  temperature: 0.7,
  topK: 40,
  topP: 0.9,
  seed: 5,
  length: 9,
} as const;
const RUNS: readonly Partial<RunSettings>[] = [
  { ...COMMON, gamma: 3, lenience: 0.8 },
  { ...COMMON, gamma: 2, verification: 'block' },
  { ...COMMON, branching: '3,1' },
];
const DECODING = ['race', 'round', 'play', 'attention', 'timeline'] as const;

const linkOf = (panel: string, values: object) => `#${panel}?${new URLSearchParams(Object.entries(values))}`;

/** Runs in the page: gives each control of the panel another value, and tells what the link then says. The type of weights loads the models again. */
async function changeAll(): Promise<{ name: string; value: string; said: string | null }[]> {
  const said = [];
  const names = () =>
    [...document.querySelectorAll('main [name]:not([type=file], [name=dtype], :disabled)')].map((one) =>
      one.getAttribute('name'),
    );
  const done = new Set<string | null>();
  for (let name = names()[0]; name !== undefined; name = names().find((one) => !done.has(one)) as string) {
    done.add(name);
    const control = document.querySelector(`main [name=${name}]`) as HTMLInputElement | HTMLSelectElement;
    const isList = control instanceof HTMLSelectElement;
    const others = isList ? [...control.options].filter(({ disabled }) => !disabled).map(({ value }) => value) : [];
    const isText = !isList && !['range', 'number'].includes(control.type);
    control.value = isList
      ? (others.find((one) => one !== control.value) as string)
      : isText
        ? 'some/text'
        : String(Number((control as HTMLInputElement).min) + 1);
    const { value } = control;
    control.dispatchEvent(new Event(isList ? 'change' : 'input', { bubbles: true }));
    const read = () => new URLSearchParams(location.hash.split('?')[1]).get(name as string);
    for (let frame = 0; frame < 60 && read() !== value; frame++) await new Promise(requestAnimationFrame);
    said.push({ name: name as string, value, said: read() });
    await new Promise(requestAnimationFrame); // what this one keeps others from is then drawn
    await new Promise(requestAnimationFrame);
  }
  return said;
}

describeIn(browserOf('chromium'), 'links of the explorer', () => {
  let opened: OpenedSite;
  let page: Page;

  beforeAll(async () => {
    opened = await openLoaded(`#own?level=${LEVEL}&threads=1&dtype=q8`, (own) => own.addInitScript(listen));
    ({ page } = opened);
  });
  afterAll(() => opened?.close());

  /** What has been asked since a request, one frame later. */
  const askedSince = async (from: number, kind: string): Promise<Posted['request'][]> => {
    const posted = await page.evaluate(async (first) => {
      await new Promise(requestAnimationFrame);
      return (globalThis as unknown as { posted: Posted[] }).posted.slice(first);
    }, from);
    return posted.filter((one) => one.kind === kind).map(({ request }) => request);
  };

  /**
   * Follows a link, and waits for a request that says what is wanted. It need not be the first one: a panel asks for a run without a
   * draft after the one of its link, and this may come when the next link is there already.
   */
  const expectAsked = async (link: string, kind: string, wanted: Posted['request']): Promise<void> => {
    const from = await page.evaluate((to) => {
      location.hash = to;
      return (globalThis as unknown as { posted: Posted[] }).posted.length;
    }, link);
    const isWanted = (one: Posted['request']) =>
      isDeepStrictEqual(Object.fromEntries(Object.keys(wanted).map((name) => [name, one[name]])), wanted);
    let came: Posted['request'][] = [];
    for (let frame = 0; frame < 600 && !came.some(isWanted); frame++) came = await askedSince(from, kind);
    expect([link, came]).toEqual([link, expect.arrayContaining([expect.objectContaining(wanted)])]);
  };

  test('the models are loaded as the link says, and the links of all other panels say it too', async () => {
    const load = await page.evaluate(() => (globalThis as unknown as { posted: Posted[] }).posted[0]);
    expect(load).toMatchObject({ kind: 'load', request: { level: LEVEL, threads: 1, dtype: 'q8' } });
    await showPanel(page, `#own?level=${LEVEL}&threads=1&dtype=q8&theme=dark`, ':root[data-theme=dark]');
    const links = await page.$$eval('nav a', (all) => all.map((one) => (one as HTMLAnchorElement).hash));
    expect(links.map((link) => link.split('?')[0])).toEqual(Object.keys(PANELS).map((panel) => `#${panel}`));
    for (const link of links) {
      const values = Object.fromEntries(new URLSearchParams(link.split('?')[1]));
      expect([link, values]).toEqual([link, { level: LEVEL, threads: '1', dtype: 'q8', theme: 'dark' }]);
    }
  });

  test.each(DECODING)('every setting of a link reaches the run: %s', async (panel) => {
    for (const values of RUNS) {
      const run = { ...DEFAULTS, ...values };
      const { text, draft } = run;
      await expectAsked(linkOf(panel, values), 'decode', { text, draft, settings: decodingSettings(run) });
    }
    const stated = new Set(RUNS.flatMap((values) => Object.keys(values)));
    expect(Object.keys(DEFAULTS).filter((name) => !stated.has(name))).toEqual([]);
  });

  test('what else a link says reaches the worker: attention, proof, samples and costs', async () => {
    const attention = { text: 'And he said.', draft: 'copy', length: 9, reads: 'encoder', layer: 2, head: 3 };
    await expectAsked(linkOf('attention', attention), 'attend', { kind: 'encoder', layer: 1, head: 2 });
    const proof = { wrong: 'accepts every draft token', models: 5, seed: 8000 };
    await expectAsked(linkOf('prove', proof), 'prove', { wrong: proof.wrong, tables: 5 });
    await expectAsked(linkOf('prove', { ...proof, models: 6 }), 'sample', { tables: 6, firstSeed: 8000 });
    await expectAsked(linkOf('machine', { draft: 'ngram' }), 'measure', { draft: 'ngram' });
  });

  test.each(Object.entries(PANELS))(
    'every control writes what it says into the link, which brings it back: %s',
    async (panel, ready) => {
      const values = panel === 'machine' || panel === 'own' ? {} : { text: 'And he said.', length: 9, temperature: 1 };
      await showPanel(page, linkOf(panel, values), ready);
      const changed = await page.evaluate(changeAll);
      expect(changed.length).toBeGreaterThan(0);
      expect(new Set(changed.map(({ name }) => name)).size).toBe(changed.length);
      expect(changed.filter(({ value, said }) => said !== value)).toEqual([]);
      const link = await page.evaluate(() => location.hash);
      await showPanel(page, panel === 'own' ? '#prove' : '#own', panel === 'own' ? '#finding' : '.own');
      await showPanel(page, link, ready);
      const back = await page.$$eval('main [name]:not([type=file])', (all) =>
        all.map((one) => [one.getAttribute('name'), (one as HTMLInputElement).value]),
      );
      expect(back).toEqual(expect.arrayContaining(changed.map(({ name, value }) => [name, value])));
    },
  );
});
