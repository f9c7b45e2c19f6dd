import type { KernelBench } from '../harness/kernelBench';
import { activation } from './activation.bench';
import { attention } from './attention.bench';
import { embed } from './embed.bench';
import { head, headArgMax } from './head.bench';
import { logits } from './logits.bench';
import { matmul } from './matmul.bench';
import { norm } from './norm.bench';

/** Every kernel benchmark, in the order they run. */
export const KERNEL_BENCHES: readonly KernelBench[] = [
  matmul,
  attention,
  norm,
  activation,
  embed,
  head,
  headArgMax,
  logits,
];
