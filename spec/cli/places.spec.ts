import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readTable } from '../../api/drafts/tables.node';
import { checkReadable, checkWritable } from '../../cli/files';
import { checkModelName } from '../../cli/models';
import { fromPretrained, openCheckpoint } from '../../weights';
import { fileSource } from '../../weights/source.node';
import { BUNDLED } from './command';
import { inside } from './inside';

const folder = mkdtempSync(join(tmpdir(), 'tandem-places-'));
const server = createServer();
const PLACES = {
  'a file': join(folder, 'file'),
  'a directory': join(folder, 'directory'),
  'a named pipe': join(folder, 'pipe'),
  'a socket': join(folder, 'socket'),
  'a device': '/dev/null',
};
type Kind = keyof typeof PLACES;

beforeAll(async () => {
  writeFileSync(PLACES['a file'], '');
  mkdirSync(PLACES['a directory']);
  writeFileSync(join(PLACES['a directory'], 'notes'), '');
  execFileSync('mkfifo', [PLACES['a named pipe']]);
  await new Promise<void>((listening) => server.listen(PLACES['a socket'], listening));
});
afterAll(async () => {
  await new Promise((closed) => server.close(closed));
  rmSync(folder, { recursive: true });
});

const command = async (...args: string[]) => {
  const { status, stderr } = await inside(args);
  if (status !== 0) throw new Error(stderr.trimEnd());
};
const quantized = (path: string) => command('quantize', BUNDLED.draft, '--dtype', 'q8', '--out', path);

/** What is taken; with a pattern it is refused for what it holds. */
type Taken = Readonly<Partial<Record<Kind, RegExp | 'taken'>>>;
const TAKEN: Taken = { 'a directory': /config\.json/ };

/** What takes a path, what it takes, and what it expected in an error. */
const TAKERS: Readonly<Record<string, [take: (path: string) => unknown, taken: Taken, expected: string]>> = {
  'generate --model': [(path) => command('generate', 'x', '--model', path), TAKEN, 'a checkpoint directory'],
  'explore --model': [(path) => command('explore', '--model', path), TAKEN, 'a directory'],
  'quantize --out': [quantized, { 'a directory': /one that holds files/ }, 'a directory to write'],
  checkModelName: [
    async (path) => checkModelName(path, '--draft'),
    { 'a directory': 'taken' },
    'a checkpoint directory',
  ],
  openCheckpoint: [openCheckpoint, TAKEN, 'a checkpoint directory'],
  fromPretrained: [fromPretrained, TAKEN, 'a checkpoint directory or a hub id (org/name)'],
  checkReadable: [checkReadable, { 'a file': 'taken' }, 'a file that can be read'],
  checkWritable: [checkWritable, { 'a file': 'taken', 'a device': 'taken' }, 'a file that can be written'],
  'an n-gram table': [readTable, { 'a file': /expected JSON of an n-gram table/ }, 'an n-gram table'],
  'a file of weights': [async (path) => (await fileSource(path)).dispose(), { 'a file': 'taken' }, 'a file'],
};

describe.each(Object.entries(TAKERS))('%s', (_, [take, taken, expected]) => {
  it.each(Object.entries(PLACES))('takes %s, or says that this is what it found', async (kind, path) => {
    const result = (async () => take(path))();
    const outcome = taken[kind as Kind];
    if (outcome === 'taken') await result;
    else if (outcome !== undefined) await expect(result).rejects.toThrow(outcome);
    else {
      const message = await result.then(String, (refused: Error) => refused.message);
      expect(message).toContain(`expected ${expected}`);
      expect(message).toMatch(new RegExp(`found ${kind}( \\(its text can come on standard input\\))?$`));
    }
  });
});
