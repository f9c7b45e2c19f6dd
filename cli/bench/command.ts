import { cpus } from 'node:os';
import type { Command } from 'commander';
import { bundledPair, GENERATE_OPTIONS, LOAD_OPTIONS, VERSION } from '../../api';
import { roofline } from '../../bench/index';
import { flagged, listOf, type OptionTable, oneOf, text, whole } from '../../common';
import { DEFAULTS } from '../../decoding';
import type { BackendName, Dtype } from '../../kernels';
import { CommandError } from '../failure';
import { checkWritable, writeText } from '../files';
import { addFlags } from '../flags';
import { checkLoadFlags, DRAFT_FLAGS, type LoadFlags, MODEL_FLAG } from '../generate/flags';
import { loadTandem, runFacts } from '../loading';
import { checkModels } from '../models';
import { countProgress } from '../progress';
import { columns, facts } from '../table';
import { jsonLine } from '../terminal';
import { VERBOSITY } from '../verbosity';
import { type DecodeFigures, KERNELS, type KernelFigures, measureDecode, measureKernels } from './measure';

export interface BenchFlags extends LoadFlags {
  readonly kernels?: readonly string[];
  readonly types?: readonly Dtype[];
  readonly rows?: readonly number[];
  readonly full?: boolean;
  readonly only?: 'kernels' | 'decode';
  readonly text?: readonly string[];
  readonly gamma?: number | 'auto';
  readonly maxNewTokens?: number;
  readonly svg?: string;
  readonly json?: boolean;
}

const [TYPES, ROWS]: [readonly Dtype[], readonly number[]] = [
  ['f32', 'bf16', 'q8'],
  [1, 8],
];

const FLAGS: OptionTable = {
  only: { ...oneOf('kernels', 'decode'), about: 'measure kernels alone, or whole texts alone', flag: '--only <part>' },
  kernels: {
    ...listOf(oneOf(...KERNELS), `some of ${KERNELS.join(', ')}`, 1),
    about: `kernels to measure: some of ${KERNELS.join(', ')} (default: all)`,
    flag: '--kernels <names>',
  },
  types: {
    ...listOf(oneOf(...TYPES), 'some of f32, bf16, q8', 1),
    about: 'types of weights of the kernels (default: f32,bf16,q8)',
    flag: '--types <types>',
  },
  rows: {
    ...listOf(whole(1, 128), 'whole numbers from 1 to 128', 1),
    about: 'rows a call of the kernels (default: 1,8)',
    flag: '--rows <counts>',
  },
  full: {
    ...flagged,
    about: 'all shapes of T5-small and T5-base, with weights from memory; takes minutes',
    flag: '--full',
  },
  svg: { ...text(1), about: 'write the roofline picture of the kernels to a file', flag: '--svg <path>' },
  text: {
    ...listOf(text(1), 'texts, none of them empty'),
    parse: undefined, // a text may hold commas: the flag is given several times
    about: 'a text to decode (default: the examples of the bundled pair); may be given again',
    flag: '--text <text>',
  },
  ...MODEL_FLAG,
  gamma: {
    ...GENERATE_OPTIONS.gamma,
    about: `draft tokens proposed each round, or auto (default: ${DEFAULTS.fixedGamma})`,
  },
  maxNewTokens: GENERATE_OPTIONS.maxNewTokens,
  json: { ...flagged, about: 'print one JSON object', flag: '--json' },
};

const EXAMPLES = `
Examples:
  tandem bench --svg roofline.svg                     kernels and whole texts of the bundled pair, and the picture
  tandem bench --only kernels --kernels matmul --types q8 --rows 1,4,16 --full
  tandem bench --only decode --model google/flan-t5-base --draft google/flan-t5-small --text "translate English to German: Hello."

Figures hold for a machine that does nothing else. Ratios of one run are more reliable than figures of two runs.`;

/** Puts the flags of `tandem bench` on a command. */
export function addBenchFlags(command: Command): Command {
  command.description(
    'measure this machine: kernels beside its own limits (roofline), and whole texts with and without the draft',
  );
  for (const table of [FLAGS, LOAD_OPTIONS, DRAFT_FLAGS, VERBOSITY]) addFlags(command, table);
  return command.addHelpText('after', EXAMPLES);
}

/** `tandem bench`. */
export async function bench(flags: BenchFlags, signal: AbortSignal): Promise<void> {
  await checkFlags(flags);
  const kernels = flags.only === 'decode' ? null : await runKernels(flags, signal);
  if (kernels !== null && flags.svg !== undefined) await writeText(flags.svg, pictureOf(kernels));
  const decode = flags.only === 'kernels' ? null : await runDecode(flags, signal);
  const machine = {
    version: VERSION,
    node: process.version,
    platform: `${process.platform}-${process.arch}`,
    processor: cpus()[0]?.model.trim() ?? 'unknown',
    cores: cpus().length,
  };
  if (flags.json) return void process.stdout.write(jsonLine({ ...machine, kernels, decode }));
  const { version, node, platform, processor, cores } = machine;
  process.stdout.write(
    `tandem ${version}, Node ${node} on ${platform}, ${processor}, ${cores} threads of the processor\n`,
  );
  if (kernels !== null) process.stdout.write(kernelPage(kernels));
  if (decode !== null) process.stdout.write(decodePage(decode));
}

