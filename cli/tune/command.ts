import { basename } from 'node:path';
import { bundledPair, checkGiven, type GenerateOptions } from '../../api';
import { printable } from '../../common';
import type { Dtype } from '../../kernels';
import { CommandError } from '../failure';
import { checkWritable, writeText } from '../files';
import { optionsOf } from '../flags';
import { hasModel } from '../generate/flags';
import { readInputs } from '../generate/inputs';
import { loadTandem } from '../loading';
import { checkModels } from '../models';
import { countProgress } from '../progress';
import { type Settings, settingsText } from '../settings';
import { jsonLine } from '../terminal';
import { type Candidate, candidatesOf, fits } from './candidates';
import { type Choice, choose, type Tried, type TriedType } from './choose';
import { checkTuneFlags, givenDrafts, TEXTS, TUNE_DECODING, type TuneFlags } from './flags';
import { type DraftJob, measureDraft, plainSpeed, type Text } from './measure';
import { asData, type Findings, page, seriesOf } from './page';
import { picture } from './picture';

/** `tandem tune`: everything that can be refused is refused before a model is loaded. */
export async function tune(words: readonly string[], flags: TuneFlags, signal: AbortSignal): Promise<void> {
  const { model, limit = TEXTS, svg, out, json, gammas = [] } = flags;
  checkTuneFlags(flags);
  const options = optionsOf(flags, TUNE_DECODING) as GenerateOptions;
  checkGiven(options, 'tune');
  await checkModels({ model, draft: givenDrafts(flags).flat() });
  for (const path of [svg, out]) if (path !== undefined) await checkWritable(path);
  const all = await textsOf(words, flags, signal);
  const texts = atEqualDistances(all, limit);
  const job: Omit<DraftJob, 'onStep'> = { texts, options, gammas, signal };
  const types: TriedType[] = [];
  let facts: Pick<Findings, 'target' | 'backend' | 'temperature'> | null = null;
  for (const asked of new Set(flags.dtypes ?? [undefined])) {
    const opened = await tryType(asked, flags, job);
    facts ??= opened.facts;
    types.push(opened.type);
  }
  const choice = choose(types);
  const settings = settingsOf(choice, flags);
  const found: Findings = {
    ...(facts as NonNullable<typeof facts>),
    ...{ texts: texts.length, of: all.length, types, choice, settings },
  };
  if (svg !== undefined) await writeText(svg, picture(`tandem tune: ${found.target}`, seriesOf(found)));
  if (out !== undefined) await writeText(out, settingsText(settings));
  process.stdout.write(json ? jsonLine(asData(found)) : page(found));
}

async function textsOf(words: readonly string[], flags: TuneFlags, signal: AbortSignal): Promise<Text[]> {
  if (words.length === 0 && flags.file === undefined) {
    if (flags.model === undefined) return [...(await bundledPair()).examples];
    throw new CommandError('argument-invalid', 'tune: expected a text or --file beside --model, found none');
  }
  const texts: Text[] = [];
  for (const item of await readInputs(words, flags, signal)) {
    if (item.kind === 'broken') throw item.error;
    if (item.kind === 'input') texts.push(item.source);
  }
  return texts;
}

/** So many of the texts, spread over all of them. */
export function atEqualDistances<T>(all: readonly T[], limit: number): T[] {
  const count = Math.min(limit, all.length);
  return Array.from({ length: count }, (_, i) => all[Math.floor((i * all.length) / count)]);
}

/** Tries every draft beside the target in one type. One pair is in memory at a time. */
async function tryType(asked: Dtype | undefined, flags: TuneFlags, job: Omit<DraftJob, 'onStep'>) {
  const alone = await loaded(flags, { dtype: asked, draft: [] }, job.signal);
  const { name: target, dtype, hasDecoder } = alone.target;
  const { backend } = alone;
  const candidates: Candidate[] = [];
  const { temperature = 0 } = alone.resolveOptions(job.options);
  let plain = 0;
  try {
    if (!hasDecoder || alone.core === null) {
      throw new CommandError('argument-invalid', `tune: expected a model that generates, found ${target}, an encoder`);
    }
    const bundled = flags.model === undefined ? basename((await bundledPair()).draft) : null;
    const given = givenDrafts(flags);
    const layers = alone.core.target.config.decoderLayers;
    candidates.push(...candidatesOf({ given, only: flags.onlyGiven === true, bundled, layers }));
    plain = await plainSpeed(alone, { ...job, onStep: () => undefined });
  } finally {
    await alone.dispose();
  }
  const [fitting, others] = [
    candidates.filter((one) => fits(one, dtype)),
    candidates.filter((one) => !fits(one, dtype)),
  ];
  const tried: Tried[] = [];
  for (const candidate of fitting) {
    tried.push(await tryDraft(candidate, { asked, flags, job: { ...job, v: tried[0]?.costs.v } }));
  }
  const speeds = tried.flatMap(({ points }) => points.map((point) => point.plainTokensPerSecond));
  const type: TriedType = {
    ...{ asked, dtype, v: tried[0]?.costs.v ?? [], tried, leftOut: others.map(({ name }) => name) },
    plain: speeds.length === 0 ? plain : median(speeds),
  };
  return { type, facts: { target, backend, temperature } };
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1];
}

interface Trial {
  readonly asked: Dtype | undefined;
  readonly flags: TuneFlags;
  readonly job: Omit<DraftJob, 'onStep'>;
}

/** What a bar counts to for each draft. */
const STEPS = 100;

async function tryDraft(candidate: Candidate, { asked, flags, job }: Trial): Promise<Tried> {
  const tandem = await loaded(flags, { dtype: asked, draft: candidate.draft }, job.signal);
  const bar = countProgress(printable(candidate.name), STEPS, flags.quiet);
  try {
    const onStep = (share: number) => bar.update(Math.round(share * STEPS));
    return { candidate, ...(await measureDraft(tandem, { ...job, onStep })) };
  } finally {
    bar.stop();
    await tandem.dispose();
  }
}

/** Loads the target with a draft; null is the draft that comes with the bundled pair. */
function loaded(flags: TuneFlags, pair: Pick<Candidate, 'draft'> & { dtype?: Dtype }, signal: AbortSignal) {
  const { dtype, draft } = pair;
  const draftRevision = draft === null ? undefined : flags.draftRevision; // the bundled pair is not on the hub
  return loadTandem({ ...flags, draftRevision, dtype, draft: draft ?? undefined }, signal);
}

/** The best setting as options: what was chosen, and what the command line said that the figures depend on. */
function settingsOf({ type, draft, gamma }: Choice, flags: TuneFlags): Settings {
  const { model, revision, draftDtype, draftRevision, prefix, backend, threads, level, wide } = flags;
  const isModel = draft !== null && (draft.draft ?? []).some(hasModel);
  const isBundled = draft !== null && draft.draft === null;
  const settings: Settings = {
    ...{ model, revision, dtype: type.asked, draft: draft === null ? [] : (draft.draft ?? undefined) },
    draftDtype: isModel || isBundled ? draftDtype : undefined,
    draftRevision: isModel ? draftRevision : undefined,
    ...{ prefix, backend, threads, level, wide, gamma: draft === null ? undefined : gamma },
  };
  return Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== undefined));
}
