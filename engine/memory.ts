/** Checks that refuse work before memory is allocated for it. */
import type { BackendFacts, Dtype } from '../kernels';
import type { T5Config } from '../weights';
import { EngineError } from './errors';

/** Bytes that can still be allocated on a backend. */
function roomOn(facts: BackendFacts): number {
  return facts.capacityBytes - facts.allocatedBytes();
}

/**
 * Refuses weights that do not fit on a backend.
 *
 * @throws EngineError `out-of-memory`
 */
export function checkWeightsFit(facts: BackendFacts, name: string, bytes: number, dtype: Dtype): void {
  const room = roomOn(facts);
  if (bytes <= room) return;
  const place = `room on backend ${facts.name}`;
  throw new EngineError(
    'out-of-memory',
    `${name}: expected weights of at most ${room} bytes (${place}), found ${bytes} bytes as ${dtype}`,
  );
}

/**
 * Refuses a call of the encoder whose activations and caches do not fit on a backend.
 *
 * @param rows ids of all sources together
 * @param crossSlots slots that the caches of cross-attention will have
 * @throws EngineError `out-of-memory`
 */
export function checkEncodeFits(facts: BackendFacts, config: T5Config, rows: number, crossSlots: number): void {
  const { dModel, inner, dFf, decoderLayers, feedForward } = config;
  const activations = rows * (2 * dModel + 4 * inner + (feedForward.gated ? 3 : 2) * dFf); // the boxes of a Workspace
  // Keys and values of the encoder's one cache and of every decoder layer's.
  const caches = 2 * inner * (1 + decoderLayers) * Math.max(rows, crossSlots);
  const bytes = 4 * (activations + caches);
  const room = roomOn(facts);
  if (bytes <= room) return;
  const place = `room on backend ${facts.name}`;
  throw new EngineError(
    'out-of-memory',
    `encode: expected sources that take at most ${room} bytes (${place}), found ${rows} ids that take ${bytes}`,
  );
}
