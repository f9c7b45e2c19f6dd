/** Kernels that the gpu backend could have had instead, measured beside its own by measure.ts. */
import type { Program } from '../../kernels/gpu/device';

/** Weight rows as they are stored, a thread reading along its own: neighbours read far apart. */
export const naive = (inputs: number, outputs: number): Program => ({
  key: `naive ${inputs}`,
  args: ['array', 'array', 'int'],
  constants: { inputs },
  source: `function (x, weight, width) {
    const row = quotient(this.thread.x, width);
    const output = this.thread.x - row * width;
    let sum = 0;
    for (let k = 0; k < this.constants.inputs; k++) { sum += x[row][k] * weight[output][k]; }
    return sum + 0 * ${outputs};
  }`,
});

/** Panels as they are shipped, a loop turn a term. */
export const looped = (inputs: number): Program => ({
  key: `looped ${inputs}`,
  args: ['array', 'array', 'int'],
  constants: { inputs },
  source: `function (x, words, width) {
    const row = quotient(this.thread.x, width);
    const output = this.thread.x - row * width;
    const panel = quotient(output, 64);
    const lane = output - panel * 64;
    let sum = 0;
    for (let k = 0; k < this.constants.inputs; k++) { sum += x[row][k] * words[panel][k][lane]; }
    return sum;
  }`,
});

/** Three bf16 in two whole numbers of 24 bits: c0 · 2⁸ + c1 div 2⁸, (c1 mod 2⁸) · 2¹⁶ + c2; exponents by table. */
export function bf16(inputs: number): Program {
  const value = (code: string, name: string): string => `
        const code_${name} = ${code};
        const sign_${name} = Math.floor(code_${name} / 32768);
        const rest_${name} = code_${name} - sign_${name} * 32768;
        const exponent_${name} = Math.floor(rest_${name} / 128);
        const part_${name} = (rest_${name} - exponent_${name} * 128) * 0.0078125 + 1;
        const ${name} = powers[exponent_${name}] * part_${name} * (1 - sign_${name} * 2);`;
  return {
    key: `bf16 ${inputs}`,
    args: ['array', 'array', 'array', 'int'],
    constants: { triples: inputs / 3 },
    source: `function (x, words, powers, width) {
    const row = quotient(this.thread.x, width);
    const output = this.thread.x - row * width;
    const panel = quotient(output, 64);
    const lane = output - panel * 64;
    let sum = 0;
    for (let t = 0; t < this.constants.triples; t++) {
      const first = words[panel][t * 2][lane];
      const second = words[panel][t * 2 + 1][lane];
      const high = Math.floor(first / 256);
      const low = Math.floor(second / 65536);${value('high', 'a')}${value('(first - high * 256) * 256 + low', 'b')}${value('second - low * 65536', 'c')}
      sum += x[row][t * 3] * a;
      sum += x[row][t * 3 + 1] * b;
      sum += x[row][t * 3 + 2] * c;
    }
    return sum;
  }`,
  };
}

/** Softmax written out between scores and sums: the third kernel of the plain form. */
export const SOFTMAX: Program = {
  key: 'softmax',
  args: ['array', 'int'],
  constants: { keys: 256 },
  source: `function (scores, longest) {
    const line = quotient(this.thread.x, longest);
    let largest = scores[line * longest];
    for (let j = 1; j < this.constants.keys; j++) {
      if (j >= longest) { break; }
      largest = Math.max(largest, scores[line * longest + j]);
    }
    let total = 0;
    for (let j = 0; j < this.constants.keys; j++) {
      if (j >= longest) { break; }
      total += Math.exp(scores[line * longest + j] - largest);
    }
    return Math.exp(scores[this.thread.x] - largest) / total;
  }`,
};

export const WEIGHTED: Program = {
  key: 'weighted',
  args: ['array', 'array', 'int', 'int', 'int'],
  constants: { keys: 256 },
  source: `function (weights, slab, width, dKv, longest) {
    const row = quotient(this.thread.x, width);
    const at = this.thread.x - row * width;
    const head = quotient(at, dKv);
    const line = row * quotient(width, dKv) + head;
    let sum = 0;
    for (let j = 0; j < this.constants.keys; j++) {
      if (j >= longest) { break; }
      sum += weights[line * longest + j] * slab[j * 2 + 1][at];
    }
    return sum;
  }`,
};

/** One kernel, no scores: every thread of a head computes every score anew, and rescales its sum as they come. */
export const fused = (dKv: number): Program => ({
  key: `fused ${dKv}`,
  args: ['array', 'array', 'int', 'int'],
  constants: { dKv, keys: 256 },
  source: `function (query, slab, width, longest) {
    const row = quotient(this.thread.x, width);
    const at = this.thread.x - row * width;
    const head = quotient(at, this.constants.dKv);
    const from = head * this.constants.dKv;
    let largest = -100000000;
    let total = 0;
    let sum = 0;
    for (let j = 0; j < this.constants.keys; j++) {
      if (j >= longest) { break; }
      let score = 0;
      for (let d = 0; d < this.constants.dKv; d++) { score += query[row][from + d] * slab[j * 2][from + d]; }
      const most = Math.max(largest, score);
      const keep = Math.exp(largest - most);
      const add = Math.exp(score - most);
      total = total * keep + add;
      sum = sum * keep + add * slab[j * 2 + 1][at];
      largest = most;
    }
    return sum / total;
  }`,
});
