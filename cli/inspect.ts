import { type Checkpoint, fromPretrained, resolveTensors, type TensorInfo } from '../weights';

export interface InspectFlags {
  readonly json?: boolean;
  readonly offline?: boolean;
  readonly revision?: string;
}

/** `tandem inspect`: tensors, types, sizes, family and parameter count, from headers alone. */
export async function inspect(path: string, { json, offline, revision }: InspectFlags): Promise<void> {
  const checkpoint = await fromPretrained(path, { offline, revision, lazy: true });
  try {
    process.stdout.write(json ? `${JSON.stringify(summary(checkpoint))}\n` : page(checkpoint));
  } finally {
    await checkpoint.dispose();
  }
}

const count = ({ shape }: TensorInfo) => shape.reduce((product, size) => product * size, 1);

function summary({ name, config, tensors, metadata }: Checkpoint) {
  const list = [...tensors.values()];
  const used = new Set(resolvedNames({ name, config, tensors }));
  return {
    name,
    family: config.family,
    config,
    metadata,
    parameters: list.filter((tensor) => used.has(tensor.name)).reduce((total, tensor) => total + count(tensor), 0),
    bytes: list.reduce((total, tensor) => total + tensor.bytes, 0),
    tensors: list.map(({ name, type, shape, bytes, file }) => ({
      name,
      type,
      shape,
      bytes,
      file,
      used: used.has(name),
    })),
  };
}

/** Tensors that the engine computes with; a file may hold more, such as a second copy of the table. */
function resolvedNames(checkpoint: Pick<Checkpoint, 'name' | 'config' | 'tensors'>): readonly string[] {
  return resolveTensors(checkpoint).all;
}

function page(checkpoint: Checkpoint): string {
  const { name, family, config, parameters, bytes, tensors, metadata } = summary(checkpoint);
  const ff = config.feedForward;
  const facts: [string, string][] = [
    [
      'family',
      `${family}, ${ff.kind}${ff.gated ? ' gated' : ''} feed-forward, head ${config.scaleHead ? 'scaled' : 'not scaled'}`,
    ],
    ['layers', `${config.encoderLayers} encoder, ${config.decoderLayers} decoder`],
    [
      'sizes',
      `dModel ${config.dModel}, ${config.heads} heads of ${config.dKv}, dFf ${config.dFf}, vocabulary ${config.vocabularySize}`,
    ],
    ['parameters', parameters.toLocaleString('en')],
    [
      'tensors',
      `${tensors.length} in ${files(tensors).join(', ')}: ${types(tensors)}; ${bytes.toLocaleString('en')} bytes`,
    ],
    ...Object.entries(metadata).map(([key, value]): [string, string] => [`metadata ${key}`, value]),
  ];
  const labels = Math.max(...facts.map(([label]) => label.length)) + 2;
  const width = Math.max(...tensors.map((tensor) => tensor.name.length));
  const rows = tensors.map(({ name, type, shape, bytes, used }) => {
    const size = `${type.padEnd(5)} [${shape.join(', ')}]`.padEnd(24);
    return `  ${name.padEnd(width)}  ${size} ${bytes.toLocaleString('en').padStart(14)} bytes${used ? '' : '  (not used)'}`;
  });
  return `${[name, ...facts.map(([label, value]) => `${label.padEnd(labels)}${value}`), '', ...rows].join('\n')}\n`;
}

function files(tensors: readonly { readonly file: string }[]): string[] {
  return [...new Set(tensors.map(({ file }) => file))];
}

function types(tensors: readonly { readonly type: string }[]): string {
  const counts = new Map<string, number>();
  for (const { type } of tensors) counts.set(type, (counts.get(type) ?? 0) + 1);
  return [...counts].map(([type, number]) => `${number} ${type}`).join(', ');
}
