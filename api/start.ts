import { ASYNC_DISPOSE, quoted, TandemError } from '../common';
import type { Checkpoint, GenerationStart, StatedSetting, Way } from '../weights';
import { GENERATE_OPTIONS } from './options';
import type { CompareOptions, GenerateOptions } from './types';

/** How to have none of what a checkpoint states. */
const INSTEAD = 'load with generationConfig: false to start from nothing';

/**
 * The options of a call with what the checkpoint states wherever the caller says nothing, as in Hugging Face's `generate`. A
 * setting of sampling has an effect only where tokens are sampled, and one of beams only in a beam search: what a checkpoint
 * states for another way of decoding stays out.
 *
 * @param vocabulary number of token ids; tokens that the vocabulary does not have need not be suppressed
 * @throws TandemError `config-invalid` for what the checkpoint states and Tandem does not do, or does not take as a value
 */
export function optionsInForce(
  start: GenerationStart | null,
  options: GenerateOptions,
  vocabulary: number,
): GenerateOptions {
  if (start === null) return options;
  const way = wayOf(start, options);
  for (const { key, value, why, way: only } of start.refused) {
    if (only !== undefined && only !== way) continue;
    throw refused(start, key, value, why);
  }
  const taken: Record<string, unknown> = {};
  for (const [name, stated] of Object.entries(start.settings)) {
    if (isSaid(options, name) || (stated.way !== undefined && stated.way !== way)) continue;
    taken[name] = checked(start, name, { ...stated, value: withoutUnknown(name, stated.value, vocabulary) });
  }
  if (way === 'sampling' && start.doSample && options.temperature === undefined) taken.temperature ??= 1;
  const { numReturnSequences } = taken as GenerateOptions;
  if (way === 'greedy' && (numReturnSequences ?? 1) > 1) {
    const why = 'greedy decoding has one sequence';
    throw refused(start, start.settings.numReturnSequences.key, numReturnSequences, why);
  }
  if (taken.numBeams === 1) delete taken.numBeams; // which is no search
  return { ...taken, ...said(options) };
}

/** As `optionsInForce`, for a comparison, which is of one sequence without beams. @throws TandemError `config-invalid` */
export function comparedInForce(
  start: GenerationStart | null,
  options: CompareOptions,
  vocabulary: number,
): CompareOptions {
  const inForce = optionsInForce(start, options, vocabulary);
  for (const name of ['numBeams', 'numReturnSequences'] as const) {
    const stated = start?.settings[name];
    if (start === null || stated === undefined || inForce[name] === undefined) continue;
    throw refused(start, stated.key, stated.value, 'one sequence is compared, without beams');
  }
  return inForce;
}

/** What is said of the first token is said by either name. */
function isSaid(options: GenerateOptions, name: string): boolean {
  if (name === 'forcedBosToken' && options.forcedPrefix !== undefined) return true;
  return options[name as keyof GenerateOptions] !== undefined;
}

function said(options: GenerateOptions): GenerateOptions {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
}

/** How a call decodes. @throws TandemError `config-invalid` where the checkpoint asks for beams that sample */
function wayOf(start: GenerationStart, options: GenerateOptions): Way {
  const { settings, doSample } = start;
  const beams = options.numBeams ?? checked(start, 'numBeams', settings.numBeams) ?? 1;
  const stated = settings.temperature ?? { key: 'temperature', value: 1 };
  const temperature = options.temperature ?? (doSample ? checked(start, 'temperature', stated) : 0);
  if ((beams as number) <= 1) return (temperature as number) > 0 ? 'sampling' : 'greedy';
  if ((temperature as number) > 0 && (options.numBeams === undefined || options.temperature === undefined)) {
    const [key, value] = options.temperature === undefined ? ['do_sample', doSample] : ['num_beams', beams];
    throw refused(start, key, value, 'a beam search does not sample: say numBeams: 1, or temperature: 0');
  }
  return 'beams';
}

/** Tokens to suppress that there are; the others never come out anyway. */
function withoutUnknown(name: string, value: unknown, vocabulary: number): unknown {
  if (!/^(begin)?suppressTokens$/i.test(name) || !Array.isArray(value)) return value;
  return value.filter((id) => !Number.isInteger(id) || (id >= 0 && id < vocabulary));
}

function checked(start: GenerationStart, name: string, stated: StatedSetting | undefined): unknown {
  if (stated === undefined) return undefined;
  const { expected, holds } = GENERATE_OPTIONS[name as keyof GenerateOptions];
  const positive = name === 'temperature' && stated.value === 0; // which Hugging Face refuses where it samples
  if (holds(stated.value) && !positive) return stated.value;
  throw refused(start, stated.key, stated.value, `expected ${positive ? 'a number above 0' : expected} for ${name}`);
}

function refused({ file }: GenerationStart, key: string, value: unknown, why: string): TandemError {
  return new TandemError('config-invalid', `${file}: ${key} ${quoted(value)} is refused: ${why}; ${INSTEAD}`);
}

/**
 * Runs the check of a call's options. Where they do not go together and the checkpoint states some of them, the error says so.
 *
 * @param given what the caller said
 */
export function checkInForce(
  start: GenerationStart | null,
  given: GenerateOptions,
  inForce: GenerateOptions,
  check: (options: GenerateOptions) => void,
): void {
  try {
    check(inForce);
  } catch (error) {
    const names = Object.keys(inForce).filter((name) => given[name as keyof GenerateOptions] === undefined);
    const message = error instanceof TandemError ? error.message : '';
    const concerned = names.filter((name) => message.startsWith(`${name}:`) || message.includes(name));
    if (!(error instanceof TandemError) || start === null || concerned.length === 0) throw error;
    const stated = concerned.map((name) => `${start.settings[name]?.key ?? name} as ${name}`).join(', ');
    throw new TandemError(error.code, `${message}; ${start.file} states ${stated}; ${INSTEAD}`);
  }
}

/** The checkpoint as its config.json alone says it. What is read from it are weights. */
export function withoutGeneration(checkpoint: Checkpoint): Checkpoint {
  const { generation } = checkpoint;
  if (!generation) return checkpoint;
  const { name, config, tensors, metadata, refused: refusals } = checkpoint;
  return {
    ...{ name, tensors, metadata, refused: refusals },
    config: { ...config, ...generation.plain },
    read: (...range) => checkpoint.read(...range),
    tokenizer: () => checkpoint.tokenizer(),
    dispose: () => checkpoint.dispose(),
    [ASYNC_DISPOSE]: () => checkpoint.dispose(),
  };
}
