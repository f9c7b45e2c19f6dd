/**
 * Fills the parts of docs/*.md that come from elsewhere, and writes the plots of docs/pictures:
 *
 *     ts-node scripts/docs/fill.ts [--check]
 *
 * A page marks such a part by a comment before it:
 *
 *     <!-- code FILE: FIRST LINE -->   the function of FILE that begins with FIRST LINE, in a fenced block
 *     <!-- output NAME -->             what scripts/docs/outputs.ts computes, up to <!-- end -->
 *
 * With `--check` nothing is written; a part that is not what its source gives is named, and the exit code is 1.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { excerptOf } from '../../explorer/build/excerpts.mjs';

const ROOT = join(__dirname, '../..');
const CODE = /(<!-- code (\S+): (.+?) -->\n)(?:`[^`\n]+`:\n\n)?```ts\n(?:[\s\S]*?\n)??(```\n)/g;
const OUTPUT = /(<!-- output (\S+) -->\n)[\s\S]*?(<!-- end -->)/g;

/** A page with its parts filled anew. `outputNamed` gives the text of an output. */
export function filled(page: string, outputNamed: (name: string) => string): string {
  return page
    .replace(CODE, (...found: string[]) => {
      const [, before, file, from, after] = found;
      const { text } = excerptOf(readFileSync(join(ROOT, file), 'utf8'), from, file);
      return `${before}\`${file}\`:\n\n\`\`\`ts\n${text}\n${after}`;
    })
    .replace(OUTPUT, (_, before: string, name: string, after: string) => `${before}\n${outputNamed(name)}\n\n${after}`);
}

/** Every file that this script fills or writes, as it should be. */
export async function files(): Promise<Map<string, string>> {
  const { outputs, pictures } = await import('./outputs'); // it loads the models: only where they are asked for
  const computed = await outputs();
  const outputNamed = (name: string) => {
    const text = computed.get(name);
    if (text === undefined) throw new Error(`output ${name}: expected one of ${[...computed.keys()].join(', ')}`);
    return text;
  };
  const wanted = new Map<string, string>();
  for (const name of readdirSync(join(ROOT, 'docs')).filter((one) => one.endsWith('.md'))) {
    const path = `docs/${name}`;
    const page = readFileSync(join(ROOT, path), 'utf8');
    if (page.includes('<!-- code ') || page.includes('<!-- output ')) wanted.set(path, filled(page, outputNamed));
  }
  for (const [name, svg] of pictures()) wanted.set(`docs/pictures/${name}.svg`, svg);
  return wanted;
}

/** Names of the files that are not as they should be. */
export async function stale(): Promise<string[]> {
  const wanted = await files();
  return [...wanted].filter(([path, text]) => readOrNothing(path) !== text).map(([path]) => path);
}

function readOrNothing(path: string): string | null {
  try {
    return readFileSync(join(ROOT, path), 'utf8');
  } catch {
    return null;
  }
}

async function main(): Promise<void> {
  if (process.argv.includes('--check')) {
    const wrong = await stale();
    for (const path of wrong) console.error(`${path}: expected what its sources give; npm run docs:fill writes it`);
    process.exitCode = wrong.length > 0 ? 1 : 0;
    return;
  }
  for (const [path, text] of await files()) writeFileSync(join(ROOT, path), text);
}

if (require.main === module) void main();
