import { flagged, type OptionTable } from '../common';

/** How text becomes ids. */
export interface EncodeInputOptions {
  /**
   * Whether special tokens that are spelt out in an input (`<extra_id_0>`, `</s>`) become their ids. False takes them as plain
   * text: for text that is not trusted. Default true.
   */
  readonly parseSpecial?: boolean;
}

/** How ids become text. */
export interface DecodeIdsOptions {
  /** False shows special tokens (sentinels, the closing `</s>`) in the text that comes out. Default true. */
  readonly skipSpecialTokens?: boolean;
}

/** Every option of `Tandem.encode`. */
export const ENCODE_OPTIONS: OptionTable<keyof EncodeInputOptions> = {
  parseSpecial: {
    ...flagged,
    about: 'false takes special tokens that an input spells out, such as <extra_id_0>, as plain text (default: true)',
  },
};

/** Every option of `Tandem.decode`. */
export const DECODE_OPTIONS: OptionTable<keyof DecodeIdsOptions> = {
  skipSpecialTokens: { ...flagged, about: 'false shows special tokens in the text that comes out (default: true)' },
};
