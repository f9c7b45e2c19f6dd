/** Values that are summed together first. So errors grow with 32 + n / 32 steps instead of n. */
const BLOCK = 32;
/** Terms that are written out one after the other. SwiftShader takes less than half the time of a loop step a term; see docs/gpu.md. */
const UNROLLED = 8;

/** The text of a kernel that sums `term(k)` for k below `count`, in order, into `sum`: whole blocks of 32, then the rest. */
export function blockedSum(count: number, term: (k: string) => string): string {
  const blocks = Math.floor(count / BLOCK);
  const rest = count - blocks * BLOCK;
  const steps = Array.from({ length: UNROLLED }, (_, i) => `part += ${term(`b * ${BLOCK} + k * ${UNROLLED} + ${i}`)};`);
  const whole = `for (let b = 0; b < ${blocks}; b++) {
      let part = 0;
      for (let k = 0; k < ${BLOCK / UNROLLED}; k++) {
        ${steps.join('\n        ')}
      }
      sum += part;
    }`;
  const tail = `let tail = 0;
    for (let k = 0; k < ${rest}; k++) { tail += ${term(`k + ${blocks * BLOCK}`)}; }
    sum += tail;`;
  return `let sum = 0;
    ${blocks > 0 ? whole : ''}
    ${rest > 0 ? tail : ''}`;
}
