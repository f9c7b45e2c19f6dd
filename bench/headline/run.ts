/**
 * Measures what speculation gains at the sizes of real models, on real text: `npm run bench -- headline [--shapes base,3b,xxl] [--dtype q8]
 * [--draft small,self,self:q8:copy] [--draft-dtype q8] [--gammas auto,3,5,7] [--temperatures 0,1] [--passages 4] [--tokens 64] [--backend wasm] [--threads 2]
 * [--folder DIR]`.
 *
 * The bundled pair is grown to the shapes (scripts/grow-checkpoint.ts): it writes the text that it always writes, so that α is that of a trained pair,
 * and each step costs what it costs in the real shape. Each passage is decoded without a draft and with each draft and γ in turns. γ 'auto' learns its costs
 * in a passage that is not counted, and above temperature 0 it has coupled verification, as by default, also without a draft. The bench fails where a text
 * that cannot depend on the draft differs from the one without.
 */
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { table } from '../../cli/table';
import {
  addTallies,
  collect,
  copyDrafter,
  type Drafter,
  generate,
  type Metrics,
  measuredSpeedup,
  metricsOf,
  modelDrafter,
  PairCosts,
  selfDrafter,
  type Tally,
} from '../../decoding';
import { TABLE_2 } from '../../decoding/gamma/published';
import type { FileDtype, T5Model } from '../../engine';
import { type Backend, type BackendName, createBackend, type Dtype, WEIGHT_TYPES } from '../../kernels';
import { heldOut } from '../harness/heldOut';
import { threadsFor } from '../harness/threads';
import { machineLines, residentBytes } from './machine';
import { directoryOf, type LoadedModel, load } from './models';

const ROOT = join(__dirname, '..', '..');

interface Options {
  readonly shapes: readonly string[];
  /** Type of the target's weights; null takes float32 up to t5-large, and q8 above. */
  readonly dtype: FileDtype | null;
  /** Shapes of drafts, `copy`, and `self`, `self:TYPE`, `self:DRAFT` or `self:TYPE:DRAFT`, where DRAFT drafts for the target's copy. */
  readonly drafts: readonly string[];
  readonly draftDtypes: readonly Dtype[];
  readonly gammas: readonly (number | 'auto')[];
  readonly temperatures: readonly number[];
  readonly passages: number;
  readonly tokens: number;
  readonly backend: BackendName;
  /** Threads of the backend, where it may be wasm. */
  readonly threads: number;
  readonly folder: string;
}

/** A list of names with commas between them. A shape of numbers has commas too, and a semicolon stands between two of them. */
const words = (text: string) => text.split(/;|,(?!\d)|(?<!\d),/);

function parse(argv: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      shapes: { type: 'string', default: 'base' },
      dtype: { type: 'string' },
      draft: { type: 'string', default: 'small,self' },
      'draft-dtype': { type: 'string', default: 'q8' },
      gammas: { type: 'string', default: 'auto,3,5,7' },
      temperatures: { type: 'string', default: '0,1' },
      passages: { type: 'string', default: '4' },
      tokens: { type: 'string', default: '64' },
      backend: { type: 'string', default: 'wasm' },
      threads: { type: 'string', default: '2' },
      folder: { type: 'string', default: join(ROOT, 'build', 'grown') },
    },
  });
  return {
    shapes: words(values.shapes),
    dtype: (values.dtype as FileDtype | undefined) ?? null,
    drafts: words(values.draft),
    draftDtypes: values['draft-dtype'].split(',') as Dtype[],
    gammas: values.gammas.split(',').map((gamma) => (gamma === 'auto' ? gamma : Number(gamma))),
    temperatures: values.temperatures.split(',').map(Number),
    passages: Number(values.passages),
    tokens: Number(values.tokens),
    backend: values.backend as BackendName,
    threads: Number(values.threads),
    folder: values.folder,
  };
}

