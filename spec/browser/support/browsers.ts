import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';

export type BrowserName = 'chromium' | 'firefox' | 'webkit';

/** How guard.mjs starts a browser. `PROFILE` in an argument stands for the folder of the profile. */
export interface BrowserCommand {
  readonly file: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** Files that are in the profile before the browser starts, by name. */
  readonly profileFiles: Readonly<Record<string, string>>;
  /** Whether the browser cannot do without an X display. */
  readonly needsDisplay: boolean;
}

export interface SpecBrowser {
  readonly name: BrowserName;
  readonly title: string;
  /** Why it cannot run here, or null. */
  readonly missing: string | null;
  command(url: string, settings: BrowserSettings): BrowserCommand;
}

export interface BrowserSettings {
  /** Chromium only: WebGPU and WebGL 2 on SwiftShader, a device in software. */
  readonly hasGpu?: boolean;
  /** WebKitGTK only: turns on SharedArrayBuffer, which JavaScriptCore has and WebKitGTK leaves off. */
  readonly sharesMemory?: boolean;
}

const CHROMIUM = process.env.TANDEM_CHROMIUM ?? '/usr/bin/chromium';
const FIREFOX = process.env.TANDEM_FIREFOX ?? '/usr/bin/firefox-esr';
const WEBKIT = process.env.TANDEM_WEBKIT ?? findMiniBrowser();
const XVFB = '/usr/bin/Xvfb';

/** WebKitGTK's own small browser is not on the path: Debian keeps it in /usr/lib/ARCHITECTURE/webkit2gtk-4.1. */
function findMiniBrowser(): string {
  const names = existsSync('/usr/lib') ? readdirSync('/usr/lib') : [];
  const places = names.map((name) => path.join('/usr/lib', name, 'webkit2gtk-4.1', 'MiniBrowser'));
  return places.find(existsSync) ?? '/usr/lib/webkit2gtk-4.1/MiniBrowser';
}

/** Nothing is fetched from elsewhere: no updates, no reports, no component downloads. */
const CHROMIUM_FLAGS = [
  '--headless',
  '--no-sandbox', // a container's root user has no sandbox
  '--disable-quic',
  '--no-first-run',
  '--disable-breakpad',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

const SWIFTSHADER_FLAGS = [
  '--disable-gpu-sandbox',
  '--ignore-gpu-blocklist',
  '--enable-unsafe-webgpu',
  '--use-webgpu-adapter=swiftshader',
  '--use-angle=swiftshader',
  '--enable-unsafe-swiftshader',
];

const FIREFOX_PREFERENCES: Readonly<Record<string, unknown>> = {
  'app.normandy.enabled': false,
  'app.update.enabled': false,
  'browser.aboutwelcome.enabled': false,
  'browser.safebrowsing.downloads.enabled': false,
  'browser.safebrowsing.malware.enabled': false,
  'browser.safebrowsing.phishing.enabled': false,
  'browser.shell.checkDefaultBrowser': false,
  'browser.startup.homepage_override.mstone': 'ignore',
  'datareporting.policy.dataSubmissionEnabled': false,
  'datareporting.policy.firstRunURL': '',
  'dom.max_script_run_time': 0, // a long call is no reason to ask whether the script should be stopped
  'extensions.update.enabled': false,
  'network.captive-portal-service.enabled': false,
  'network.connectivity-service.enabled': false,
  'services.settings.server': 'data:,',
  'startup.homepage_welcome_url': '',
  'toolkit.telemetry.enabled': false,
};

const chromium: SpecBrowser = {
  name: 'chromium',
  title: 'Chromium',
  missing: existsSync(CHROMIUM) ? null : `no ${CHROMIUM} (TANDEM_CHROMIUM names another)`,
  command: (url, { hasGpu = false }) => ({
    file: CHROMIUM,
    args: [...CHROMIUM_FLAGS, ...(hasGpu ? SWIFTSHADER_FLAGS : ['--disable-gpu']), '--user-data-dir=PROFILE', url],
    env: {},
    profileFiles: {},
    needsDisplay: false,
  }),
};

const firefox: SpecBrowser = {
  name: 'firefox',
  title: 'Firefox',
  missing: existsSync(FIREFOX) ? null : `no ${FIREFOX} (TANDEM_FIREFOX names another)`,
  command: (url) => ({
    file: FIREFOX,
    args: ['--headless', '--no-remote', '--profile', 'PROFILE', url],
    env: { MOZ_CRASHREPORTER_DISABLE: '1' },
    profileFiles: {
      'user.js': Object.entries(FIREFOX_PREFERENCES)
        .map(([name, value]) => `user_pref(${JSON.stringify(name)}, ${JSON.stringify(value)});\n`)
        .join(''),
    },
    needsDisplay: false,
  }),
};

const webkit: SpecBrowser = {
  name: 'webkit',
  title: 'WebKitGTK',
  missing: [WEBKIT, XVFB].every(existsSync) ? null : `no ${WEBKIT} (TANDEM_WEBKIT names another) or no ${XVFB}`,
  command: (url, { sharesMemory = false }) => ({
    file: WEBKIT,
    args: ['--private', url],
    env: { NO_AT_BRIDGE: '1', ...(sharesMemory ? { JSC_useSharedArrayBuffer: '1' } : {}) },
    profileFiles: {},
    needsDisplay: true,
  }),
};

export const BROWSERS: readonly SpecBrowser[] = [chromium, firefox, webkit];

export function browserOf(name: BrowserName): SpecBrowser {
  return BROWSERS.find((browser) => browser.name === name) as SpecBrowser;
}

/** What becomes of specs for a browser: they run, they are skipped, or their absence is a failure. */
export function decideOn(missing: string | null, isNeeded: boolean): 'run' | 'skip' | 'fail' {
  if (missing === null) return 'run';
  return isNeeded ? 'fail' : 'skip';
}

/**
 * `describe` for a browser. Where the browser is not installed, the specs are skipped by a title that says so; in CI that is a
 * failure, because a skip must not pass for a run.
 */
export function describeIn({ missing, title: name }: SpecBrowser, subject: string, body: () => void): void {
  const title = `${subject} in ${name}`;
  const decision = decideOn(missing, process.env.CI === 'true');
  if (decision === 'run') describe(title, body);
  else if (decision === 'skip') describe.skip(`${title}: skipped, ${missing}`, body);
  else {
    test(`${title}: the browser is installed`, () => {
      throw new Error(`${missing}; scripts/browsers-setup.sh installs it`);
    });
  }
}
