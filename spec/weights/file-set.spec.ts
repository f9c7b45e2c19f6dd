import { File as NodeFile } from 'node:buffer';
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import { type FileContent, fileSet, type ModelFiles, openFileSet } from '../../weights';

const GOLDEN = path.join(__dirname, '..', 'data', 'goldens', 't5-sharded');
const contents = new Map(
  readdirSync(GOLDEN).map((file) => [file, new Uint8Array(readFileSync(path.join(GOLDEN, file)))]),
);

/** A `File` as a page has it; `directory` is the one that the user chose, '' when files were chosen one by one. */
function pageFile(name: string, bytes: Uint8Array, directory = ''): File {
  const file = new NodeFile([new Uint8Array(bytes)], name.split('/').at(-1) as string);
  return Object.assign(file, { webkitRelativePath: directory && `${directory}/${name}` }) as unknown as File;
}

const digest = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

async function bytesOf(set: ReturnType<typeof fileSet>, file: string): Promise<Uint8Array> {
  const source = await set.open(file);
  return source.read(0, source.size);
}

describe('a set of files', () => {
  const named = (make: (bytes: Uint8Array) => FileContent) =>
    Object.fromEntries([...contents].map(([file, bytes]) => [file, make(bytes)]));
  it.each<[string, () => ModelFiles, string]>([
    ['Files chosen one by one', () => [...contents].map(([file, bytes]) => pageFile(file, bytes)), 'files'],
    ['Files of a directory', () => [...contents].map(([file, bytes]) => pageFile(file, bytes, 'tiny')), 'tiny'],
    ['Files of a directory in a directory', () => [...contents].map(([f, bytes]) => pageFile(f, bytes, 'a/b')), 'b'],
    ['any other iterable of Files', () => new Set([...contents].map(([f, bytes]) => pageFile(f, bytes))), 'files'],
    ['Blobs by name', () => named((bytes) => new Blob([new Uint8Array(bytes)])), 'files'],
    ['bytes by name', () => named((bytes) => bytes), 'files'],
    ['buffers by name', () => named((bytes) => new Uint8Array(bytes).buffer), 'files'],
    ['a Map of bytes', () => contents, 'files'],
  ])('of %s opens as a checkpoint, with the bytes that went in', async (_, files, name) => {
    const set = fileSet(files());
    expect([set.name, [...set.files].sort()]).toEqual([name, [...contents.keys()].sort()]);
    for (const [file, bytes] of contents) expect(digest(await bytesOf(set, file))).toBe(digest(bytes));
    await using checkpoint = await openFileSet(files());
    await using expected = await openFileSet(contents);
    expect(checkpoint.config).toEqual(expected.config);
    for (const tensor of expected.tensors.keys()) {
      expect(digest(await checkpoint.read(tensor))).toBe(digest(await expected.read(tensor)));
    }
  });

  it('takes the directory that holds config.json nearest to the top for the model, and keeps directories below it', () => {
    const directory = fc.array(fc.constantFrom('a', 'b', 'config'), { maxLength: 3 }).map((parts) => parts.join('/'));
    const below = ['config.json', 'model.safetensors', '1_Pooling/config.json', '2_Dense/model.safetensors'];
    fc.assert(
      fc.property(directory, directory, (root, other) => {
        const at = (folder: string, file: string) => (folder === '' ? file : `${folder}/${file}`);
        const files: Record<string, Uint8Array> = { [at(other, 'README.md')]: new Uint8Array(1) };
        for (const file of below) files[at(root, file)] = new Uint8Array(1);
        const found = fileSet(files).files.filter((file) => !file.endsWith('README.md'));
        expect([...found].sort()).toEqual([...below].sort());
      }),
    );
  });

  it('reads no more of a Blob than it is asked for', async () => {
    const asked: number[] = [];
    const blobs = Object.fromEntries(
      [...contents].map(([file, bytes]) => {
        const blob = new Blob([new Uint8Array(bytes)]);
        const slice = blob.slice.bind(blob);
        blob.slice = (from = 0, to = 0) => {
          if (file.endsWith('.safetensors')) asked.push(to - from);
          return slice(from, to);
        };
        return [file, blob];
      }),
    );
    await using checkpoint = await openFileSet(blobs);
    const shards = [...contents].filter(([file]) => file.endsWith('.safetensors'));
    const header = (bytes: Uint8Array) => Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true));
    expect(asked.sort()).toEqual(shards.flatMap(([, bytes]) => [8, header(bytes)]).sort());
    asked.length = 0;
    await checkpoint.read('decoder.final_layer_norm.weight', 4, 8);
    expect(asked).toEqual([8]);
  });

  const bytes = new Uint8Array(2);
  it.each<[string, unknown, RegExp]>([
    ['text', 'model', /expected Files, or Blobs or bytes by name, found 'model'/],
    ['nothing', null, /found null/],
    ['no Files', [new Blob([])], /expected Files, or Blobs or bytes by name, found an object \(Blob\)/],
    ['text for content', { 'config.json': '{}' }, /expected 'config.json' to be a File, a Blob or bytes, found '{}'/],
    ['two of one name', [pageFile('a', bytes), pageFile('a', bytes)], /expected each file once, found 'a' twice/],
    [
      'two models',
      { 'x/config.json': bytes, 'y/config.json': bytes },
      /expected one model, with one config.json, found 'x\/config.json' and 'y\/config.json'/,
    ],
  ])('is refused when it is of %s', async (_, files, message) => {
    expect(() => fileSet(files as ModelFiles)).toThrow(message);
    await expect(openFileSet(files as ModelFiles)).rejects.toMatchObject({ code: 'argument-invalid' });
  });

  it('names a file that is not there, and escapes control characters of names in messages', async () => {
    const set = fileSet({ 'a/config.json': bytes });
    await expect(set.open('b')).rejects.toThrow(/^a: expected 'b', found none$/);
    expect(() => fileSet({ '\u001b[31m': 1 as never })).toThrow(/'\\x1b\[31m'/);
  });
});