/** Runs the bench; returns the number of cases that it measured. */
export async function headlineBench(argv: readonly string[]): Promise<number> {
  const options = parse(argv);
  let cases = 0;
  for (const shape of options.shapes) {
    const threads = threadsFor(options.backend, options.threads);
    const backend = await createBackend(options.backend, { threads, wide: 'auto' });
    try {
      console.log(`\n${machineLines(backend).join('\n')}`);
      cases += await measureShape(backend, shape, options);
    } finally {
      await backend.dispose();
    }
  }
  console.log(`The paper (arXiv 2211.17192, table 2): T5-XXL of 11 B parameters on one TPU v4\n${paperTable()}`);
  return cases;
}

const HEAD = ['draft', 'T', 'γ', 'α', 'c', 'v', 'tokens/call', 'tokens/s without', 'with', 'speed-up'];

/** One way to draft. */
interface Way {
  readonly name: string;
  readonly drafter: Drafter;
}

/** What `self`, `self:TYPE`, `self:DRAFT` and `self:TYPE:DRAFT` say; null for every other name. */
function selfOf(name: string): { readonly dtype: Dtype | null; readonly first: string | null } | null {
  const [self, ...rest] = name.split(':');
  if (self !== 'self') return null;
  const dtype = WEIGHT_TYPES.find((type) => type === rest[0]) ?? null;
  return { dtype, first: rest.slice(dtype === null ? 0 : 1).join(':') || null };
}

/** Types that the target's decoder is to be kept in a second time, each once. */
function copiesOf({ drafts, draftDtypes }: Options): Dtype[] {
  const named = drafts.flatMap((name) => {
    const self = selfOf(name);
    return self === null ? [] : self.dtype === null ? draftDtypes : [self.dtype];
  });
  return [...new Set(named)];
}

/** Gives the number of cases. Each temperature has a table, which is printed when it is done: a large shape takes minutes. */
async function measureShape(backend: Backend, shape: string, options: Options): Promise<number> {
  const dtype = options.dtype ?? (shape === '3b' || shape === 'xxl' ? 'q8' : 'f32');
  const directory = await directoryOf({ source: 'modernize-target', shape, dtype }, options.folder);
  const copies = copiesOf(options).filter((type) => type !== dtype);
  if (copies.length > 1)
    throw new Error(`headline: expected one type of the target's copy, found ${copies.join(', ')}`);
  const target = await load(directory, backend, { dtype, copy: copies[0] ?? null });
  printLoad(shape, target);
  const drafts = new Map<string, T5Model>();
  const drafterOf = async (name: string, type: Dtype): Promise<Drafter> => {
    if (name === 'copy') return copyDrafter(target.model.vocabularySize);
    const self = selfOf(name);
    if (self)
      return selfDrafter(target.model, name, self.first ? { drafter: await drafterOf(self.first, type) } : null);
    const from = await directoryOf({ source: 'modernize-draft', shape: name, dtype: 'f32' }, options.folder);
    const model = drafts.get(name + type) ?? (await load(from, backend, { dtype: type })).model;
    drafts.set(name + type, model);
    return modelDrafter(model);
  };
  const ways: Way[] = [];
  for (const name of options.drafts) {
    const types = name === 'copy' ? options.draftDtypes.slice(0, 1) : selfOf(name) ? copies : options.draftDtypes;
    for (const type of types) {
      ways.push({ name: name === 'copy' ? name : `${name} ${type}`, drafter: await drafterOf(name, type) });
    }
  }
  const sources = await heldOut(directory, options.passages);
  let cases = 0;
  for (const temperature of options.temperatures) {
    const lines = await measure(target.model, ways, { ...options, sources, temperature });
    console.log(`\n${table(HEAD, lines)}`);
    cases += lines.length;
  }
  console.log(`${gigabytes(residentBytes())} resident at the end`);
  for (const model of [target.model, ...drafts.values()]) model.dispose();
  return cases;
}

function printLoad(shape: string, { model, seconds, residentBytes: resident }: LoadedModel): void {
  const copy = model.copyDtype === null ? '' : `, its decoder also as ${model.copyDtype}`;
  const size = `${(model.parameters / 1e6).toFixed(0)} M parameters as ${model.dtype}${copy}`;
  console.log(
    `target     ${shape}: ${size}; ${gigabytes(model.weightBytes)} of weights, loaded in ${seconds.toFixed(1)} s, ${gigabytes(resident)} resident`,
  );
}

