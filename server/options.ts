import { listOf, number, type OptionTable, text, whole } from '../common';
import { CONCURRENCY, DEFAULTS, SETTINGS } from '../decoding';

/** How to serve. */
export interface ServeOptions {
  /** Address to listen on. Default 127.0.0.1: this machine alone. */
  readonly host?: string;
  /** Port; 0 takes one that is free. Default 8080. */
  readonly port?: number;
  /** What clients call the model. Default: the target's own name. */
  readonly name?: string;
  /** What clients must send as `Authorization: Bearer …`. Default: none. */
  readonly apiKey?: string;
  /** Origins whose pages may call the server; `*` is every one. Default: none. */
  readonly cors?: readonly string[];
  /** Draft tokens proposed each round where a request does not say; 0 decodes without the draft. Default 'auto', as in `generate`. */
  readonly gamma?: number | 'auto';
  /** Sequences decoded at once. Default 8. */
  readonly concurrency?: number;
  /** Sequences that may wait beside those that are decoded; more are refused with 429. Default 64. */
  readonly queue?: number;
  /** The longest body of a request, in bytes. Default 1 MiB. */
  readonly limitBody?: number;
  /** The longest source, in token ids. Default 4096. */
  readonly limitSource?: number;
  /** The most new tokens of a sequence. Default 4096. */
  readonly limitTokens?: number;
  /** Seconds that requests have to end in after a signal to stop. Default 30. */
  readonly grace?: number;
}

/** What options mean when they are left out. */
export const SERVE_DEFAULTS = {
  host: '127.0.0.1',
  port: 8080,
  cors: [],
  concurrency: 8,
  queue: 64,
  limitBody: 1 << 20,
  limitSource: 4096,
  limitTokens: 4096,
  grace: 30,
} as const;

const D = SERVE_DEFAULTS;

/** Every option of `startServer`, and its flag on the command line. */
export const SERVE_OPTIONS: OptionTable<keyof ServeOptions> = {
  host: {
    ...text(1),
    about: `address to listen on (default: ${D.host}, this machine alone)`,
    flag: '--host <address>',
  },
  port: {
    ...whole(0, 65535),
    about: `port to listen on; 0 takes one that is free (default: ${D.port})`,
    flag: '-p, --port <n>',
  },
  name: { ...text(1), about: 'what clients call the model (default: its own name)', flag: '--name <name>' },
  apiKey: {
    ...text(1),
    about:
      'key that clients must send (default: TANDEM_API_KEY, which other users of the machine do not see; else none)',
    flag: '--api-key <key>',
  },
  cors: {
    ...listOf(text(1), 'a list of origins'),
    parse: undefined,
    about: 'origin whose pages may call the server, or *; may be given again (default: none)',
    flag: '--cors <origin>',
  },
  gamma: {
    ...SETTINGS.gamma,
    about: `draft tokens proposed each round where a request does not say, or auto (default: ${DEFAULTS.gamma}); 0 decodes without the draft`,
  },
  concurrency: {
    ...CONCURRENCY,
    about: `sequences decoded at once (default: ${D.concurrency}); the texts are the same`,
  },
  queue: {
    ...whole(0, 1 << 20),
    about: `sequences that may wait beside them; more are refused with 429 (default: ${D.queue})`,
    flag: '--queue <n>',
  },
  limitBody: {
    ...whole(1, 1 << 30),
    about: `longest body of a request, in bytes (default: ${D.limitBody})`,
    flag: '--limit-body <bytes>',
  },
  limitSource: {
    ...whole(1),
    about: `longest source, in token ids (default: ${D.limitSource})`,
    flag: '--limit-source <n>',
  },
  limitTokens: {
    ...whole(1),
    about: `most new tokens of a sequence (default: ${D.limitTokens})`,
    flag: '--limit-tokens <n>',
  },
  grace: {
    ...number({ least: 0, most: 86400 }),
    about: `seconds that requests have to end in after Ctrl-C or SIGTERM (default: ${D.grace})`,
    flag: '--grace <seconds>',
  },
};
