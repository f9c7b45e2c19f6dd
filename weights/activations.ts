import type { Fields } from './fields';
import type { ActivationName, FeedForward } from './types';

/**
 * The functions that `ACT2FN` of Hugging Face's `activations.py` has by name, those that the engine computes. Names of one
 * function differ in how PyTorch computes it, not in what.
 */
export const ACTIVATIONS: Readonly<Record<string, ActivationName>> = {
  relu: 'relu',
  gelu: 'gelu',
  gelu_python: 'gelu',
  gelu_new: 'gelu_new',
  gelu_fast: 'gelu_new',
  gelu_accurate: 'gelu_new',
  gelu_pytorch_tanh: 'gelu_new',
  gelu_python_tanh: 'gelu_new',
  silu: 'silu',
  swish: 'silu',
};

/** Functions that Hugging Face has and the engine has not. No T5 that is published uses one. */
export const OTHER_ACTIVATIONS: readonly string[] = [
  'gelu_10',
  'hardswish',
  'laplace',
  'leaky_relu',
  'linear',
  'mish',
  'prelu',
  'quick_gelu',
  'relu2',
  'relu6',
  'sigmoid',
  'sqrtsoftplus',
  'tanh',
  'xielu',
];

/**
 * The feed-forward layer of a config, as `T5Config` reads it: `feed_forward_proj` is the function's name, with `gated-` before
 * it where the layer is gated, and `gated-gelu` means gelu_new. `dense_act_fn` and `is_gated_act`, which newer files repeat,
 * win over it.
 *
 * @param fallback `feed_forward_proj` where the file does not say it
 */
export function feedForwardOf(field: Fields, fallback: string): FeedForward {
  const projection = field.text('feed_forward_proj', fallback);
  const parts = projection.split('-');
  const gated = parts[0] === 'gated';
  const stated = field.json.dense_act_fn ?? null;
  const wellFormed = parts.length === (gated ? 2 : 1);
  const name = stated !== null ? field.text('dense_act_fn', '') : parts[parts.length - 1];
  const kind = stated === null && projection === 'gated-gelu' ? 'gelu_new' : activationOf(name);
  if (!wellFormed || (stated === null && kind === undefined)) {
    const expected = `one of ${Object.keys(ACTIVATIONS).join(', ')}, with or without gated- before it`;
    throw field.error('feed_forward_proj', expected, foundName(projection, name));
  }
  if (kind === undefined) {
    throw field.error('dense_act_fn', `one of ${Object.keys(ACTIVATIONS).join(', ')}`, foundName(name, name));
  }
  return { kind, gated: field.flag('is_gated_act') ?? gated };
}

function foundName(stated: string, name: string): string {
  return OTHER_ACTIVATIONS.includes(name)
    ? `${stated}, a function of Hugging Face's that is not computed here`
    : stated;
}

function activationOf(name: string): ActivationName | undefined {
  return Object.hasOwn(ACTIVATIONS, name) ? ACTIVATIONS[name] : undefined;
}

/** What config.json says of a feed-forward layer: the inverse of `feedForwardOf`. */
export function feedForwardFields({ kind, gated }: FeedForward) {
  const name = gated && kind === 'gelu_new' ? 'gelu' : kind;
  return { feed_forward_proj: gated ? `gated-${name}` : name, dense_act_fn: kind, is_gated_act: gated };
}
