/** Checks that refuse work before memory is allocated for it. */
import type { BackendFacts, Dtype } from '../kernels';
import type { T5Config } from '../weights';
import { EngineError } from './errors';

/** Bytes that can still be allocated on a backend. */
function roomOn(facts: BackendFacts): number {
  return facts.capacityBytes - facts.allocatedBytes();
}

/** The weights of a model. */
export interface WeightsSize {
  readonly name: string;
  readonly dtype: Dtype;
  /** Bytes that they take. */
  readonly bytes: number;
  /** Bytes that they take if every matrix that may be kept in bf16 is. */
  readonly least?: number;
  /** Bytes of them that are allocated already. Default 0. */
  readonly taken?: number;
}

/**
 * Refuses weights that do not fit on a backend. Where the least that they can take fits, it is not known yet.
 *
 * @throws EngineError `out-of-memory`
 */
export function checkWeightsFit(facts: BackendFacts, size: WeightsSize): void {
  const { name, dtype, bytes, least = bytes, taken = 0 } = size;
  const room = roomOn(facts) + taken;
  if (least <= room) return;
  const place = `room on backend ${facts.name}`;
  throw new EngineError(
    'out-of-memory',
    `${name}: expected weights of at most ${room} bytes (${place}), found ${bytes} bytes as ${dtype}`,
  );
}

/** The size of a call of the encoder. */
export interface EncodeSize {
  /** Ids of all sources together. */
  readonly rows: number;
  /** Rows that are encoded at a time. */
  readonly step: number;
  /** Slots that the caches of cross-attention will have; 0 where nothing is written to them. */
  readonly crossSlots: number;
}

/** Bytes of the activations and the caches of a call: linear in its ids, whatever the lengths of its sources. */
export function encodeBytes(config: T5Config, { rows, step, crossSlots }: EncodeSize): number {
  const { dModel, inner, dFf, decoderLayers, feedForward } = config;
  // Hidden states and queries are kept of all rows; the other boxes of a Workspace are those of the rows at work.
  const kept = rows * (dModel + inner);
  const working = step * (dModel + 3 * inner + (feedForward.gated ? 3 : 2) * dFf);
  // Keys and values of the encoder's one cache and of every decoder layer's.
  const caches = 2 * inner * (rows + decoderLayers * crossSlots);
  return 4 * (kept + working + caches);
}

/**
 * Refuses a call of the encoder whose activations and caches do not fit on a backend.
 *
 * @throws EngineError `out-of-memory`
 */
export function checkEncodeFits(facts: BackendFacts, config: T5Config, call: EncodeSize): void {
  const { rows } = call;
  const bytes = encodeBytes(config, call);
  const room = roomOn(facts);
  if (bytes <= room) return;
  const place = `room on backend ${facts.name}`;
  throw new EngineError(
    'out-of-memory',
    `encode: expected sources that take at most ${room} bytes (${place}), found ${rows} ids that take ${bytes}`,
  );
}
