import type { Result, TokenStreamEvent } from '../api';
import type { Pieces } from './pieces';

/** Log-probabilities of tokens in the shape of OpenAI's completions: one entry a token in each list. */
export interface Logprobs {
  readonly tokens: string[];
  readonly token_logprobs: number[];
  /** Null where only the tokens' own were asked for. */
  readonly top_logprobs: Record<string, number>[] | null;
  readonly text_offset: number[];
}

export interface Choice {
  readonly index: number;
  text: string;
  logprobs: Logprobs | null;
  finish_reason: 'stop' | 'length' | null;
}

/** OpenAI's word for why a sequence ended. */
export function finishReason(stopReason: Result['stopReason']): 'stop' | 'length' {
  return stopReason === 'length' ? 'length' : 'stop';
}

/** One choice as it grows. */
export class GrowingChoice {
  readonly whole: Choice;

  /** @param logprobs how many of the most probable tokens of each place are wanted; null: no log-probabilities */
  constructor(
    index: number,
    private readonly logprobs: number | null,
    private readonly pieces: Pieces,
  ) {
    this.whole = { index, text: '', logprobs: logprobs === null ? null : none(logprobs), finish_reason: null };
  }

  /** Takes a token; gives the part of the choice that it brought. */
  async push(event: TokenStreamEvent): Promise<Choice> {
    const { whole } = this;
    const part = { ...whole, text: event.text, logprobs: await this.logprobsOf(event) };
    whole.text += event.text;
    if (whole.logprobs && part.logprobs) append(whole.logprobs, part.logprobs);
    return part;
  }

  private async logprobsOf({ token, logProb, top }: TokenStreamEvent): Promise<Logprobs | null> {
    if (this.logprobs === null || logProb === undefined) return null;
    const { pieces } = this;
    const own = await pieces.of(token);
    const named: Record<string, number> = {};
    // Tokens of the same text, as parts of a character are: the most probable one has the name.
    for (const one of [...(top ?? [])].reverse()) named[await pieces.of(one.token)] = one.logProb;
    if (!Object.hasOwn(named, own)) named[own] = logProb;
    return {
      ...{ tokens: [own], token_logprobs: [logProb], text_offset: [this.whole.text.length] },
      top_logprobs: this.logprobs > 0 ? [named] : null,
    };
  }
}

function none(logprobs: number): Logprobs {
  return { tokens: [], token_logprobs: [], top_logprobs: logprobs > 0 ? [] : null, text_offset: [] };
}

function append(all: Logprobs, more: Logprobs): void {
  all.tokens.push(...more.tokens);
  all.token_logprobs.push(...more.token_logprobs);
  all.text_offset.push(...more.text_offset);
  all.top_logprobs?.push(...(more.top_logprobs ?? []));
}
