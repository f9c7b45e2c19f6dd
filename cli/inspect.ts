import type { Command } from 'commander';
import { printable } from '../common';
import { type Checkpoint, fromPretrained, resolveTensors, type TensorInfo } from '../weights';
import { askingHub, checkModelName } from './models';
import { printNotice } from './notices';
import { columns, facts } from './table';
import { jsonLine } from './terminal';

export interface InspectFlags {
  readonly json?: boolean;
  readonly offline?: boolean;
  readonly revision?: string;
}

/** Puts the argument and the flags of `tandem inspect` on a command. */
export function addInspectFlags(command: Command): Command {
  return command
    .description('say what is in a checkpoint without loading it')
    .argument('<model>', 'checkpoint directory or hub id')
    .option('--json', 'print one JSON object')
    .option('--revision <name>', 'branch, tag or commit of a model on the hub (default: main)')
    .option('--offline', 'take a model on the hub from the cache alone');
}

/** `tandem inspect`: family, sizes, parameters and every tensor of a checkpoint. Reads the headers of its files, no weights. */
export async function inspect(name: string, flags: InspectFlags, signal: AbortSignal): Promise<void> {
  const { json, offline, revision } = flags;
  checkModelName(name, 'inspect');
  const options = { offline, revision, lazy: true, signal, onNotice: printNotice };
  const checkpoint = await askingHub([name], () => fromPretrained(name, options));
  try {
    const summary = summaryOf(checkpoint);
    process.stdout.write(json ? jsonLine(summary) : page(summary));
  } finally {
    await checkpoint.dispose();
  }
}

type Summary = ReturnType<typeof summaryOf>;

function summaryOf(checkpoint: Checkpoint) {
  const { name, config, metadata } = checkpoint;
  const list = [...checkpoint.tensors.values()];
  // A file may contain tensors that the engine does not compute with, such as a second copy of the embedding.
  const used = new Set(resolveTensors(checkpoint).all.map((tensor) => tensor.name));
  const tensors = list.map(({ name, type, packing, shape, bytes, file }) => ({
    ...{ name, type: packing === undefined ? type : `${type} from ${packing}`, shape, bytes, file },
    used: used.has(name),
  }));
  return {
    name,
    family: config.family,
    config,
    metadata,
    parameters: list.filter((tensor) => used.has(tensor.name)).reduce((sum, tensor) => sum + sizeOf(tensor), 0),
    bytes: list.reduce((sum, tensor) => sum + tensor.bytes, 0),
    tensors,
  };
}

const sizeOf = ({ shape }: TensorInfo) => shape.reduce((product, size) => product * size, 1);
const grouped = (value: number) => value.toLocaleString('en');

function page({ name, family, config, parameters, bytes, tensors, metadata }: Summary): string {
  const { kind, gated } = config.feedForward;
  const files = [...new Set(tensors.map(({ file }) => file))].map(printable);
  const rows: [string, string][] = [
    ['family', `${family}, ${kind}${gated ? ' gated' : ''} feed-forward, head ${config.scaleHead ? '' : 'not '}scaled`],
    ['layers', `${config.encoderLayers} encoder, ${config.decoderLayers} decoder`],
    [
      'sizes',
      `dModel ${config.dModel}, ${config.heads} heads of ${config.dKv}, dFf ${config.dFf}, vocabulary ${config.vocabularySize}`,
    ],
    ['parameters', grouped(parameters)],
    ['tensors', `${tensors.length} in ${files.join(', ')}: ${types(tensors)}; ${grouped(bytes)} bytes`],
    ...Object.entries(metadata).map(([key, value]): [string, string] => [
      `metadata ${printable(key)}`,
      printable(value),
    ]),
  ];
  const lines = tensors.map((tensor) => [
    printable(tensor.name),
    tensor.type,
    `[${tensor.shape.join(', ')}]`,
    `${grouped(tensor.bytes)} bytes`,
    tensor.used ? '' : '(not used)',
  ]);
  const left = { align: 'left' } as const;
  const list = columns(lines, [left, left, left, { align: 'right' }, left], '  ');
  return `${printable(name)}\n${facts(rows)}\n${list}`;
}

function types(tensors: readonly { readonly type: string }[]): string {
  const counts = new Map<string, number>();
  for (const { type } of tensors) counts.set(type, (counts.get(type) ?? 0) + 1);
  return [...counts].map(([type, count]) => `${count} ${type}`).join(', ');
}
