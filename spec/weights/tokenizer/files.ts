import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import type { T5Config, Tokenizer } from '../../../weights';
import { loadTokenizer } from '../../../weights/tokenizer';

const DATA = join(__dirname, '../../data/tokenizer');

/** A gzipped file of spec/data/tokenizer. */
export function data(name: string): Uint8Array {
  return new Uint8Array(gunzipSync(readFileSync(join(DATA, `${name}.gz`))));
}

export function json<T>(name: string): T {
  return JSON.parse(Buffer.from(data(name)).toString('utf8')) as T;
}

export function model(name: string, file: string): Uint8Array {
  return new Uint8Array(readFileSync(join(__dirname, '../../../models', name, file)));
}

/** Loads from files in memory; the tokenizer looks at nothing of the config but these two fields. */
export function load(files: Readonly<Record<string, Uint8Array | string>>, vocabularySize = 32128): Promise<Tokenizer> {
  const config = { family: 't5', vocabularySize, eosTokens: [1] } as unknown as T5Config;
  const read = async (name: string) => {
    const found = files[name];
    return typeof found === 'string' ? new TextEncoder().encode(found) : (found ?? null);
  };
  return loadTokenizer({ read }, config, 'somewhere');
}

export const t5FromModel = () => load({ 'spiece.model': data('t5.spiece.model') });
export const t5FromJson = () => load({ 'tokenizer.json': data('t5.tokenizer.json') });
export const tiny = () => load({ 'spiece.model': data('tiny.spiece.model') }, 1024);
export const modernize = (name: string, file: string) => load({ [file]: model(name, file) }, 4096);
export const bytes = () => load({}, 384);
