import { once } from 'node:events';
import { rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { BUNDLED, buildCommand, removeCommand, startTandem, tandem } from '../command';
import { get, put, recordsIn, scratch } from './stub';

const folder = scratch();
const input = join(folder, 'in.jsonl');
const out = join(folder, 'out.jsonl');
const FLAGS = ['--model', BUNDLED.draft, '--threads', '1', '--temperature', '1', '--max-new-tokens', '12'];
const RUN = ['batch', input, '--out', out, ...FLAGS];
const WORDS = 'thou art the man and he said unto them behold a great stone was rolled away'.split(' ');

/** What an uninterrupted run writes. */
let whole = '';

beforeAll(() => {
  buildCommand();
  const lines = Array.from({ length: 120 }, (_, i) => {
    if (i % 20 === 7) return 'no JSON';
    const text = Array.from({ length: 3 + (i % 5) }, (_, j) => WORDS[(i * 7 + j * 3) % WORDS.length]).join(' ');
    return JSON.stringify(i % 3 === 0 ? { id: `line ${i}`, input: text } : text);
  });
  put(input, lines.join('\n'));
  expect(tandem([...RUN, '--quiet', '--exit-zero'])).toEqual({ status: 0, stdout: '', stderr: '' });
  whole = get(out);
  expect(recordsIn(whole)).toHaveLength(120);
});
afterAll(removeCommand);

const sizeOf = () => statSync(out, { throwIfNoEntry: false })?.size ?? 0;

/** Runs the command until its file has so many bytes, and ends it with a signal. Gives the exit code, or the signal. */
async function endedAt(bytes: number, signal: NodeJS.Signals): Promise<number | NodeJS.Signals> {
  const child = startTandem(RUN);
  child.stdin.end();
  const closed = once(child, 'close');
  const watch = setInterval(() => {
    if (sizeOf() < bytes) return;
    clearInterval(watch);
    child.kill(signal);
  }, 2);
  const [status, end] = await closed;
  clearInterval(watch);
  return status ?? end;
}

describe('tandem batch', () => {
  it('killed again and again at random moments, in the end has the bytes of a run that was not', async () => {
    const shares = fc.array(fc.noBias(fc.nat(999)), { minLength: 4, maxLength: 4 });
    const law = fc.asyncProperty(shares, async (moments) => {
      rmSync(out, { force: true });
      const ends: unknown[] = [];
      let size = 0;
      for (const moment of moments.sort((a, b) => a - b)) {
        ends.push(await endedAt(Math.floor((moment / 1000) * whole.length), 'SIGKILL'));
        if (sizeOf() > 0) expect(whole.startsWith(get(out))).toBe(true);
        expect(sizeOf()).toBeGreaterThanOrEqual(size);
        size = sizeOf();
      }
      expect(ends).toContain('SIGKILL');
      tandem([...RUN, '--quiet']);
      expect(get(out)).toBe(whole);
    });
    await fc.assert(law, { numRuns: 1, endOnFailure: true });
    put(out, whole.slice(0, -9)); // the last record is torn
    tandem([...RUN, '--quiet']);
    expect(get(out)).toBe(whole);
  });

  it.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)('ends with whole records at %s, with code %i, and goes on from them', async (signal, code) => {
    rmSync(out, { force: true });
    expect(await endedAt(1, signal)).toBe(code);
    const found = get(out);
    expect(whole.startsWith(found)).toBe(true);
    expect(found.endsWith('\n')).toBe(true);
    const rest = tandem(RUN);
    expect(rest.stderr).toMatch(/^tandem: .*out.jsonl: going on after line \d+\ntandem: \d+ lines, [\d.]+ a second/);
    expect(get(out)).toBe(whole);
    expect(tandem(RUN)).toMatchObject({ status: 0, stdout: '', stderr: expect.stringContaining('tandem: 0 lines') });
    expect(get(out)).toBe(whole);
  });

  it('answers a program that sends the next line after the answer to the last one', async () => {
    const child = startTandem(['batch', ...FLAGS, '--quiet']);
    const closed = once(child, 'close');
    for (let i = 1; i <= 3; i++) {
      child.stdin.write('"Jesus wept."\n');
      const [answer] = await once(child.stdout, 'data');
      expect(JSON.parse(String(answer))).toMatchObject({ line: i, stopReason: expect.any(String) });
    }
    child.stdin.end();
    expect(await closed).toEqual([0, null]);
  });
});
