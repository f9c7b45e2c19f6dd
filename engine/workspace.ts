import type { Backend, Plan, Tensor } from '../kernels';

/** Boxes for the activations of a forward pass. A kernel gives each the shape that the call needs. */
export interface Workspace {
  /** Hidden states between blocks, [rows, dModel]. */
  hidden: Tensor;
  /** The box that the next hidden states are written to, [rows, dModel]. */
  next: Tensor;
  query: Tensor; // [rows, inner]
  readonly key: Tensor; // [rows, inner]
  readonly value: Tensor; // [rows, inner]
  /** Values mixed by attention. */
  readonly mixed: Tensor; // [rows, inner]
  readonly up: Tensor; // [rows, dFf]
  readonly gate: Tensor; // [rows, dFf]
  /** The feed-forward layer's inside, after the activation. */
  readonly inside: Tensor; // [rows, dFf]
  readonly selfPlan: Plan;
  readonly crossPlan: Plan;
}

export function createWorkspace(backend: Backend): Workspace {
  const box = () => backend.tensor();
  return {
    hidden: box(),
    next: box(),
    query: box(),
    key: box(),
    value: box(),
    mixed: box(),
    up: box(),
    gate: box(),
    inside: box(),
    selfPlan: backend.plan(),
    crossPlan: backend.plan(),
  };
}

export function freeWorkspace(backend: Backend, work: Workspace): void {
  for (const box of Object.values(work)) backend.free(box);
}

/** Makes the box just written the hidden states. A kernel's output never shares memory with its input, so there are two boxes. */
export function swapHidden(work: Workspace): void {
  [work.hidden, work.next] = [work.next, work.hidden];
}
