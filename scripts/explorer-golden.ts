/**
 * Makes the golden trace that specs compare with Node's trace and with the one that the explorer saves, field by field.
 *
 *   npx ts-node scripts/explorer-golden.ts
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { comparable, GOLDEN, GOLDEN_TEXT, GOLDEN_TOKENS, traceInNode } from '../spec/explorer/golden';
import { endNode } from '../spec/explorer/site';

async function main(): Promise<void> {
  const trace = comparable(await traceInNode(GOLDEN_TEXT, GOLDEN_TOKENS));
  mkdirSync(dirname(GOLDEN), { recursive: true });
  writeFileSync(GOLDEN, `${JSON.stringify(trace)}\n`);
  await endNode();
}

main().catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
