import { readFileSync } from 'node:fs';
import path from 'node:path';
import { type GoldenTensor, parseTensors } from './goldens';

const FOLDER = path.join(__dirname, '..', 'data', 'uses');

/** A file of spec/data/uses, which scripts/goldens/uses.py makes. */
export const usesPath = (name: string) => path.join(FOLDER, name);

export function readUses<Golden>(name: string): Golden {
  return JSON.parse(readFileSync(usesPath(`${name}.json`), 'utf8')) as Golden;
}

export function readUsesTensors(name: string): Map<string, GoldenTensor> {
  return parseTensors(readFileSync(usesPath(`${name}.tensors.safetensors`)));
}
