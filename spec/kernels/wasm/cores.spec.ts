import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import timers from 'node:timers/promises';
import fc from 'fast-check';
import { createBackend, createWasmBackend } from '../../../kernels';
import { type Cores, chooseThreads } from '../../../kernels/wasm/cores';
import * as browser from '../../../kernels/wasm/cores.browser';

/** The module itself; what every spec has instead of it says that all cores are free. */
const { findCores, quotaOf, busyThreads } = jest.requireActual<typeof import('../../../kernels/wasm/cores.node')>(
  '../../../kernels/wasm/cores.node',
);

const source = readFileSync(join(__dirname, '..', '..', '..', 'kernels', 'options.ts'), 'utf8');
const [docstring, help] = [/free, at most (\d+), on wasm/, /default: the cores that are free, at most (\d+)\)/].map(
  (words) => Number(words.exec(source)?.[1]),
);

const machine = (cores: number, rest: Partial<Cores> = {}): Cores => ({
  ...{ machine: cores, allowed: cores, quota: null, busy: null },
  ...rest,
});

describe('the threads of a backend that is not told how many', () => {
  test.each([1, 2, 7, 8, 9, 64])('are the cores, %i, up to the number that is documented', (cores) => {
    expect(help).toBe(docstring);
    const threads = Math.min(cores, docstring);
    expect(chooseThreads(machine(cores))).toEqual({ threads, reason: null });
    expect(chooseThreads(machine(cores, { busy: 0 })).threads).toBe(threads);
  });

  test.each<[Cores, number, string]>([
    [machine(2, { busy: 0 }), 2, '2 of 2 cores, 0 busy: 2 threads'],
    [machine(2, { busy: 1 }), 1, '2 of 2 cores, 1 busy: 1 thread'],
    [machine(2, { busy: 9 }), 1, '2 of 2 cores, 9 busy: 1 thread'],
    [machine(1, { busy: 0 }), 1, '1 of 1 core, 0 busy: 1 thread'],
    [machine(16, { busy: 12 }), 4, '16 of 16 cores, 12 busy: 4 threads'],
    [machine(64, { allowed: 4, busy: 40 }), 4, '4 of 64 cores, 40 busy: 4 threads'],
    [machine(64, { allowed: 4, busy: 62 }), 2, '4 of 64 cores, 62 busy: 2 threads'],
    [machine(8, { quota: 2 }), 2, '8 of 8 cores, limited to the time of 2: 2 threads'],
    [machine(8, { quota: 2.999, busy: 0 }), 2, '8 of 8 cores, limited to the time of 3, 0 busy: 2 threads'],
    [machine(8, { quota: 0.5, busy: 7 }), 1, '8 of 8 cores, limited to the time of 0.5, 7 busy: 1 thread'],
  ])('%j: %i, and the reason says what was found', (cores, threads, reason) => {
    expect(chooseThreads(cores)).toEqual({ threads, reason });
  });

  test('are at least one, and neither more than the process may use nor more where more is busy', () => {
    const found = fc.record({
      cores: fc.tuple(fc.integer({ min: 1, max: 128 }), fc.integer({ min: 1, max: 128 })),
      quota: fc.option(fc.double({ min: 0.01, max: 200, noNaN: true })),
      busy: fc.tuple(fc.nat({ max: 200 }), fc.nat({ max: 200 })),
    });
    fc.assert(
      fc.property(found, ({ cores, quota, busy }) => {
        const [allowed, all] = [Math.min(...cores), Math.max(...cores)];
        const [more, fewer] = [Math.max(...busy), Math.min(...busy)].map(
          (one) => chooseThreads({ machine: all, allowed, quota, busy: one }).threads,
        );
        expect(more).toBeGreaterThanOrEqual(1);
        expect(fewer).toBeLessThanOrEqual(allowed);
        expect(more).toBeLessThanOrEqual(fewer);
      }),
    );
  });

  test('in a browser are the cores that it tells of, and one where it tells of none', async () => {
    const before = Object.getOwnPropertyDescriptor(globalThis, 'navigator');
    try {
      for (const [value, cores] of [
        [{ hardwareConcurrency: 6 }, 6],
        [{ hardwareConcurrency: 64 }, 64],
        [undefined, 1],
      ]) {
        Object.defineProperty(globalThis, 'navigator', { value, configurable: true });
        const found = await browser.findCores();
        expect(found).toEqual(machine(cores as number));
        expect(browser.chooseThreads(found)).toEqual(chooseThreads(found));
      }
    } finally {
      Object.defineProperty(globalThis, 'navigator', before ?? { value: undefined, configurable: true });
    }
  });
});

