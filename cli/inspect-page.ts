import { printable } from '../common';
import type { Outcome } from '../weights';
import type { Summary } from './inspect-summary';
import { columns, facts } from './table';

const OUTCOMES: readonly Outcome[] = ['refused', 'followed', 'no effect'];

const grouped = (value: number) => value.toLocaleString('en');

/** What `tandem inspect` prints. */
export function pageOf(summary: Summary): string {
  const { name, family, config, parameters, bytes, tokenizer, tensors, metadata } = summary;
  const { kind, gated } = config.feedForward;
  const files = [...new Set(tensors.map(({ file }) => file))].map(printable);
  const rows: [string, string][] = [
    ['family', `${family}, ${kind}${gated ? ' gated' : ''} feed-forward, head ${config.scaleHead ? '' : 'not '}scaled`],
    ['layers', `${config.encoderLayers} encoder, ${config.decoderLayers} decoder`],
    [
      'sizes',
      `dModel ${config.dModel}, ${config.heads} heads of ${config.dKv}, dFf ${config.dFf}, vocabulary ${config.vocabularySize}`,
    ],
    ['parameters', parameters === null ? 'unknown: it cannot be loaded' : grouped(parameters)],
    ['tokenizer', printable(tokenizer)],
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
  return `${printable(name)}\n${facts(rows)}\n${list}${statementsOf(summary)}`;
}

/** What becomes of every key, by files: first what is refused, then what is followed. */
function statementsOf({ statements }: Summary): string {
  const files = [...new Set(statements.map(({ file }) => file))];
  const left = { align: 'left' } as const;
  const parts = files.map((file) => {
    const lines = OUTCOMES.flatMap((outcome) =>
      statements
        .filter((one) => one.file === file && one.outcome === outcome)
        .map(({ key, value, note }) => [outcome, `${printable(key)} ${printable(value)}`, printable(note)]),
    );
    return `\n${printable(file)}\n${columns(lines, [left, left, left], '  ')}`;
  });
  return parts.join('');
}

function types(tensors: readonly { readonly type: string }[]): string {
  const counts = new Map<string, number>();
  for (const { type } of tensors) counts.set(type, (counts.get(type) ?? 0) + 1);
  return [...counts].map(([type, count]) => `${count} ${type}`).join(', ');
}
