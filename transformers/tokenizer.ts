import { quoted, TandemError } from '../common';
import type { IncrementalDecoder, Tokenizer } from '../weights';
import { Callable } from './callable';
import { type Ids, rowsOf, Tensor } from './tensor';

export interface TokenizeOptions {
  /** Fills shorter rows on the right: to the longest one with true, to `max_length` with `'max_length'`. Default false. */
  readonly padding?: boolean | 'max_length';
  /** Cuts longer rows to `max_length`; their closing EOS stays. Default false. */
  readonly truncation?: boolean | null;
  /** Default: what the model was made for. */
  readonly max_length?: number | null;
  /** Closes each row with EOS. Default true. */
  readonly add_special_tokens?: boolean;
  /** False gives lists of numbers in place of tensors. Default true. */
  readonly return_tensor?: boolean;
}

export interface DecodeKwargs {
  /** Default false, as in transformers.js. */
  readonly skip_special_tokens?: boolean;
}

export interface Encoding<Rows = Tensor> {
  readonly input_ids: Rows;
  readonly attention_mask: Rows;
}

/** Facts of a tokenizer that its files of settings state. */
export interface TokenizerFacts {
  readonly padToken: string;
  readonly eosToken: string;
  readonly unkToken: string;
  /** Null where no file says a length. */
  readonly modelMaxLength: number | null;
}

/** Turns text into ids and back. A call gives the ids of one text or of several, with their mask. */
export class PreTrainedTokenizer extends Callable<
  [text: string | readonly string[], options?: TokenizeOptions],
  Encoding
> {
  readonly pad_token: string;
  readonly eos_token: string;
  readonly unk_token: string;
  readonly model_max_length: number;

  /** @internal Programs call `AutoTokenizer.from_pretrained`. */
  constructor(
    private readonly tokenizer: Tokenizer,
    facts: TokenizerFacts,
  ) {
    super();
    this.pad_token = facts.padToken;
    this.eos_token = facts.eosToken;
    this.unk_token = facts.unkToken;
    this.model_max_length = facts.modelMaxLength ?? Number.POSITIVE_INFINITY;
  }

  get pad_token_id(): number {
    return this.tokenizer.special.get(this.pad_token) ?? 0;
  }

  get eos_token_id(): number | undefined {
    return this.tokenizer.special.get(this.eos_token);
  }

  get unk_token_id(): number | undefined {
    return this.tokenizer.special.get(this.unk_token);
  }

  get all_special_ids(): number[] {
    return [...new Set(this.tokenizer.special.values())];
  }

  get all_special_tokens(): string[] {
    return [...this.tokenizer.special.keys()];
  }

  /** @throws TandemError `argument-invalid` */
  override _call(text: string | readonly string[], options: TokenizeOptions = {}): Encoding {
    const { padding = false, add_special_tokens = true, return_tensor = true } = options;
    const texts = typeof text === 'string' ? [text] : text;
    if (!Array.isArray(texts) || texts.length === 0 || texts.some((one) => typeof one !== 'string')) {
      throw new TandemError('argument-invalid', `tokenizer: expected a text or a list of texts, found ${quoted(text)}`);
    }
    const limit = this.limit(options);
    const rows = texts.map((one) =>
      cut(this.tokenizer.encode(one, { addEos: add_special_tokens }), limit, this.eos_token_id),
    );
    const longest = Math.max(...rows.map((row) => row.length));
    const width = padding === 'max_length' ? (options.max_length ?? this.model_max_length) : longest;
    if (!Number.isFinite(width)) {
      throw new TandemError(
        'argument-invalid',
        "tokenizer: expected max_length beside padding: 'max_length', found none",
      );
    }
    const uneven = rows.some((row) => row.length !== rows[0].length);
    if (return_tensor && !padding && uneven) {
      throw new TandemError(
        'argument-invalid',
        'tokenizer: expected padding: true for texts of different lengths, found none',
      );
    }
    const filled = (row: readonly number[], of: number) =>
      padding ? [...row, ...new Array<number>(Math.max(0, width - row.length)).fill(of)] : [...row];
    const input_ids = rows.map((row) => filled(row, this.pad_token_id));
    const attention_mask = rows.map((row) =>
      filled(
        row.map(() => 1),
        0,
      ),
    );
    if (return_tensor) return { input_ids: Tensor.ofRows(input_ids), attention_mask: Tensor.ofRows(attention_mask) };
    const isOne = typeof text === 'string';
    const lists = {
      input_ids: isOne ? input_ids[0] : input_ids,
      attention_mask: isOne ? attention_mask[0] : attention_mask,
    };
    return lists as unknown as Encoding; // a program that asks for lists knows that it gets them
  }

  /** Ids of a text. */
  encode(text: string, { add_special_tokens = true }: Pick<TokenizeOptions, 'add_special_tokens'> = {}): number[] {
    return this.tokenizer.encode(text, { addEos: add_special_tokens });
  }

  /** Pieces of a text as the vocabulary spells them. */
  tokenize(text: string, { add_special_tokens = false }: Pick<TokenizeOptions, 'add_special_tokens'> = {}): string[] {
    return this.encode(text, { add_special_tokens }).map((id) => this.tokenizer.piece(id));
  }

  /** Text of one row of ids. @throws TandemError `argument-invalid` for several rows */
  decode(ids: Ids, { skip_special_tokens = false }: DecodeKwargs = {}): string {
    const rows = rowsOf(ids, 'decode');
    if (rows.length !== 1) {
      throw new TandemError(
        'argument-invalid',
        `decode: expected one row of ids, found ${rows.length}; batch_decode takes several`,
      );
    }
    return this.tokenizer.decode(rows[0], { skipSpecialTokens: skip_special_tokens });
  }

  /** Texts of several rows of ids. */
  batch_decode(ids: Ids, { skip_special_tokens = false }: DecodeKwargs = {}): string[] {
    return rowsOf(ids, 'batch_decode').map((row) =>
      this.tokenizer.decode(row, { skipSpecialTokens: skip_special_tokens }),
    );
  }

  /** A text that grows with each id. */
  incremental_decoder({ skip_special_tokens = false }: DecodeKwargs = {}): IncrementalDecoder {
    return this.tokenizer.incrementalDecoder({ skipSpecialTokens: skip_special_tokens });
  }

  /** As in transformers.js, a `max_length` alone cuts, and beside `padding: true` it needs `truncation`. */
  private limit({ truncation = null, max_length = null, padding = false }: TokenizeOptions): number {
    const cuts = truncation ?? (max_length !== null && padding === false);
    return cuts ? Math.min(max_length ?? Number.POSITIVE_INFINITY, this.model_max_length) : Number.POSITIVE_INFINITY;
  }
}

/** Cuts ids to a length; a closing EOS stays, as in Hugging Face's tokenizers. */
function cut(ids: number[], limit: number, eos: number | undefined): number[] {
  if (ids.length <= limit) return ids;
  const last = ids[ids.length - 1];
  return last === eos ? [...ids.slice(0, limit - 1), last] : ids.slice(0, limit);
}