describe('the limit of a container', () => {
  const files = (found: Record<string, string>) => quotaOf((path) => found[path] ?? null);
  const own = (text: string) => ({ '/proc/self/cgroup': text });

  test.each<[string, Record<string, string>, number | null]>([
    ['there is none without groups', {}, null],
    ['version 2: its own group', { ...own('0::/a\n'), '/sys/fs/cgroup/a/cpu.max': '150000 100000\n' }, 1.5],
    [
      'version 1: a hierarchy with a number of two digits',
      {
        ...own('12:cpu,cpuacct:/a\n'),
        '/sys/fs/cgroup/cpu/a/cpu.cfs_quota_us': '250000\n',
        '/sys/fs/cgroup/cpu/a/cpu.cfs_period_us': '100000\n',
      },
      2.5,
    ],
    ['version 2: max is none', { ...own('0::/a\n'), '/sys/fs/cgroup/a/cpu.max': 'max 100000\n' }, null],
    [
      'version 2: the least of all groups above',
      {
        ...own('0::/a/b\n'),
        '/sys/fs/cgroup/a/b/cpu.max': '400000 100000\n',
        '/sys/fs/cgroup/a/cpu.max': '200000 100000\n',
        '/sys/fs/cgroup/cpu.max': '300000 100000\n',
      },
      2,
    ],
    [
      'version 2: a container sees its own as the root',
      { ...own('0::/\n'), '/sys/fs/cgroup/cpu.max': '50000 100000\n' },
      0.5,
    ],
    [
      'version 1: among other controllers',
      {
        ...own('3:memory:/m\n2:cpu,cpuacct:/a\n0::/\n'),
        '/sys/fs/cgroup/cpu/a/cpu.cfs_quota_us': '250000\n',
        '/sys/fs/cgroup/cpu/a/cpu.cfs_period_us': '100000\n',
      },
      2.5,
    ],
    [
      'version 1: −1 is none',
      {
        ...own('2:cpu:/\n'),
        '/sys/fs/cgroup/cpu/cpu.cfs_quota_us': '-1\n',
        '/sys/fs/cgroup/cpu/cpu.cfs_period_us': '100000\n',
      },
      null,
    ],
    [
      'version 1: another controller has none',
      {
        ...own('2:cpuset:/\n'),
        '/sys/fs/cgroup/cpu/cpu.cfs_quota_us': '100000\n',
        '/sys/fs/cgroup/cpu/cpu.cfs_period_us': '100000\n',
      },
      null,
    ],
    [
      'a line that is not all a group is none',
      { ...own('x0::/\n0::/\r'), '/sys/fs/cgroup/cpu.max': '50000 100000' },
      null,
    ],
    ['what is no number is none', { ...own('0::/\nx\n'), '/sys/fs/cgroup/cpu.max': 'a b\n' }, null],
    ['a period of zero is none', { ...own('0::/\n'), '/sys/fs/cgroup/cpu.max': '100000 0\n' }, null],
  ])('%s', (_, found, quota) => {
    expect(files(found)).toBe(quota);
  });
});

