import type { Backend, Plan, Tensor } from '../kernels';

/** Activation boxes of a forward pass; they take the shape that the last call gave them. */
export interface Workspace {
  /** Residual stream, and the box that its next value goes into. */
  hidden: Tensor; // [rows, dModel]
  next: Tensor; // [rows, dModel]
  readonly query: Tensor; // [rows, inner]
  readonly key: Tensor; // [rows, inner]
  readonly value: Tensor; // [rows, inner]
  readonly mixed: Tensor; // [rows, inner]
  readonly up: Tensor; // [rows, dFf]
  readonly gate: Tensor; // [rows, dFf]
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

/** The box just written becomes the residual stream; outputs never alias inputs, so two boxes take turns. */
export function turn(work: Workspace): void {
  [work.hidden, work.next] = [work.next, work.hidden];
}
