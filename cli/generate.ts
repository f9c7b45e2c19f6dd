import { bundledPair, type GenerateOptions, Tandem } from '../api';
import { decodeBatch } from './batch';
import { searchAll } from './beams';
import { decodeAll } from './decode';
import { CommandError, EXIT } from './failure';
import { beamOptions, checkGenerateFlags, type GenerateFlags, generateOptions, loadOptions } from './generateFlags';
import { type Input, readInputs, sourceOf } from './inputs';
import { jsonPrinter } from './json';
import { coloursFor } from './paint';
import { loadProgress } from './progress';
import { textPrinter } from './text';
import { traceFile } from './traces';

interface Call {
  readonly signal: AbortSignal;
  /** Whether `generate` was typed: then standard input is read where there is no TEXT. */
  readonly named: boolean;
}

/** `tandem generate`: decodes every input in turn; what is finished stays, whatever happens to the next. */
export async function generateCommand(words: readonly string[], flags: GenerateFlags, call: Call): Promise<void> {
  checkGenerateFlags(flags);
  const beams = beamOptions(flags, call.signal);
  const load = loadOptions(flags, call.signal);
  const asked = words.length > 0 || flags.file !== undefined || flags.ids !== undefined || flags.model !== undefined;
  const showcase = !asked && !call.named;
  const inputs = showcase ? await examples() : await readInputs(words, flags);
  const traces = traceFile(flags.trace);
  const progress = loadProgress();
  const hub = { ...load.hub, onProgress: progress.download };
  const tandem = await Tandem.load({ ...load, hub, onProgress: progress.update }).finally(progress.stop);
  try {
    checkLevel(tandem, flags);
    if (beams) return await searchAll(tandem, inputs, beams, flags.json === true);
    const options = await withCosts(tandem, inputs[0], flags, generateOptions(flags, call.signal));
    const terminal = process.stdout.isTTY === true;
    const compare = flags.compare ?? (showcase || (terminal && flags.json !== true && flags.batch === undefined));
    const able = tandem.drafter !== null && options.gamma !== 0;
    const setting = { tandem, options, colours: coloursFor(process.stdout, flags.color), showcase };
    const printer = flags.json ? jsonPrinter(setting) : textPrinter(setting);
    if (flags.batch !== undefined) await decodeBatch(tandem, inputs, { options, printer, concurrency: flags.batch });
    else await decodeAll(tandem, inputs, { options, printer, compare: compare && able, traces });
  } finally {
    traces?.close();
    await tandem.dispose();
  }
}

/** Rows of the largest call that costs are measured for: the largest that γ adapts to. */
const MOST_ROWS = 17;

/** Costs are measured once, before anything is decoded, and stay: the same costs and seed give the same text. */
async function withCosts(
  tandem: Tandem,
  input: Input,
  { gamma }: GenerateFlags,
  options: GenerateOptions,
): Promise<GenerateOptions> {
  if (gamma !== 'auto') return options;
  return { ...options, costs: await tandem.measureCosts(sourceOf(input), MOST_ROWS) };
}

/** `auto` would rather give another backend than none; a level that was asked for by name is another matter. */
function checkLevel(tandem: Tandem, { level }: GenerateFlags): void {
  const { name, level: found, reason = `${name} (${found})` } = tandem.backend;
  if (level === undefined || level === 'auto' || level === found) return;
  throw new CommandError(`level: expected ${level}, found ${reason}`, EXIT.failed);
}

async function examples(): Promise<Input[]> {
  return (await bundledPair()).examples.map((text) => ({ text }));
}
