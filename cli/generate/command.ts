import { bundledPair, type GenerateOptions, Tandem } from '../../api';
import { CommandError, EXIT } from '../failure';
import { askingHub, checkDraftNames, checkModelName } from '../models';
import { loadProgress } from '../progress';
import { searchAll } from './beams';
import { beamOptions, checkGenerateFlags, type GenerateFlags, generateOptions, loadOptions } from './flags';
import { type Input, type Item, readInputs, textInputs } from './inputs';
import { jsonPrinter } from './json';
import { printInOrder } from './order';
import { coloursFor } from './paint';
import { runAll } from './runs';
import { textPrinter } from './text';
import { type TraceFile, traceFile } from './traces';

interface Call {
  readonly signal: AbortSignal;
  /** Whether `generate` was typed. Only then is standard input read where no text is given. */
  readonly named: boolean;
}

/** `tandem generate`: decodes every input and prints it. What is finished is printed, even when a later input fails. */
export async function generateCommand(words: readonly string[], flags: GenerateFlags, call: Call): Promise<void> {
  checkGenerateFlags(flags);
  if (flags.model !== undefined) checkModelName(flags.model, '--model');
  if (flags.draft !== undefined) checkDraftNames(flags.draft);
  const asked = words.length > 0 || flags.file !== undefined || flags.ids !== undefined || flags.model !== undefined;
  const showcase = !asked && !call.named;
  const items = showcase ? textInputs((await bundledPair()).examples) : await readInputs(words, flags, call.signal);
  const traces = await traceFile(flags.trace);
  const tandem = await loaded(flags, call.signal);
  try {
    checkLevel(tandem, flags);
    await decode(tandem, items, { flags, showcase, traces, signal: call.signal });
  } finally {
    traces?.close();
    await tandem.dispose();
  }
}

async function loaded(flags: GenerateFlags, signal: AbortSignal): Promise<Tandem> {
  const load = loadOptions(flags, signal);
  const progress = loadProgress();
  const names = [flags.model, ...(flags.draft?.split(',') ?? [])].filter((name) => name !== undefined);
  return askingHub(names, () => Tandem.load(flags.model, { ...load, onProgress: progress.update })).finally(
    progress.stop,
  );
}

interface Work {
  readonly flags: GenerateFlags;
  readonly showcase: boolean;
  readonly traces: TraceFile | null;
  readonly signal: AbortSignal;
}

async function decode(
  tandem: Tandem,
  items: readonly Item[],
  { flags, showcase, traces, signal }: Work,
): Promise<void> {
  const inputs = items.filter((item) => item.kind === 'input');
  const beams = beamOptions(flags, signal);
  if (beams) return searchAll(tandem, inputs, beams, flags.json === true);
  const options = await withCosts(tandem, inputs, flags, generateOptions(flags, signal));
  const able = tandem.drafter !== null && options.gamma !== 0;
  const compare = able && (flags.compare === true || showcase);
  const colours = coloursFor(process.stdout, flags.color);
  const terminal = process.stdout.isTTY === true;
  const setting = { tandem, options, colours, showcase, terminal, several: items.length > 1 };
  const printer = flags.json ? jsonPrinter(setting) : textPrinter(setting);
  const started = performance.now();
  const events = runAll(tandem, inputs, { options, compare, traces, concurrency: flags.batch ?? 1 });
  const failures = (await printInOrder(items, events, printer)).length;
  printer.close((performance.now() - started) / 1000);
  if (failures === 0) return;
  process.exitCode = EXIT.failed;
  if (!setting.several && !flags.json) return;
  const lines = items.filter((item) => item.kind !== 'blank').length;
  process.stderr.write(`tandem: ${lines - failures} of ${lines} lines decoded\n`);
}

/** Rows of the largest call whose cost is measured: γ adapts up to one token less. */
const MOST_ROWS = 17;

/** Measures costs before anything is decoded. They stay the same for all inputs: the same costs and seed give the same text. */
async function withCosts(
  tandem: Tandem,
  inputs: readonly Input[],
  { gamma }: GenerateFlags,
  options: GenerateOptions,
): Promise<GenerateOptions> {
  if (gamma !== 'auto' || inputs.length === 0) return options;
  return { ...options, costs: await tandem.measureCosts(inputs[0].source, { rows: MOST_ROWS }) };
}

/** Refuses a backend at another level than the one that was asked for: `auto` may have fallen back. */
function checkLevel(tandem: Tandem, { level }: GenerateFlags): void {
  const { name, level: found, reason = `${name} (${found})` } = tandem.backend;
  if (level === undefined || level === 'auto' || level === found) return;
  throw new CommandError('unavailable', `--level: expected ${level}, found ${reason}`);
}
