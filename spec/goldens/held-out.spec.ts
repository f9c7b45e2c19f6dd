import { readFileSync } from 'node:fs';
import path from 'node:path';
import { openCheckpoint } from '../../weights';

interface Passage {
  readonly ref: string;
  readonly source: string;
  readonly reference: string;
}

const ROOT = path.join(__dirname, '..', '..');
const passages: Passage[] = JSON.parse(readFileSync(path.join(ROOT, 'models', 'held-out.json'), 'utf8'));

test('200 different passages, all of books that the bundled pair never saw', () => {
  expect(passages).toHaveLength(200);
  expect(new Set(passages.map(({ ref }) => ref)).size).toBe(200);
  expect(new Set(passages.map(({ source }) => source)).size).toBe(200);
  const books = new Set(passages.map(({ ref }) => ref.slice(0, ref.lastIndexOf(' '))));
  expect([...books].sort()).toEqual(['Ecclesiastes', 'Galatians', 'James', 'Jonah', 'Ruth']);
});

test('every passage with its prefix has fewer than 100 ids', async () => {
  const checkpoint = await openCheckpoint(path.join(ROOT, 'models', 'modernize-target'));
  const tokenizer = await checkpoint.tokenizer();
  await checkpoint.dispose();
  for (const { ref, source } of passages) {
    const fits = tokenizer.encode(`modernize: ${source}`).length < 100;
    expect({ ref, fits }).toEqual({ ref, fits: true });
  }
});
