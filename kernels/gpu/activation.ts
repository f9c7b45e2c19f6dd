import type { ActivationKind, Tensor } from '../contract';
import { openActivation } from '../shared/calls';
import type { Program } from './device';
import { view } from './queue';
import type { GpuStorage } from './storage';

/**
 * erfc for z ≥ 0 with a relative error below 1.2e-7: the Chebyshev fit of Press et al., Numerical Recipes § 6.2 (`erfcc`).
 * GLSL and WGSL have no erf.
 */
const ERFC = `const t = 1 / (1 + 0.5 * z);
    const fit = -1.26551223 + t * (1.00002368 + t * (0.37409196 + t * (0.09678418 + t * (-0.18628806
      + t * (0.27886807 + t * (-1.13520398 + t * (1.48851587 + t * (-0.82215223 + t * 0.17087277))))))));
    const erfc = t * Math.exp(fit - z * z);`;

/**
 * Each text leaves its result in `y`. tanh is written with exp, which every shading language has:
 * 1 + tanh u = 2 / (1 + e⁻²ᵘ).
 */
const BODIES: Readonly<Record<ActivationKind, string>> = {
  relu: 'let y = v; if (v < 0) { y = 0; }',
  silu: 'let y = v / (1 + Math.exp(-v));',
  gelu: `const z = Math.abs(v) * ${Math.SQRT1_2};
    ${ERFC}
    let y = 0.5 * v * erfc;
    if (v > 0) { y = v - y; }`,
  gelu_new: `const u = ${Math.sqrt(2 / Math.PI)} * (v + 0.044715 * v * v * v);
    let y = v / (1 + Math.exp(-2 * u));`,
};

function activationProgram(kind: ActivationKind, gated: boolean): Program {
  return {
    key: `activation ${kind}${gated ? ' gated' : ''}`,
    args: gated ? ['array', 'array'] : ['array'],
    constants: {},
    source: `function (x${gated ? ', gate' : ''}) {
    const v = x[this.thread.x];
    ${BODIES[kind]}
    return ${gated ? 'y * gate[this.thread.x]' : 'y'};
  }`,
  };
}

/** See reference/activation.ts. Float32. */
export function activation(
  storage: GpuStorage,
  out: Tensor,
  x: Tensor,
  kind: ActivationKind,
  gated: Tensor | null,
): void {
  const call = openActivation(storage, out, x, kind, gated);
  const length = call.x.rows * call.x.cols;
  const { queue } = storage;
  queue.produce(call.out, () => {
    const arrays = call.gated === null ? [view(call.x)] : [view(call.x), view(call.gated)];
    return queue.device.launch(activationProgram(kind, call.gated !== null), length, arrays);
  });
}
