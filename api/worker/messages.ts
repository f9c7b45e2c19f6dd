import { type ErrorCode, TandemError } from '../../common';
import { DecodingError } from '../../decoding';
import { EngineError } from '../../engine';
import { KernelError } from '../../kernels';
import { WeightsError } from '../../weights';
import type { EmbedOptions } from '../embed-options';
import type { LoadedFacts } from '../engine';
import type { LoadPlan } from '../load';
import type { ScoreOptions } from '../score-options';
import type { DecodeIdsOptions, EncodeInputOptions } from '../text-options';
import type {
  CompareOptions,
  GenerateOptions,
  Input,
  LoadOptions,
  MeasureCostsOptions,
  Notice,
  Progress,
  StreamEvent,
} from '../types';

/** Options without what stays on the side of the caller: functions and signals. */
export type SentLoadOptions = Omit<LoadOptions, 'draft' | 'prefix' | 'worker' | 'signal' | 'onProgress' | 'onNotice'>;
export type Sent<Options> = Omit<Options, 'signal' | 'processors' | 'prefixAllowedTokens' | 'trace' | 'onEncoding'>;

/** What the worker is asked. Each question has a number and gets one answer. */
export type Question =
  | { readonly ask: 'load'; readonly plan: LoadPlan; readonly options: SentLoadOptions }
  /** Starts a call whose events are then asked for one by one; its number is that of this question. */
  | { readonly ask: 'decode'; readonly inputs: readonly Input[]; readonly options: Sent<GenerateOptions> }
  /** Starts a call whose events are told as they come. The answer follows the last one. */
  | { readonly ask: 'decodeAll'; readonly inputs: readonly Input[]; readonly options: Sent<GenerateOptions> }
  /** The next event of the call that question `call` started; the answer is null after the last one. */
  | { readonly ask: 'next'; readonly call: number }
  /** Ends the call that question `call` started. */
  | { readonly ask: 'end'; readonly call: number }
  | { readonly ask: 'compare'; readonly input: Input; readonly options: Sent<CompareOptions> }
  | { readonly ask: 'measureCosts'; readonly input: Input; readonly options: Sent<MeasureCostsOptions> }
  | {
      readonly ask: 'score';
      readonly source: Input;
      readonly targets: readonly Input[];
      readonly options: Sent<ScoreOptions>;
    }
  | { readonly ask: 'embed'; readonly inputs: readonly Input[]; readonly options: Sent<EmbedOptions> }
  | { readonly ask: 'encode'; readonly input: Input; readonly options: EncodeInputOptions }
  | { readonly ask: 'decodeIds'; readonly ids: readonly number[]; readonly options: DecodeIdsOptions };

/** From the caller to the worker. `abort` cancels what the question of this number started, and has no answer. */
export type ToWorker = { readonly number: number; readonly question: Question } | { readonly abort: number };

/** From the worker to the caller. */
export type FromWorker =
  | { readonly answer: number; readonly value: unknown }
  | { readonly answer: number; readonly error: SentError }
  /** An event of the call that question `call` started. */
  | { readonly call: number; readonly event: SentEvent }
  | { readonly progress: Progress }
  | { readonly notice: Notice };

/** An event as data. */
export type SentEvent =
  | Exclude<StreamEvent, { kind: 'failed' }>
  | { readonly kind: 'failed'; readonly index: number; readonly error: SentError };

export function eventToData(event: StreamEvent): SentEvent {
  return event.kind === 'failed' ? { ...event, error: errorToData(event.error) } : event;
}

export function eventFromData(event: SentEvent): StreamEvent {
  return event.kind === 'failed' ? { ...event, error: errorFromData(event.error) } : event;
}

/** The answer to `load`. */
export type LoadAnswer = LoadedFacts;

/** An error as data: a clone of an error would lose its class and its code. */
export interface SentError {
  readonly name: string;
  readonly message: string;
  readonly code?: ErrorCode;
  readonly stack?: string;
  readonly cause?: SentError;
}

/** How deep the causes of an error are sent. */
const MOST_CAUSES = 4;

export function errorToData(error: unknown, causes = MOST_CAUSES): SentError {
  if (!(error instanceof Error)) return { name: 'Error', message: String(error) };
  const { name, message, stack, cause } = error;
  const code = error instanceof TandemError ? error.code : undefined;
  return {
    name,
    message,
    code,
    stack,
    cause: cause instanceof Error && causes > 0 ? errorToData(cause, causes - 1) : undefined,
  };
}

const CLASSES = { TandemError, WeightsError, KernelError, EngineError, DecodingError } as const;

type AnyTandemError = new (code: never, message: string, options?: ErrorOptions) => TandemError;

/** An error of the class, code, message and stack that it had in the worker. */
export function errorFromData({ name, message, code, stack, cause }: SentError): Error {
  const options = cause ? { cause: errorFromData(cause) } : undefined;
  const known = (CLASSES as Record<string, unknown>)[name] as AnyTandemError | undefined;
  const error = code !== undefined && known ? new known(code as never, message, options) : new Error(message, options);
  if (error.name !== name) Object.defineProperty(error, 'name', { value: name, configurable: true });
  if (stack !== undefined) error.stack = stack;
  return error;
}
