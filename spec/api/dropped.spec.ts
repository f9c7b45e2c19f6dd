import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

const root = join(__dirname, '../..');

/** Steps of a program: streams that are begun, and the garbage collector until `enough` or for ten seconds. */
const PROGRAM = `
const { tableTandem } = require('./spec/support/table-tandem');
const LONG = { gamma: 1, minNewTokens: 7, maxNewTokens: 8 };

async function collectUntil(enough) {
  const end = Date.now() + 10_000;
  do {
    gc();
    await new Promise((resolve) => setTimeout(resolve, 5));
  } while (!enough() && Date.now() < end);
}

async function dropped() {
  const toy = tableTandem({ seed: 5 });
  const begin = async () => {
    await toy.tandem.stream('abc', LONG).next();
    await toy.tandem.stream('fed', LONG).text.next();
  };
  for (let i = 0; i < 10; i++) await begin();
  const begun = toy.open();
  await collectUntil(() => toy.open() === 0);
  return { begun, left: toy.open() };
}

async function held() {
  const toy = tableTandem({ seed: 5 });
  const stream = toy.tandem.stream('abc', LONG);
  await stream.next();
  let rounds = 0;
  await collectUntil(() => ++rounds === 20);
  const kept = toy.open();
  const { ids } = await stream.result;
  return { kept, ids: ids.length, left: toy.open() };
}

(async () => console.log(JSON.stringify({ dropped: await dropped(), held: await held() })))();
`;

/**
 * In a process of its own, where nothing but the program holds a stream: the heap of a worker that has run other specs, and
 * its sandbox, decide there when the garbage collector's callbacks run.
 */
test('a stream that is only dropped gives back when the garbage collector finds it, and one that is held keeps what it holds', () => {
  const args = ['--expose-gc', '-r', 'ts-node/register/transpile-only', '-e', PROGRAM];
  const { stdout, stderr, status } = spawnSync(process.execPath, args, {
    cwd: root,
    encoding: 'utf8',
    timeout: 60_000,
  });
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  const { dropped, held } = JSON.parse(stdout);
  expect(dropped.begun).toBeGreaterThanOrEqual(20);
  expect(dropped.left).toBe(0);
  expect(held.kept).toBeGreaterThan(0);
  expect(held.ids).toBeGreaterThan(0);
  expect(held.left).toBe(0);
});
