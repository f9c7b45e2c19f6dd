import type { Tandem } from '../api';

/** Texts of single tokens, as OpenAI's log-probabilities name them. Each is asked for once. */
export class Pieces {
  private readonly known = new Map<number, Promise<string>>();

  constructor(private readonly tandem: Tandem) {}

  /** The token's text inside a sequence: with the space that it begins with, which a text's first token loses. */
  of(token: number): Promise<string> {
    const known = this.known.get(token) ?? this.find(token);
    this.known.set(token, known);
    return known;
  }

  private async find(token: number): Promise<string> {
    if (!this.tandem.hasTokenizer) return `token_id:${token}`;
    const options = { skipSpecialTokens: false };
    const once = await this.tandem.decode([token], options);
    return (await this.tandem.decode([token, token], options)).slice(once.length);
  }
}
