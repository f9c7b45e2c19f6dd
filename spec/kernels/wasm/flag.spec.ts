import fc from 'fast-check';
import { isWide, turnWideOn, WIDE_FLAG, wideMissing } from '../../../kernels/wasm/wide/flag.node';

const engine = jest.requireActual<typeof import('node:v8')>('node:v8');
const fileSystem: { readFileSync: unknown } = jest.requireActual('node:fs');

/** What is known of a runtime. `flags` are those of the processor; null where the system keeps them from this process. */
interface Runtime {
  readonly versions: Readonly<Record<string, string | undefined>>;
  readonly arch: string;
  readonly platform: string;
  readonly execPath: string;
  readonly flags: string | null;
}

const own = Object.fromEntries(
  ['versions', 'arch', 'platform', 'execPath'].map((name) => [name, Object.getOwnPropertyDescriptor(process, name)]),
);
const { readFileSync } = fileSystem;

function become({ flags, ...facts }: Runtime): void {
  for (const [name, value] of Object.entries(facts)) {
    Object.defineProperty(process, name, { value, configurable: true, enumerable: true, writable: true });
  }
  fileSystem.readFileSync = (path: string) => {
    if (path !== '/proc/cpuinfo' || flags === null) throw new Error(`no such file: ${path}`);
    return `processor\t: 0\nflags\t\t: ${flags}\nbogomips\t: 4000\n`;
  };
}

/** V8 with the flag on or off, in place of the one that runs this spec. */
function becomeV8(on: boolean): { isOn: boolean } {
  const v8 = { isOn: on };
  jest.spyOn(engine, 'cachedDataVersionTag').mockImplementation(() => (v8.isOn ? 1 : 2));
  jest.spyOn(engine, 'setFlagsFromString').mockImplementation((flag) => {
    expect([`--${WIDE_FLAG}`, `--no-${WIDE_FLAG}`]).toContain(flag);
    v8.isOn = flag === `--${WIDE_FLAG}`;
  });
  return v8;
}

afterEach(() => {
  jest.restoreAllMocks();
  fileSystem.readFileSync = readFileSync;
  for (const [name, descriptor] of Object.entries(own)) Object.defineProperty(process, name, descriptor ?? {});
});

const NODE: Runtime = {
  versions: { node: '24.1.0' },
  arch: 'x64',
  platform: 'linux',
  execPath: '/usr/bin/node',
  flags: 'fpu avx avx2 fma',
};

/** One thing that keeps a runtime from computing wide, and what its reason has to name. */
const OBSTACLES: readonly (readonly [names: RegExp, change: (runtime: Runtime) => Runtime])[] = [
  [/^it needs Node$/, (runtime) => ({ ...runtime, versions: { ...runtime.versions, bun: '1.2.0' } })],
  [/^it needs Node$/, (runtime) => ({ ...runtime, versions: { ...runtime.versions, deno: '2.1.0' } })],
  [/Node 24 or later.*23\.11\.1$/, (runtime) => ({ ...runtime, versions: { ...runtime.versions, node: '23.11.1' } })],
  [/x86-64.*arm64$/, (runtime) => ({ ...runtime, arch: 'arm64' })],
  [/x86-64.*ia32$/, (runtime) => ({ ...runtime, arch: 'ia32' })],
  [/AVX2$/, (runtime) => ({ ...runtime, platform: 'linux', flags: 'fpu avx fma avx512f' })],
  [/AVX2$/, (runtime) => ({ ...runtime, platform: 'linux', flags: 'fpu avx2x xavx2' })],
  [/Node, and this is \//, (runtime) => ({ ...runtime, versions: { ...runtime.versions, electron: '33.0.0' } })],
  [/Node, and this is .*server$/, (runtime) => ({ ...runtime, execPath: '/opt/node/server' })],
  [/Node, and this is .*node-gyp$/, (runtime) => ({ ...runtime, execPath: '/usr/bin/node-gyp' })],
];

const runtimes = fc.record({
  versions: fc.constantFrom('24.0.0', '24.1.0', '26.10.0', '100.0.0').map((node) => ({ node })),
  arch: fc.constant('x64'),
  platform: fc.constantFrom('linux', 'darwin', 'win32'),
  execPath: fc.constantFrom('/usr/bin/node', '/usr/bin/nodejs', '/opt/node.exe', '/Programs/NODE.EXE'),
  flags: fc.constantFrom('fpu avx avx2 fma', 'avx2', 'fpu avx2', null),
});

describe('whether a runtime can compute wide', () => {
  it('is so on Node from 24 on, on x86-64 with AVX2, where nothing tells otherwise', () => {
    fc.assert(
      fc.property(runtimes, (runtime) => {
        become(runtime);
        expect(wideMissing()).toBeNull();
      }),
    );
  });

  it.each(OBSTACLES)('is not so because of one thing, which is named: %s', (names, change) => {
    fc.assert(
      fc.property(runtimes, (runtime) => {
        become(change(runtime));
        expect(wideMissing()).toMatch(names);
      }),
    );
  });

  it('asks Linux alone for the flags of the processor', () => {
    for (const platform of ['darwin', 'win32']) {
      become({ ...NODE, platform, flags: 'fpu' });
      expect(wideMissing()).toBeNull();
    }
  });

  it('is never on where the flag is missing, whatever the flags of V8 are', () => {
    for (const [names, change] of OBSTACLES.slice(0, 5)) {
      become(change(NODE));
      becomeV8(true);
      expect([String(names), isWide()]).toEqual([String(names), false]);
    }
  });

  it('is on where the flag is set and the processor can, and to ask leaves the flag as it is', () => {
    for (const on of [false, true]) {
      for (const flags of [NODE.flags, 'fpu avx']) {
        become({ ...NODE, flags });
        const v8 = becomeV8(on);
        expect([isWide(), v8.isOn]).toEqual([on && flags === NODE.flags, on]);
      }
    }
  });

  it('is on once it is turned on', () => {
    become(NODE);
    const v8 = becomeV8(false);
    turnWideOn();
    expect([v8.isOn, isWide()]).toEqual([true, true]);
  });
});
