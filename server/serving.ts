import type { Tandem } from '../api';
import type { ServerMetrics } from './metrics';
import type { SERVE_DEFAULTS, ServeOptions } from './options';
import type { Places } from './places';

/** Options of a server, each with its value. */
export type ServeSettings = ServeOptions & Required<Pick<ServeOptions, keyof typeof SERVE_DEFAULTS>>;

/** What the routes share. */
export interface Serving {
  readonly tandem: Tandem;
  readonly settings: ServeSettings;
  /** What clients call the model. */
  readonly name: string;
  /** Seconds since 1970 at which the server started. */
  readonly created: number;
  readonly places: Places;
  readonly metrics: ServerMetrics;
  /** Aborted when the time of requests is over. */
  readonly ended: AbortSignal;
  /** Whether the server takes no more requests. */
  isStopping(): boolean;
}
