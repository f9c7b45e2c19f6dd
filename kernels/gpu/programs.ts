import { KernelError } from '../errors';
import type { Argument, Content, GpuCounters, Program } from './device';
import type { GpuInstance, KernelShortcut } from './gpujs';

/**
 * a / n rounded down, exact for whole numbers below 2²⁴: float division may be off by a unit in the last place on a
 * device, so the quotient is put right by products, which are exact.
 */
const QUOTIENT = `function quotient(a, n) {
  let q = Math.floor(a / n);
  if (q * n > a) { q = q - 1; }
  if (q * n + n <= a) { q = q + 1; }
  return q;
}`;

/** How one gpu.js backend wants kernels made and arguments passed. */
export interface Dialect {
  readonly mode: string;
  readonly settings: Readonly<Record<string, unknown>>;
  /** Type of an array argument. */
  readonly arrayType: string;
  /** A result under a shape of one to three dimensions, the fastest first. */
  view(result: unknown, dimensions: readonly number[]): unknown;
}

/** A gpu.js kernel and the output that it owns. */
interface Instance {
  readonly run: KernelShortcut;
  length: number;
}

/** A kernel's output, until it is released and the kernel may run again. */
export class ResultContent implements Content {
  private released = false;

  constructor(
    readonly length: number,
    readonly result: unknown,
    private readonly onRelease: () => void,
  ) {}

  release(): void {
    if (this.released) return;
    this.released = true;
    this.onRelease();
  }
}

/**
 * gpu.js kernels by program. A kernel owns its output and overwrites it when it runs again, so a program has as many
 * kernels as results of it are alive: in a steady decode loop nothing is allocated or compiled any more.
 */
export class ProgramPool {
  private readonly idle = new Map<string, Instance[]>();

  constructor(
    private readonly gpu: GpuInstance,
    private readonly dialect: Dialect,
    private readonly counters: GpuCounters,
  ) {
    gpu.addFunction(QUOTIENT, { argumentTypes: ['Integer', 'Integer'], returnType: 'Integer' });
  }

  async launch(program: Program, length: number, args: readonly Argument[]): Promise<ResultContent> {
    const pool = this.pool(program.key);
    const instance = pool.pop() ?? this.compile(program, length);
    if (instance.length !== length) {
      instance.run.setOutput([length]);
      instance.length = length;
    }
    const result = await instance.run(...args.map((argument) => this.argument(argument)));
    this.checkStayed(program, instance);
    this.counters.launches++;
    return new ResultContent(length, result, () => pool.push(instance));
  }

  private pool(key: string): Instance[] {
    const pool = this.idle.get(key) ?? [];
    this.idle.set(key, pool);
    return pool;
  }

  private compile(program: Program, length: number): Instance {
    const { settings, arrayType } = this.dialect;
    const types = { array: arrayType, int: 'Integer', float: 'Float' };
    const run = this.gpu.createKernel(program.source, {
      ...settings,
      output: [length],
      dynamicOutput: true,
      dynamicArguments: true,
      pipeline: true,
      precision: 'single',
      strictIntegers: true,
      constants: program.constants,
      argumentTypes: program.args.map((type) => types[type]),
    });
    this.counters.compiled++;
    return { run, length };
  }

  private argument(argument: Argument): unknown {
    if (typeof argument === 'number') return argument;
    const { content, shape } = argument;
    const last = shape.reduce((left, size) => Math.floor(left / size), content.length);
    return this.dialect.view((content as ResultContent).result, [...shape, last]);
  }

  /** gpu.js answers a shader that does not compile by quietly running it as JavaScript: that is an error here. */
  private checkStayed(program: Program, instance: Instance): void {
    const { kernel } = instance.run;
    if (this.dialect.mode === 'cpu' || kernel.constructor.mode !== 'cpu') return;
    const reason = kernel.fallbackReason ?? 'no reason given';
    throw new KernelError(
      'compile-failed',
      `gpu: ${program.key}: expected a kernel of ${this.dialect.mode}, found ${kernel.constructor.mode} (${reason})`,
    );
  }
}
