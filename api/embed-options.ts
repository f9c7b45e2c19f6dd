import { abortSignal, checkOptions, flagged, type OptionTable, oneOf } from '../common';

/** How to embed. */
export interface EmbedOptions {
  /**
   * How the encoder states of a text become its vector. `auto`: as the checkpoint's modules.json says (pooling, dense layers,
   * normalisation, the longest text), and without one the mean. `mean`: the mean of the states, as it is. `none`: the states
   * themselves, [tokens, dModel]. Default `auto`.
   */
  readonly pooling?: 'auto' | 'mean' | 'none';
  /** Scales each result to length 1. Default: as the checkpoint says. */
  readonly normalize?: boolean;
  readonly signal?: AbortSignal;
}

/** Every option of `Tandem.embed`. */
export const EMBED_OPTIONS: OptionTable<keyof EmbedOptions> = {
  pooling: {
    ...oneOf('auto', 'mean', 'none'),
    flag: '--pooling <kind>',
    about:
      'auto (as the checkpoint’s modules.json says, else the mean), mean, or none for the encoder states (default: auto)',
  },
  normalize: {
    ...flagged,
    about: 'scale each result to length 1 (default: as the checkpoint says)',
    flag: '--normalize',
  },
  signal: { ...abortSignal, about: 'cancels embedding' },
};

/** @throws TandemError `option-invalid` */
export function checkEmbed(options: EmbedOptions): void {
  checkOptions(options, EMBED_OPTIONS, 'embed');
}