describe('what is busy', () => {
  /** Looks of a system that counts so many running threads, one look after the other. */
  const looks = (running: readonly number[], states: Record<string, string> = { 1: '1 (node) R 0 1' }) => {
    let look = 0;
    const read = (path: string) => {
      if (path === '/proc/loadavg') return `0.10 0.20 0.30 ${running[look++]}/204 16664\n`;
      return states[/^\/proc\/self\/task\/(\d+)\/stat$/.exec(path)?.[1] ?? ''] ?? null;
    };
    return busyThreads(read, () => Object.keys(states));
  };

  test.each<[string, readonly number[], number]>([
    ['nothing beside this thread', [1, 1, 1, 1, 1], 0],
    ['two beside it', [3, 3, 3, 3, 3], 2],
    ['what runs for a moment is not', [1, 9, 1, 9, 1], 0],
    ['what rests for a moment is', [3, 1, 3, 1, 3], 2],
    ['as many as have a number of two digits', [12, 12, 12, 12, 12], 11],
    ['less than this thread is nothing', [0, 0, 0, 0, 0], 0],
  ])('%s', async (_, running, busy) => {
    expect(await looks(running)).toBe(busy);
  });

  test('is looked at five times, at once and then each time after a pause', async () => {
    const steps: string[] = [];
    const pause = jest.spyOn(timers, 'setTimeout').mockImplementation(async () => void steps.push('pause'));
    const read = (path: string) => {
      if (path === '/proc/loadavg') steps.push('look');
      return '0.10 0.20 0.30 1/204 16664';
    };
    await busyThreads(read, () => []);
    pause.mockRestore();
    expect(steps.join(', ')).toBe('look, pause, look, pause, look, pause, look, pause, look');
  });

  test('is what other processes run: this one may have several threads that run', async () => {
    const states = { 1: '1 (node) R 0 1', 2: '2 (a) S) R 0 1', 3: '3 (a) R b) S 0 1', 4: '4 (node) S 0 1' };
    expect(await looks([5, 5, 5, 5, 5], states)).toBe(3);
    expect(await looks([5, 5, 5, 5, 5], {})).toBe(4);
  });

  test.each([
    ['there is no such file', null],
    ['the system counts no threads at all', '0.00 0.00 0.00 0/0 0\n'],
    ['it says something else', 'x'],
  ])('is not known where %s', async (_, text) => {
    expect(await busyThreads(() => text)).toBeNull();
  });

  const counts = / \d+\/[1-9]/.test(process.platform === 'linux' ? readFileSync('/proc/loadavg', 'utf8') : '');
  (counts ? test : test.skip)('counts a process that computes, whatever else runs', async () => {
    const child = spawn(process.execPath, ['-e', 'console.log(1); for (;;);'], { stdio: ['ignore', 'pipe', 'ignore'] });
    try {
      await once(child.stdout, 'data');
      expect(await busyThreads()).toBeGreaterThanOrEqual(1);
      const found = await findCores();
      expect(found.busy).toBeGreaterThanOrEqual(1);
    } finally {
      child.kill('SIGKILL');
    }
  });

  test('and the cores of this machine are numbers that go together', async () => {
    const { machine: all, allowed, quota, busy } = await findCores();
    expect(allowed).toBeGreaterThanOrEqual(1);
    expect(all).toBeGreaterThanOrEqual(allowed);
    expect(quota === null || quota > 0).toBe(true);
    expect(busy === null || busy >= 0).toBe(true);
  });
});

describe('a backend', () => {
  const stub = jest.requireMock<{ findCores(): Promise<Cores> }>('../../../kernels/wasm/cores.node');
  const finding = (cores: Cores) => jest.spyOn(stub, 'findCores').mockResolvedValue(cores);
  afterEach(() => jest.restoreAllMocks());

  test('that is not told how many threads has the free ones, and its facts say why', async () => {
    finding(machine(4, { busy: 2 }));
    const found = await createWasmBackend();
    expect(found.facts).toMatchObject({ threads: 2, reason: '4 of 4 cores, 2 busy: 2 threads' });
    await found.dispose();
    const auto = await createBackend('auto');
    expect(auto.facts.threads).toBe(2);
    expect(auto.facts.reason).toMatch(/: the fastest there is; 4 of 4 cores, 2 busy: 2 threads$/);
    await auto.dispose();
  });

  test('has as many as it is told, on a machine that is as busy as can be, and does not ask', async () => {
    const asked = finding(machine(2, { busy: 20 }));
    const backend = await createWasmBackend({ threads: 3 });
    expect([backend.facts.threads, backend.facts.reason]).toEqual([3, undefined]);
    expect(asked).not.toHaveBeenCalled();
    await backend.dispose();
  });

  test('says nothing of threads where nothing but the cores is known', async () => {
    finding(machine(2));
    const backend = await createWasmBackend();
    expect(backend.facts.threads).toBe(2);
    expect(Object.keys(backend.facts)).not.toContain('reason');
    await backend.dispose();
  });
});
