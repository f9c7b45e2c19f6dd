import { bundledPair, checkGenerate, checkGiven, type Tandem } from '../../api';
import { CommandError, EXIT } from '../failure';
import { loadTandem } from '../loading';
import { checkModels } from '../models';
import { encodingProgress } from '../progress';
import { withSettings } from '../settings';
import { tellDecoded } from '../verbosity';
import { checkDrafted, checkGenerateFlags, type GenerateFlags, generateOptions } from './flags';
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
export async function generateCommand(words: readonly string[], given: GenerateFlags, call: Call): Promise<void> {
  const { signal } = call;
  const flags = await withSettings(given, signal);
  const { model, file, document, ids } = flags;
  checkGenerateFlags(flags);
  checkBefore(flags);
  await checkModels(flags);
  const asked = [words[0], file, document, ids, model].some((one) => one !== undefined);
  const showcase = !asked && !call.named;
  const items = showcase ? textInputs((await bundledPair()).examples) : await readInputs(words, flags, signal);
  const traces = await traceFile(flags.trace);
  try {
    const tandem = await loadTandem(flags, signal);
    try {
      checkDrafted(flags, tandem);
      checkLevel(tandem, flags);
      await decode(tandem, items, { flags, showcase, traces, signal });
    } finally {
      await tandem.dispose();
    }
  } finally {
    traces?.close();
  }
}

/** Refuses options before anything is read, downloaded or loaded. What a checkpoint states can make good what is left out. */
function checkBefore(flags: GenerateFlags): void {
  const options = generateOptions(flags);
  if (flags.model === undefined || flags.generationConfig === false) checkGenerate(options, 'generate', 1);
  else checkGiven(options, 'generate');
}

interface Work {
  readonly flags: GenerateFlags;
  readonly showcase: boolean;
  readonly traces: TraceFile | null;
  readonly signal: AbortSignal;
}

async function decode(tandem: Tandem, items: readonly Item[], work: Work): Promise<void> {
  const { flags, showcase, traces, signal } = work;
  const inputs = items.filter((item) => item.kind === 'input');
  const bar = encodingProgress(flags.quiet);
  const options = { ...tandem.resolveOptions(generateOptions(flags)), signal, onEncoding: bar.update };
  const compare = flags.compare === true || (showcase && tandem.drafter !== null && options.gamma !== 0);
  const colours = coloursFor(process.stdout, flags.color);
  const terminal = process.stdout.isTTY === true;
  const setting = {
    tandem,
    options,
    colours,
    showcase,
    terminal,
    several: items.length > 1,
    quiet: flags.quiet === true,
  };
  const printer = flags.json ? jsonPrinter(setting) : textPrinter(setting);
  const started = performance.now();
  const events = told(runAll(tandem, inputs, { options, compare, traces }), inputs, flags);
  const failures = (await printInOrder(items, events, printer).finally(bar.stop)).length;
  printer.close((performance.now() - started) / 1000);
  if (failures === 0) return;
  process.exitCode = EXIT.failed;
  if (!setting.several && !flags.json) return; // the error has been printed, and there is no other line
  const lines = items.filter((item) => item.kind !== 'blank').length;
  if (!flags.quiet) process.stderr.write(`tandem: ${lines - failures} of ${lines} lines decoded\n`);
}

/** Refuses a backend at another level than the one that was asked for: `auto` may have fallen back. */
function checkLevel(tandem: Tandem, { level }: GenerateFlags): void {
  const { name, level: found, reason = `${name} (${found})` } = tandem.backend;
  if (level === undefined || level === 'auto' || level === found) return;
  throw new CommandError('unavailable', `--level: expected ${level}, found ${reason}`);
}

/** The events, and for --verbose a line on standard error of what each input took. */
async function* told(events: ReturnType<typeof runAll>, inputs: readonly Input[], flags: GenerateFlags) {
  for await (const event of events) {
    yield event;
    if (event.kind === 'done') tellDecoded(flags, `line ${inputs[event.index].line}`, event.outcome.result.metrics);
  }
}
