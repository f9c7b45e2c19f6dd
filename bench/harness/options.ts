import { Command, InvalidArgumentError } from 'commander';
import { type BackendName, type Dtype, WEIGHT_TYPES } from '../../kernels';

export interface BenchOptions {
  /** Kernels to run; all when none is named. */
  readonly kernels: readonly string[];
  readonly backends: readonly BackendName[];
  readonly types: readonly Dtype[];
  readonly rows: readonly number[];
  readonly threads: number | undefined;
  readonly level: string | undefined;
  readonly quick: boolean;
}

function list<T extends string>(known: readonly T[]): (text: string) => T[] {
  return (text) =>
    text.split(',').map((word) => {
      if (!known.includes(word as T)) throw new InvalidArgumentError(`expected some of ${known.join(', ')}`);
      return word as T;
    });
}

function counts(text: string): number[] {
  return text.split(',').map((word) => {
    const count = Number(word);
    if (!Number.isInteger(count) || count < 1) throw new InvalidArgumentError('expected whole numbers from 1 up');
    return count;
  });
}

/** Reads the command line of `npm run bench -- …`. */
export function parseOptions(argv: readonly string[], kernels: readonly string[]): BenchOptions {
  const command = new Command('bench')
    .description(`kernel microbenchmarks: ${kernels.join(', ')}`)
    .argument('[kernels...]', 'which to run; all when none is named', undefined)
    .option('--backend <names>', 'comma-separated', list<BackendName>(['reference', 'cpu', 'wasm', 'gpu']))
    .option('--dtype <types>', 'types of the weights, comma-separated', list<Dtype>(WEIGHT_TYPES), [
      'f32',
      'bf16',
      'q8',
    ])
    .option('--rows <counts>', 'row counts, comma-separated', counts)
    .option('--threads <count>', 'threads of the wasm backend', (text) => counts(text)[0])
    .option('--level <level>', 'feature level of the wasm backend')
    .option('--quick', 'one shape, rows 1 and 8, short samples', false);
  command.parse([...argv], { from: 'user' });
  const found = command.opts();
  const named = command.args;
  const unknown = named.filter((name) => !kernels.includes(name));
  if (unknown.length > 0) command.error(`expected some of ${kernels.join(', ')}, found ${unknown.join(', ')}`);
  return {
    kernels: named.length === 0 ? kernels : named,
    backends: found.backend ?? ['cpu', 'wasm'],
    types: found.dtype,
    rows: found.rows ?? (found.quick ? [1, 8] : [1, 4, 8, 16, 64]),
    threads: found.threads,
    level: found.level,
    quick: found.quick,
  };
}
