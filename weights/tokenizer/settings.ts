import { quotedJson } from '../../common';
import type { AddedToken } from './added-tokens';
import { type Json, list, object, text } from './json';

/** A token as one of the small files names it. Files older than transformers 4.34 tell its spelling alone. */
export interface NamedToken extends Omit<AddedToken, 'id'> {
  readonly id: number | null;
}

/** What the small files beside a vocabulary say. */
export interface TokenizerSettings {
  /** `tokenizer_class`. */
  readonly className: string | null;
  /** `legacy: false` puts a space in front of the text only, not in front of every part between added tokens. */
  readonly legacy: boolean;
  /** How many sentinels follow a SentencePiece vocabulary. */
  readonly extraIds: number | null;
  readonly addPrefixSpace: boolean | null;
  readonly cleanUp: boolean;
  readonly cleanUpBpe: boolean;
  /** Tokens that are added to the vocabulary, in the order of their ids. */
  readonly added: readonly NamedToken[];
  /** Tokens that are special: end, padding, unknown and additional ones. */
  readonly special: readonly NamedToken[];
  /** Spelling of the classifier's token, with which RoBERTa's kind begins every text. */
  readonly clsToken: string | null;
}

const SPECIAL_KEYS = ['bos_token', 'eos_token', 'unk_token', 'sep_token', 'pad_token', 'cls_token', 'mask_token'];
const SPECIAL_LISTS = ['additional_special_tokens', 'extra_special_tokens'];

/** The files by name; null for one that is not there. */
export interface SettingsFiles {
  readonly config: Json | null;
  readonly specialTokensMap: Json | null;
  readonly addedTokens: Json | null;
}

/**
 * Reads `tokenizer_config.json`, `special_tokens_map.json` and `added_tokens.json`: what transformers' fast and slow tokenizers
 * save. Of two files that name one token the first of this order counts.
 *
 * @throws RangeError that names the key
 */
export function readTokenizerSettings({ config, specialTokensMap, addedTokens }: SettingsFiles): TokenizerSettings {
  const from = config ?? {};
  const special = [from, specialTokensMap ?? {}].flatMap(specialTokens);
  return {
    className: typeof from.tokenizer_class === 'string' ? from.tokenizer_class : null,
    legacy: from.legacy !== false,
    extraIds: typeof from.extra_ids === 'number' ? from.extra_ids : null,
    addPrefixSpace: typeof from.add_prefix_space === 'boolean' ? from.add_prefix_space : null,
    cleanUp: from.clean_up_tokenization_spaces === true,
    cleanUpBpe: from.clean_up_tokenization_spaces_for_bpe_even_though_it_will_corrupt_output === true,
    added: readAdded(from, addedTokens, special),
    special,
    clsToken: spellingOf(from.cls_token ?? specialTokensMap?.cls_token),
  };
}

function readAdded(config: Json, addedTokens: Json | null, special: readonly NamedToken[]): NamedToken[] {
  const tokens: NamedToken[] = [];
  if (config.added_tokens_decoder !== undefined && config.added_tokens_decoder !== null) {
    for (const [id, token] of Object.entries(object(config.added_tokens_decoder, 'added_tokens_decoder'))) {
      tokens.push({ ...namedToken(token, false, `added_tokens_decoder ${id}`), id: idOf(Number(id)) });
    }
  } else {
    for (const [content, id] of Object.entries(addedTokens ?? {})) {
      const known = special.find((token) => token.content === content);
      tokens.push({ ...(known ?? namedToken(content, false, 'added_tokens.json')), id: idOf(id) });
    }
  }
  return tokens.sort((a, b) => (a.id as number) - (b.id as number));
}

function specialTokens(file: Json): NamedToken[] {
  const tokens = SPECIAL_KEYS.filter((key) => (file[key] ?? null) !== null).map((key) =>
    namedToken(file[key], true, key),
  );
  for (const key of SPECIAL_LISTS) {
    const value = file[key] ?? [];
    const values = Array.isArray(value) ? list(value, key) : Object.values(object(value, key));
    tokens.push(...values.map((token) => namedToken(token, true, key)));
  }
  return tokens;
}

/** A token that is written as its spelling, or as an object with its flags. */
export function namedToken(value: unknown, isSpecial: boolean, field: string): NamedToken {
  const token = typeof value === 'string' ? { content: value } : object(value, field);
  const special = 'special' in token ? token.special === true : isSpecial;
  return {
    id: null,
    content: text(token.content, `content of ${field}`),
    special,
    normalized: 'normalized' in token ? token.normalized === true : !special,
    lstrip: 'lstrip' in token && token.lstrip === true,
    rstrip: 'rstrip' in token && token.rstrip === true,
    singleWord: 'single_word' in token && token.single_word === true,
  };
}

function spellingOf(value: unknown): string | null {
  if (typeof value === 'string') return value;
  const content = (value as Json | null | undefined)?.content;
  return typeof content === 'string' ? content : null;
}

function idOf(id: unknown): number {
  if (typeof id === 'number' && Number.isInteger(id) && id >= 0) return id;
  throw new RangeError(`an added token with id ${quotedJson(id)}`);
}
