import type { IncrementalDecoder } from '../weights';
import type { PreTrainedTokenizer } from './tokenizer';

/** Hears of tokens as they come out: first of the decoder's start token, then of one token at a time. */
export abstract class BaseStreamer {
  /** @param value ids of each sequence; there is one */
  abstract put(value: readonly (readonly bigint[])[]): void;
  /** Generation has ended. */
  abstract end(): void;
}

export interface TextStreamerOptions {
  /** Leaves out the decoder's start token. Default false. */
  readonly skip_prompt?: boolean;
  /** Default true. */
  readonly skip_special_tokens?: boolean;
  /** Receives text. Default: it goes to standard output, or in a page to the console. */
  readonly callback_function?: ((text: string) => void) | null;
  /** Receives the ids themselves. */
  readonly token_callback_function?: ((ids: readonly bigint[]) => void) | null;
}

/** Characters of scripts that have no spaces between words: their text need not wait for one. */
const WITHOUT_SPACES = /\p{Script=Han}$/u;

/** Gives text in whole words, as soon as they are certain. */
export class TextStreamer extends BaseStreamer {
  private readonly write: (text: string) => void;
  private readonly isPrinted: boolean;
  private decoder: IncrementalDecoder | null = null;
  private waiting = '';
  private isPrompt = true;

  constructor(
    readonly tokenizer: PreTrainedTokenizer,
    private readonly options: TextStreamerOptions = {},
  ) {
    super();
    this.isPrinted = !options.callback_function;
    this.write = options.callback_function ?? print;
  }

  override put(value: readonly (readonly bigint[])[]): void {
    const [ids] = value;
    const isPrompt = this.isPrompt;
    this.isPrompt = false;
    if (isPrompt && this.options.skip_prompt) return;
    this.options.token_callback_function?.(ids);
    const { skip_special_tokens = true } = this.options;
    this.decoder ??= this.tokenizer.incremental_decoder({ skip_special_tokens });
    for (const id of ids) {
      this.waiting += this.decoder.push(Number(id));
      if (!skip_special_tokens && this.tokenizer.all_special_ids.includes(Number(id))) this.flush(this.waiting.length);
    }
    const isWhole = this.waiting.endsWith('\n') || WITHOUT_SPACES.test(this.waiting);
    this.flush(isWhole ? this.waiting.length : this.waiting.lastIndexOf(' ') + 1);
  }

  override end(): void {
    this.waiting += this.decoder?.end() ?? '';
    this.flush(this.waiting.length);
    this.decoder = null;
    this.isPrompt = true;
    if (this.isPrinted && typeof process !== 'undefined') this.write('\n');
  }

  private flush(length: number): void {
    const text = this.waiting.slice(0, length);
    this.waiting = this.waiting.slice(length);
    if (text !== '') this.write(text);
  }
}

function print(text: string): void {
  if (typeof process !== 'undefined' && process.stdout) process.stdout.write(text);
  else console.log(text);
}
