import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { MOST_TABLE_BYTES } from '../../../api/drafts/table-text';
import { readTable as fetchTable } from '../../../api/drafts/tables.browser';
import { readTable } from '../../../api/drafts/tables.node';
import { NgramTable } from '../../../decoding';
import { loopback, sendForever } from '../../support/loopback';

describe('an n-gram table', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'tandem-tables-'));
  afterAll(() => rmSync(folder, { recursive: true }));
  const refusal = (name: string) => expect(readTable(path.join(folder, name))).rejects;

  it('is read from a file', async () => {
    const table = new NgramTable(2, 9);
    table.learn([3, 4, 1]);
    writeFileSync(path.join(folder, 'table.json'), JSON.stringify(table));
    expect(JSON.stringify(await readTable(path.join(folder, 'table.json')))).toBe(JSON.stringify(table));
  });

  // Opening a FIFO waits for its writer, and there is none.
  it('is none in a FIFO, a directory or a device, and where there is nothing', async () => {
    execFileSync('mkfifo', [path.join(folder, 'fifo')]);
    await refusal('fifo').toThrow(/found a named pipe$/);
    await refusal('.').toThrow(/found a directory$/);
    await refusal('../../dev/zero').toMatchObject({ code: 'option-invalid' });
    await refusal('none').toThrow(/found ENOENT/);
  });

  it.each([
    ['deep.json', `{"a":${'['.repeat(1_000_000)}`, /expected JSON of an n-gram table/],
    [
      'contexts.json',
      '{"format":"tandem-ngram","version":1,"order":2,"vocabularySize":9,"contexts":[1]}',
      /expected contexts, found \[1\]/,
    ],
    [
      'keys.json',
      '{"format":"tandem-ngram","version":1,"order":2,"vocabularySize":9,"contexts":{"\\u001b[31m":[1,1]}}',
      /token ids with commas between, found "\\u001b\[31m"/,
    ],
  ])('with what is none is refused: %s', async (name, content, message) => {
    writeFileSync(path.join(folder, name), content);
    await refusal(name).toThrow(message);
  });

  it('of more bytes than any table has is refused before it is read', async () => {
    writeFileSync(path.join(folder, 'long.json'), '');
    truncateSync(path.join(folder, 'long.json'), MOST_TABLE_BYTES + 1); // no byte of it is on the disk
    await refusal('long.json').toThrow(`found ${MOST_TABLE_BYTES + 1} bytes, more than ${MOST_TABLE_BYTES}`);
  });

  describe('of a page', () => {
    const answered = async (answer: Parameters<typeof loopback>[0], use: (address: string) => Promise<void>) => {
      const server = await loopback(answer);
      await use(`${server.origin}/table.json`).finally(server.dispose);
    };

    it('is read from an address', async () => {
      const table = new NgramTable(2, 9);
      table.learn([3, 4, 1]);
      const send: Parameters<typeof loopback>[0] = (_request, response) => void response.end(JSON.stringify(table));
      await answered(send, async (address) => {
        expect(JSON.stringify(await fetchTable(address))).toBe(JSON.stringify(table));
      });
    });

    it('is read no further than its limit where the answer has no end', async () => {
      let sent = 0;
      const chunk = Buffer.alloc(1 << 20, '[1],');
      const send: Parameters<typeof loopback>[0] = (request, response) =>
        sendForever(request, response, chunk, (bytes) => {
          sent += bytes;
        });
      await answered(send, async (address) => {
        await expect(fetchTable(address)).rejects.toThrow(`expected at most ${MOST_TABLE_BYTES} bytes, found more`);
      });
      expect(sent).toBeLessThan(MOST_TABLE_BYTES + (64 << 20)); // and what the buffers of two sockets hold
    });

    it.each<[string, number, string, RegExp]>([
      ['no file', 404, '', /found HTTP 404/],
      ['nesting without end', 200, `{"a":${'['.repeat(1_000_000)}`, /expected JSON of an n-gram table/],
    ])('is none in %s', async (_, status, body, message) => {
      const send: Parameters<typeof loopback>[0] = (_request, response) => void response.writeHead(status).end(body);
      await answered(send, async (address) => {
        await expect(fetchTable(address)).rejects.toThrow(message);
        await expect(fetchTable(address)).rejects.toMatchObject({ code: 'option-invalid' });
      });
    });

    it('is none where nobody answers', async () => {
      await expect(fetchTable('http://127.0.0.1:1/')).rejects.toThrow(/expected an n-gram table at .*, found /);
    });
  });
});
