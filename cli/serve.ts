import type { Command } from 'commander';
import { LOAD_OPTIONS } from '../api';
import { type OptionTable, printable } from '../common';
import { DEFAULTS } from '../decoding';
import { type Answered, SERVE_OPTIONS, type ServeOptions, startServer } from '../server';
import { untilAborted } from './event-loop';
import { CommandError, oneLine } from './failure';
import { addFlags, optionsOf } from './flags';
import { checkLoadFlags, DRAFT_FLAGS, type LoadFlags, MODEL_FLAG } from './generate/flags';
import type { Patience } from './guard';
import { loadTandem } from './loading';
import { checkModels } from './models';
import { SETTINGS_FLAG, type SettingsFlag, withSettings } from './settings';
import { VERBOSITY } from './verbosity';

/** Flags of `tandem serve`: those of loading and those of the server. */
export interface ServeFlags extends LoadFlags, SettingsFlag, ServeOptions {}

const OUTPUT_FLAGS: OptionTable = {
  ...VERBOSITY,
  quiet: {
    ...VERBOSITY.quiet,
    about: 'print the address and errors alone: no progress, no notices, no line for each request',
  },
};

const EXAMPLES = `
Examples:
  tandem serve                                                     the bundled pair on http://127.0.0.1:8080
  tandem serve --model google/flan-t5-base --draft self --port 0   a free port; the address is printed
  TANDEM_API_KEY=… tandem serve --host 0.0.0.0                     for other machines, with a key
  curl http://127.0.0.1:8080/v1/completions -H 'Content-Type: application/json' -d '{"prompt": "Thou art the man."}'

Ctrl-C or SIGTERM: no new requests; those that run have --grace seconds to end, and the exit code is 0 when all of them did.
A second signal ends at once.`;

/** Puts the flags of `tandem serve` on a command. */
export function addServeFlags(command: Command): Command {
  command.description('serve a model over HTTP, with the routes of OpenAI: completions, embeddings, models');
  const tables = [MODEL_FLAG, SETTINGS_FLAG, LOAD_OPTIONS, DRAFT_FLAGS, SERVE_OPTIONS, OUTPUT_FLAGS];
  for (const table of tables) addFlags(command, table);
  return command.addHelpText('after', EXAMPLES);
}

const OPEN = 'tandem: there is no API key, and other machines may reach this address: whoever does can use the model\n';

/** Time for what comes after the requests have ended or were cut off. */
const ENDING_MS = 5000;

/** `tandem serve`: until a signal. */
export async function serve(typed: ServeFlags, signal: AbortSignal, patience: Patience): Promise<void> {
  const flags = await withSettings(typed, signal);
  const { quiet } = flags;
  checkLoadFlags(flags);
  checkGamma(flags);
  await checkModels(flags);
  const apiKey = flags.apiKey ?? keyOfEnvironment();
  const options: ServeOptions = { ...optionsOf(flags, SERVE_OPTIONS), apiKey };
  const { concurrency = DEFAULTS.concurrency } = flags;
  // The engine runs in a worker, so that this thread answers while it works.
  const tandem = await loadTandem(flags, signal, { worker: true, continuousBatching: concurrency });
  try {
    const server = await startServer(tandem, options, quiet ? undefined : printAnswered);
    patience(server.grace * 1000 + ENDING_MS);
    process.stdout.write(`tandem: serving ${printable(server.name)} on ${server.address}\n`);
    if (apiKey === undefined && !server.isLocal) process.stderr.write(OPEN);
    await untilAborted(signal);
    if (!quiet) process.stderr.write('tandem: stopping; waiting for the requests that run\n');
    if (!(await server.stop())) throw new CommandError('aborted', 'serve: requests were cut off, which --grace allows');
  } finally {
    await tandem.dispose();
  }
}

/** Refuses γ where nothing drafts. */
function checkGamma({ gamma = 0, model, draft }: ServeFlags): void {
  if (gamma === 0 || (draft === undefined ? model === undefined : draft.length > 0)) return;
  throw new CommandError('argument-invalid', 'serve: expected a draft beside --gamma, found none');
}

function keyOfEnvironment(): string | undefined {
  const key = process.env.TANDEM_API_KEY;
  if (key === '')
    throw new CommandError('option-invalid', 'TANDEM_API_KEY: expected text that is not empty, found none');
  return key;
}

function printAnswered({ method, route, status, seconds, error }: Answered): void {
  const time = new Date().toISOString();
  process.stderr.write(`${time} ${printable(method)} ${route} ${status} ${(seconds * 1000).toFixed(0)} ms\n`);
  if (status >= 500 && error !== undefined) {
    const cause = (error as { cause?: unknown }).cause ?? error;
    process.stderr.write(`tandem: ${oneLine(cause)}\n`);
  }
}
