import type { Peer } from '../../../bench/peers/peers';
import { Worker } from '../../../bench/peers/worker';

const setting = { folder: '/nowhere', shape: 'none', threads: 1 };

/** A peer whose process answers each request with what `body` makes of it. */
function fake(body: string): Peer {
  const program = `
    require('node:readline').createInterface({ input: process.stdin }).on('line', (line) => {
      const request = JSON.parse(line);
      ${body}
    });
    function say(answer) { console.log(JSON.stringify(answer)); }`;
  return { name: 'fake', types: ['f32'], command: () => [process.execPath, '-e', program] };
}

const COUNTS = `if (request.do === 'load') say({ ok: true, version: request.type + request.threads });
  else say({ ok: true, ids: Array.from({ length: request.tokens }, (_, i) => request.source[0] + i) });`;

test('a worker loads, then decodes as many tokens as it is asked for, again after each rest', async () => {
  const worker = await Worker.start(fake(COUNTS), 'f32', setting);
  expect(worker.version).toBe('f321');
  for (let turn = 0; turn < 3; turn++) {
    worker.rest();
    expect(await worker.run([5 + turn], 3)).toEqual([5 + turn, 6 + turn, 7 + turn]);
  }
  worker.end();
});

test('a worker that answers with another number of tokens is refused', async () => {
  const short = COUNTS.replace('length: request.tokens', 'length: request.tokens - 1');
  const worker = await Worker.start(fake(short), 'f32', setting);
  await expect(worker.run([5], 3)).rejects.toThrow('expected 3 tokens, found 2');
  worker.end();
});

test.each([
  ['says why it cannot load', `say({ ok: false, error: 'no such file' });`, 'no such file'],
  ['dies', `console.error('out of luck'); process.exit(3);`, 'out of luck'],
  ['does not speak the protocol', `console.log('hello');`, 'expected a line of JSON'],
])('a peer that %s is reported by its reason', async (_, body, reason) => {
  await expect(Worker.start(fake(body), 'f32', setting)).rejects.toThrow(reason);
});

test('a peer whose program is not installed is reported with what to run', async () => {
  const missing: Peer = { name: 'missing', types: ['f32'], command: () => ['/nowhere/python'] };
  await expect(Worker.start(missing, 'f32', setting)).rejects.toThrow('run bench/peers/setup.sh');
});