async function checkFlags(flags: BenchFlags): Promise<void> {
  const { only, model, svg, text: texts, kernels, types, rows, full, backend = 'auto' } = flags;
  checkLoadFlags(flags);
  const alone = (part: string, given: readonly (readonly [string, unknown])[]) => {
    const word = given.find(([, value]) => value !== undefined)?.[0];
    if (only === part && word !== undefined) {
      throw new CommandError('argument-invalid', `expected no ${word} beside --only ${part}, found both`);
    }
  };
  alone('decode', [
    ['--svg', svg],
    ['--kernels', kernels],
    ['--types', types],
    ['--rows', rows],
    ['--full', full],
  ]);
  alone('kernels', [
    ['--text', texts],
    ['--model', model],
    ['--gamma', flags.gamma],
    ['--max-new-tokens', flags.maxNewTokens],
  ]);
  if (only !== 'decode' && backend === 'gpu') {
    throw new CommandError(
      'argument-invalid',
      'expected --only decode beside --backend gpu: limits of a GPU are not measured here',
    );
  }
  if (model !== undefined && texts === undefined) {
    throw new CommandError('argument-invalid', 'bench: expected --text beside --model, found none');
  }
  await checkModels(flags);
  if (svg !== undefined) await checkWritable(svg);
}

async function runKernels(flags: BenchFlags, signal: AbortSignal): Promise<KernelFigures> {
  const {
    kernels = KERNELS,
    types = TYPES,
    rows = ROWS,
    full = false,
    backend = 'auto',
    threads,
    level,
    wide = 'auto',
  } = flags;
  const name: BackendName = backend === 'auto' ? 'wasm' : backend;
  const options = name === 'wasm' ? { threads, level, wide } : {};
  let bar: ReturnType<typeof countProgress> | null = null;
  const onCase = (done: number, total: number) => {
    bar ??= countProgress('kernels', total, flags.quiet);
    bar.update(done);
  };
  try {
    return await measureKernels({ kernels, backend: name, options, types, rows, full, signal, onCase });
  } finally {
    (bar as ReturnType<typeof countProgress> | null)?.stop();
  }
}

async function runDecode(flags: BenchFlags, signal: AbortSignal) {
  const { gamma = DEFAULTS.fixedGamma, maxNewTokens } = flags;
  const tandem = await loadTandem(flags, signal);
  try {
    const texts = flags.text ?? (await bundledPair()).examples;
    const figures = await measureDecode(tandem, texts, { gamma, maxNewTokens, signal });
    return { ...runFacts(tandem), ...figures };
  } finally {
    await tandem.dispose();
  }
}

function pictureOf({ label, limits, kernels }: KernelFigures): string {
  const figures = kernels.flatMap((kernel) =>
    kernel.figures.map((figure) => ({ ...figure, shape: `${kernel.name}, ${figure.shape}` })),
  );
  return roofline('tandem bench: roofline of this machine', [{ label, limits, figures }]);
}

const HEAD = ['kernel', 'shape', 'type', 'rows', 'µs', '±%', 'GB/s', 'GFLOP/s', 'of limit'];

function kernelPage({ label, limits, kernels }: KernelFigures): string {
  const int8 = limits.peakInt8GOps === undefined ? '' : `, int8 ${limits.peakInt8GOps.toFixed(1)} GOP/s`;
  const rows = kernels.flatMap(({ name, figures }) =>
    figures.map((figure) => [
      name,
      figure.shape,
      figure.type,
      figure.rows,
      figure.microseconds.toPrecision(4),
      figure.margin.toFixed(1),
      figure.gigabytesPerSecond.toPrecision(3),
      figure.gigaflops.toPrecision(3),
      `${(100 * figure.shareOfLimit).toFixed(0)}%`,
    ]),
  );
  const layout = HEAD.map((_, i) => ({ align: i < 3 ? ('left' as const) : ('right' as const) }));
  return `\nkernels on ${label}; limits of this machine: memory ${limits.streamGBs.toFixed(1)} GB/s, arithmetic ${limits.peakGFlops.toFixed(1)} GFLOP/s${int8}\n${columns([HEAD, ...rows], layout, '  ')}`;
}

function decodePage(found: DecodeFigures & Awaited<ReturnType<typeof runDecode>>): string {
  const { target, draft, dtype, backend, texts, tokens, plain, speculative, speedup, equal } = found;
  const fixed = (value: number | null, digits: number) => value?.toFixed(digits) ?? '';
  const rows: [string, string][] = [['without a draft', `${plain.toFixed(1)} tokens/s`]];
  if (speculative !== null) {
    rows.push([
      'with the draft',
      `${speculative.toFixed(1)} tokens/s, ${fixed(speedup, 2)}×; texts ${equal ? 'equal' : 'DIFFER'}`,
    ]);
    const { acceptanceRate, c, v, tokensPerTargetCall } = found;
    rows.push([
      'α, c, v',
      `${fixed(acceptanceRate, 3)}, ${fixed(c, 3)}, ${fixed(v, 2)}; ${fixed(tokensPerTargetCall, 2)} tokens a target call`,
    ]);
  }
  const where = `${backend.name} (${backend.level}), ${backend.threads} threads`;
  return `\n${target}${draft === null ? '' : ` with ${draft}`}, ${dtype} on ${where}: ${texts} texts, ${tokens} tokens, greedy\n${facts(rows)}`;
}
