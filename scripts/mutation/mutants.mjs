/**
 * The mutants of sources, each with a key and with the reason for which it is left out, if there is one; and how to draw some of them.
 *
 *     node scripts/mutation/mutants.mjs FILE...   prints them as JSON
 */
import { readFileSync } from 'node:fs';
import { relative } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Instrumenter } from '@stryker-mutator/instrumenter';
import { isWording } from './wording.mjs';

const SILENT = { debug() {}, info() {}, isDebugEnabled: () => false };

/** Mutants that change nothing that a program could notice: file, text of the line, what it changes, and why nobody can notice. */
const EQUIVALENT = JSON.parse(readFileSync(new URL('equivalent.json', import.meta.url), 'utf8'));

const placeOf = ({ start, end }) => [start.line, start.column, end.line, end.column];
const oneLine = (text) => text.replace(/\s+/g, ' ').trim();
const pathOf = (fileName) => relative(process.cwd(), fileName).replaceAll('\\', '/');

/** One name for a mutant in every process: file, place (lines from 0), kind and new text. */
export function keyOf({ fileName, location, mutatorName, replacement }) {
  return JSON.stringify([pathOf(fileName), ...placeOf(location), mutatorName, replacement]);
}

function textAt(lines, [firstLine, firstColumn, lastLine, lastColumn]) {
  if (firstLine === lastLine) return lines[firstLine].slice(firstColumn, lastColumn);
  const middle = lines.slice(firstLine + 1, lastLine);
  return [lines[firstLine].slice(firstColumn), ...middle, lines[lastLine].slice(0, lastColumn)].join('\n');
}

/** Mutants of some files, in the order of the files. `leftOut` is null for a mutant that counts. Lines are counted from 1. */
export async function mutantsOf(files) {
  const contents = new Map(files.map((name) => [pathOf(name), readFileSync(name, 'utf8')]));
  const wording = new Set();
  // Stryker asks an ignorer about every node. It would leave out all that is inside a text as well, such as a number that a message
  // says; so this one only notes the texts.
  const ignorer = (name) => ({
    shouldIgnore(path) {
      if (isWording(path)) {
        const { start, end } = path.node.loc;
        wording.add(JSON.stringify([name, start.line - 1, start.column, end.line - 1, end.column]));
      }
      return undefined;
    },
  });
  const found = [];
  for (const [name, content] of contents) {
    const lines = content.split('\n');
    const options = { ignorers: [ignorer(name)], excludedMutations: [] };
    const { mutants } = await new Instrumenter(SILENT).instrument([{ name, mutate: true, content }], options);
    for (const mutant of mutants) {
      const place = placeOf(mutant.location);
      const described = {
        file: name,
        line: place[0] + 1,
        text: lines[place[0]].trim(),
        kind: mutant.mutatorName,
        from: oneLine(textAt(lines, place)),
        to: oneLine(mutant.replacement),
      };
      const isWords = mutant.mutatorName === 'StringLiteral' && wording.has(JSON.stringify([name, ...place]));
      const leftOut = isWords ? 'wording' : isEquivalent(described) ? 'equivalent' : null;
      found.push({ key: keyOf(mutant), ...described, leftOut });
    }
  }
  return found;
}

/** Fields by which a mutant is the same as one of the table, whatever was inserted above it. */
const SAME = ['file', 'text', 'from', 'to'];

function isEquivalent(mutant) {
  return EQUIVALENT.some((row) => SAME.every((field) => row[field] === mutant[field]));
}

/** `count` members of a list, each as likely as another; the same for the same seed (mulberry32). */
export function draw(list, count, seed) {
  let state = seed >>> 0;
  const random = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let bits = Math.imul(state ^ (state >>> 15), state | 1);
    bits ^= bits + Math.imul(bits ^ (bits >>> 7), bits | 61);
    return ((bits ^ (bits >>> 14)) >>> 0) / 2 ** 32;
  };
  const rest = [...list];
  return Array.from({ length: Math.min(count, list.length) }, () => {
    const [one] = rest.splice(Math.floor(random() * rest.length), 1);
    return one;
  });
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  console.log(JSON.stringify(await mutantsOf(process.argv.slice(2))));
}
