import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import type { T5Config } from '../weights';
import { loadTokenizer } from '../weights/tokenizer/index';

/**
 * Compares Tandem's tokenizers with what Hugging Face's library gave for the same texts, and prints how many differ and the first
 * of them.
 *
 *     python scripts/goldens/tokenizer_texts.py --count 50000 DIR
 *     ts-node scripts/compare-tokenizers.ts DIR
 */
export interface Golden {
  readonly files?: Readonly<Record<string, string>>;
  readonly patch?: Readonly<Record<string, unknown>>;
  readonly cases: readonly { text: string; ids: number[]; said: number[] | null; shown: string; kept: string }[];
}

/** How many differences of a tokenizer are shown. */
const SHOWN = 6;

/** Files of a golden's tokenizer. A patch holds what differs from T5's own tokenizer.json. */
export function filesOf({ files, patch }: Omit<Golden, 'cases'>, t5: string): Readonly<Record<string, string>> {
  if (files) return files;
  const original = JSON.parse(t5);
  const made = {
    ...original,
    ...patch,
    added_tokens: [...original.added_tokens, ...((patch?.added_tokens ?? []) as [])],
  };
  const steps = made.normalizer?.normalizers;
  if (steps)
    made.normalizer.normalizers = steps.map((step: unknown) => (step === 'charsmap' ? original.normalizer : step));
  return { 'tokenizer.json': JSON.stringify(made) };
}

/** A text that ends in `</s>` has one EOS here; the library adds a second one. */
export function closedOnce(ids: readonly number[]): readonly number[] {
  const [last, before] = [ids[ids.length - 1], ids[ids.length - 2]];
  return last === 1 && before === 1 ? ids.slice(0, -1) : ids;
}

async function compare(folder: string, name: string, t5: string): Promise<void> {
  const { cases, ...source } = JSON.parse(gunzipSync(readFileSync(join(folder, name))).toString()) as Golden;
  const files = filesOf(source, t5);
  const read = async (file: string) => (files[file] === undefined ? null : new TextEncoder().encode(files[file]));
  const config = { vocabularySize: 40_000, eosTokens: [1] } as unknown as T5Config;
  const tokenizer = await loadTokenizer({ read }, config, name);
  const counts = { 'one EOS': 0, ids: 0, text: 0 };
  const lines: string[] = [];
  const note = (what: 'ids' | 'text', of: unknown, found: unknown, there: unknown) => {
    if (counts[what]++ < SHOWN)
      lines.push(`  ${what} ${JSON.stringify(of)}: ${JSON.stringify(found)}, there ${JSON.stringify(there)}`);
  };
  for (const { text, ids, said, shown, kept } of cases) {
    const encoded = tokenizer.encode(text);
    if (String(encoded) !== String(closedOnce(ids))) note('ids', text, encoded, ids);
    else if (encoded.length !== ids.length) counts['one EOS']++;
    const spoken = said ?? ids;
    const found = [tokenizer.decode(spoken), tokenizer.decode(spoken, { skipSpecialTokens: false })];
    if (found[0] !== shown || found[1] !== kept) note('text', spoken, found, [shown, kept]);
  }
  console.log(`${name}: ${cases.length} texts; differ by ${JSON.stringify(counts)}`);
  for (const line of lines) console.log(line);
}

async function main(folder: string): Promise<void> {
  const t5 = gunzipSync(readFileSync(join(__dirname, '../spec/data/tokenizer/t5.tokenizer.json.gz'))).toString();
  for (const name of readdirSync(folder).filter((file) => file.endsWith('.json.gz'))) await compare(folder, name, t5);
}

if (require.main === module) main(process.argv[2] ?? join(__dirname, '../spec/data/tokenizer/library'));
