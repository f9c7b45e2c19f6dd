import { describeBackendLaws } from '../laws';

type Laws = Parameters<typeof describeBackendLaws>;

const NODE = Number(process.versions.node.split('.')[0]);

/** Why there is no relaxed SIMD here, or null. Node 22 brought it. Node 20 has it behind a flag, with a wrong int8 dot. */
export const relaxedMissing: string | null =
  NODE >= 22 ? null : `Node ${NODE} has relaxed SIMD behind a flag only (Node 22 brought it)`;

/** `describe`, or a skip whose title says why. */
export function describeOrSkip(title: string, missing: string | null, body: () => void): void {
  if (missing === null) describe(title, body);
  else describe.skip(`${title}: skipped, ${missing}`, body);
}

/** The laws of a backend, or a skip whose title says why. */
export function describeLawsOrSkip(missing: string | null, ...[name, create, tolerance]: Laws): void {
  if (missing === null) describeBackendLaws(name, create, tolerance);
  else describe.skip(`skipped, ${missing}`, () => describeBackendLaws(name, create, tolerance));
}

/**
 * How far wasm may be from the reference. Products: float32 chains over 200 inputs; q8 also quantises activations to 7 bits,
 * which changes each by at most half a step of 2 · max|x| / 127; q4 does the same, and its weights may be larger than those
 * that they stand for. Norms and activations: a few ulp. Attention: float32 scores,
 * softmax and sums.
 */
export const TOLERANCE = {
  products: { f32: 2e-6, bf16: 2e-6, q8: 1 / 127, q4: 1 / 110 },
  elementwise: 2e-6,
  attention: 2e-5,
  logSumExp: 1e-13,
};
