import { Tandem } from '../../index';
import { BROWSERS, describeIn } from './support/browsers';
import { buildBundle, buildPage } from './support/serve';
import { withSession } from './support/session';

const MINUTES = 60_000;
const INPUT = 'And it came to pass.';
const OPTIONS = { maxNewTokens: 12 };
/** WebKitGTK gives its pages no shared memory. */
const THREADS = { chromium: 2, firefox: 2, webkit: 1 } as const;

let inNode: { readonly text: string; readonly ids: readonly number[] };

beforeAll(async () => {
  const tandem = await Tandem.load(undefined, { backend: 'wasm', level: 'simd', threads: 1 });
  const { text, ids } = await tandem.generate(INPUT, OPTIONS);
  await tandem.dispose();
  inNode = { text, ids };
  expect(text.length).toBeGreaterThan(0);
}, MINUTES);

for (const browser of BROWSERS) {
  const threads = THREADS[browser.name];

  describeIn(browser, 'the bundle as it ships', () => {
    const session = withSession(browser, { page: '/isolated' }, () => ({ script: buildPage(), bundle: buildBundle() }));
    const work = { input: INPUT, loadOptions: { threads, level: 'simd' }, options: OPTIONS };

    test(
      'imported by a classic script, it decodes the bundled pair: Node’s text and ids',
      async () => {
        const found = await session().call('useBundleInPage', work);
        expect(found).toEqual({ ...inNode, backend: 'wasm', level: 'simd', threads });
      },
      2 * MINUTES,
    );

    test(
      'imported by a module worker, it decodes the bundled pair: Node’s text and ids',
      async () => {
        const found = await session().call('useBundleInModuleWorker', work);
        expect(found).toEqual({ ...inNode, backend: 'wasm', level: 'simd', threads });
      },
      2 * MINUTES,
    );
  });
}