const gigabytes = (bytes: number) => `${(bytes / 1e9).toFixed(2)} GB`;

interface Plan extends Pick<Options, 'gammas' | 'tokens'> {
  readonly temperature: number;
  readonly sources: readonly (readonly number[])[];
}

/** One way to draft with one γ, and what came of it. */
interface Case extends Way {
  readonly gamma: number | 'auto';
  /** Whether tokens are drawn by numbers that the draft shares. Then the text is the one without a draft at every temperature. */
  readonly isCoupled: boolean;
  /** What γ 'auto' learns. */
  readonly costs: PairCosts;
  readonly found: Metrics[];
}

/** Decodes every passage without a draft and in every way, in turns. The first passage is also the warm-up. */
async function measure(
  target: T5Model,
  ways: readonly Way[],
  { sources, gammas, temperature, tokens }: Plan,
): Promise<string[][]> {
  const cases = ways.flatMap((way) =>
    gammas.map((gamma): Case => {
      const isCoupled = gamma === 'auto' && temperature > 0;
      return { ...way, gamma, isCoupled, costs: new PairCosts(), found: [] };
    }),
  );
  const plain = new Map(cases.map(({ isCoupled }) => [isCoupled, [] as Metrics[]]));
  for (const [i, source] of [sources[0], ...sources].entries()) {
    const run = async (one: Case | null, isCoupled: boolean) => {
      const verification = isCoupled ? ('coupled' as const) : undefined;
      const maxNewTokens = i === 0 && one?.gamma !== 'auto' ? 8 : tokens;
      const settings = { gamma: one?.gamma ?? 0, temperature, verification, seed: i, maxNewTokens };
      return collect(generate({ target, drafter: one?.drafter, costs: one?.costs, source, settings }));
    };
    const alone = new Map<boolean, string>();
    for (const [isCoupled, metrics] of plain) {
      const result = await run(null, isCoupled);
      alone.set(isCoupled, result.ids.join());
      if (i > 0) metrics.push(result.metrics);
    }
    for (const one of cases) {
      const { ids, metrics } = await run(one, one.isCoupled);
      if (i > 0) one.found.push(metrics);
      if (i === 0 || (temperature > 0 && !one.isCoupled) || ids.join() === alone.get(one.isCoupled)) continue;
      throw new Error(`headline: expected the ids without a draft, found others with ${one.name}, γ ${one.gamma}`);
    }
  }
  return cases.map(({ name, gamma, isCoupled, found }) => {
    const unit = decoding(addTallies(plain.get(isCoupled) ?? []));
    return lineOf([name, `${temperature}`, `${gamma}`], addTallies(found), unit);
  });
}

/** A tally without the encoder, whose work is the same with and without a draft. */
function decoding(tally: Tally): Tally {
  return { ...tally, seconds: tally.targetSeconds + tally.draftSeconds };
}

function lineOf(names: readonly string[], tally: Tally, plain: Tally): string[] {
  const { acceptanceRate, costRatio, verifyRatio, tokensPerTargetCall } = metricsOf(tally, { plain });
  const speed = ({ newTokens, seconds }: Tally) => (newTokens / seconds).toPrecision(3);
  return [
    ...[...names, acceptanceRate.toFixed(3)],
    ...[(costRatio ?? 0).toFixed(3), (verifyRatio ?? 0).toFixed(2), tokensPerTargetCall.toFixed(2)],
    ...[speed(plain), speed(decoding(tally)), `${measuredSpeedup(decoding(tally), plain).toFixed(2)}×`],
  ];
}

function paperTable(): string {
  const rows = TABLE_2.filter(({ draft }) => draft === 'small').map((row) => [
    ...[row.task, row.temperature, row.gamma, row.alpha.toFixed(2), row.c.toFixed(2), `${row.measured.toFixed(1)}×`],
  ]);
  return table(['task, draft T5-small', 'T', 'γ', 'α', 'c', 'speed-up'], rows);
}
