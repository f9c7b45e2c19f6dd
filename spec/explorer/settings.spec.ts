import type { Page } from 'playwright-core';
import { checkSettings, type Settings } from '../../decoding/settings';
import {
  CHOICES,
  DEFAULTS,
  decodingSettings,
  leftOut,
  RANGES,
  type RunSettings,
  refusal,
  type SettingName,
  statedSettings,
} from '../../explorer/page/settings';

import { browserOf, describeIn } from '../browser/support/browsers';
import { openLoaded } from './opened';
import { LEVEL, type OpenedSite, showPanel } from './site';

const VOCABULARY = 512;

type Setting = readonly [name: SettingName, value: string | number];

const CHOSEN = Object.entries(CHOICES).flatMap(([name, values]) =>
  values.map((value): Setting => [name as SettingName, value]),
);
/** A value between the ends of each range, where every setting says something. */
const BETWEEN = Object.entries(RANGES).map(
  ([name, { least, most, step }]): Setting => [
    name as SettingName,
    least + step * Math.floor((most - least) / step / 3),
  ],
);
const ENDS = Object.entries(RANGES).flatMap(([name, { least, most }]) =>
  [least, most].map((value): Setting => [name as SettingName, value]),
);
const pairsOf = (settings: readonly Setting[]) =>
  settings.flatMap((one, i) =>
    settings.slice(i + 1).flatMap((other) => (one[0] === other[0] ? [] : [[one, other] as const])),
  );

/** Whether decoding refuses settings: its own check says it. */
function isRefused(settings: Settings): boolean {
  try {
    checkSettings(settings, VOCABULARY);
    return false;
  } catch {
    return true;
  }
}

const withSettings = (base: RunSettings, settings: readonly Setting[]): RunSettings => ({
  ...base,
  ...Object.fromEntries(settings),
});

describe.each([0, 1])('all pairs of settings, from temperature %i on', (temperature) => {
  const base = { ...DEFAULTS, temperature };
  const cases = pairsOf([...CHOSEN, ...BETWEEN, ...ENDS]).map((pair) => ({ pair, run: withSettings(base, pair) }));

  test('where decoding refuses what is asked for, the page says so, and nowhere else', () => {
    const refused = cases.map(({ pair, run }) => [pair, isRefused(statedSettings(run))]);
    const told = cases.map(({ pair, run }) => [pair, leftOut(run).length > 0 || refusal(run) !== null]);
    expect(told).toEqual(refused);
    expect(refused.filter(([, one]) => one).length).toBeGreaterThan(20);
  });

  test('decoding takes what the page gives it, which has all that was asked for but what the page says', () => {
    for (const { pair, run } of cases.filter((one) => refusal(one.run) === null)) {
      const given = decodingSettings(run);
      expect([pair, isRefused(given)]).toEqual([pair, false]);
      const missing = Object.keys(statedSettings(run)).filter((name) => !(name in given));
      expect([pair, missing.toSorted()]).toEqual([pair, leftOut(run).toSorted()]);
    }
  });
});

/** What a panel shows of a link. */
interface Shown {
  /** Reasons beside the controls that rest, by the control's name. */
  readonly reasons: Readonly<Record<string, string>>;
  readonly problem: string;
}

/** Runs in the page: goes from link to link, and looks what the controls say. */
async function lookAt({ links, names }: { links: readonly string[]; names: readonly string[] }): Promise<Shown[]> {
  const shown = [];
  for (const link of links) {
    location.hash = link;
    for (let frame = 0; frame < 2; frame++) await new Promise(requestAnimationFrame);
    const reasons: Record<string, string> = {};
    for (const name of names) {
      const control = document.querySelector(`.controls [name=${name}]`);
      const reason = control?.closest('label')?.querySelector('small')?.textContent;
      const isOff =
        control instanceof HTMLInputElement ? control.disabled : control?.querySelector(':disabled') !== null;
      if (reason || isOff)
        reasons[name] = isOff && reason ? reason : 'a control rests without a reason, or the reverse';
    }
    shown.push({ reasons, problem: document.querySelector('.problem')?.textContent ?? '' });
  }
  return shown;
}

describeIn(browserOf('chromium'), 'settings that do not go together', () => {
  let opened: OpenedSite;
  let page: Page;

  beforeAll(async () => {
    opened = await openLoaded(`#own?level=${LEVEL}`);
    ({ page } = opened);
  });
  afterAll(() => opened?.close());

  test.each([
    ['play', '.controls [name=lenience]'],
    ['round', '.controls [name=branching]'],
  ] as const)(
    '%s offers none of the pairs that decoding refuses: a control rests and says why',
    async (panel, ready) => {
      await showPanel(page, `#${panel}`, ready);
      const names = await page.$$eval('.controls label [name]', (all) =>
        all.map((one) => one.getAttribute('name') ?? ''),
      );
      const tried = [...CHOSEN, ...BETWEEN, ['temperature', 0] as const].filter(([name]) => names.includes(name));
      const pairs = pairsOf(tried);
      expect(pairs.length).toBeGreaterThan(20);
      const runs = pairs.map((pair) => withSettings({ ...DEFAULTS, temperature: 1 }, pair));
      const links = pairs.map(
        (pair) => `#${panel}?temperature=1&${pair.map(([name, value]) => `${name}=${value}`).join('&')}`,
      );
      const shown = await page.evaluate(lookAt, { links: links.map(lastWins), names: tried.map(([name]) => name) });
      for (const [i, { reasons, problem }] of shown.entries()) {
        const isTold = leftOut(runs[i]).every((name) => /^(not|only) with |^not at /.test(reasons[name] ?? ''));
        expect([links[i], isTold]).toEqual([links[i], true]);
        expect([links[i], problem]).toEqual([links[i], refusal(runs[i]) ?? '']);
        expect([links[i], Object.values(reasons).filter((one) => one.startsWith('a control'))]).toEqual([links[i], []]);
      }
    },
  );
});

/** A link that names a setting twice, with the last one alone. */
function lastWins(link: string): string {
  const [panel, query] = link.split('?');
  return `${panel}?${new URLSearchParams(Object.fromEntries(new URLSearchParams(query)))}`;
}
