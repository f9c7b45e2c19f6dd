import { randomInt } from 'node:crypto';
import type { GenerateOptions } from '../api';
import { TandemError } from '../common';
import { DEFAULTS } from '../decoding';
import { readBody } from './body';
import { badField, RequestError } from './failure';
import { COMPLETION_BODY, inFieldNames, inputsOf, optionsOf } from './fields';
import { checkModel } from './models';
import type { Serving } from './serving';
import { idsOf } from './sources';

/** A request for completions that can be done. */
export interface CompletionRequest {
  readonly sources: readonly (readonly number[])[];
  /** How many ids of each the model sees. */
  readonly lengths: readonly number[];
  /** Options as they are in force. */
  readonly options: GenerateOptions;
  /** Sequences of each source. */
  readonly n: number;
  readonly seed: number | null;
  readonly isStream: boolean;
  readonly includeUsage: boolean;
}

/** Seeds that are drawn where a request that samples names none. */
const SEEDS = 2 ** 31;

/** Reads and checks a request. @throws RequestError that names the field */
export async function readCompletion(serving: Serving, request: Request): Promise<CompletionRequest> {
  const fields = await readBody(request, COMPLETION_BODY);
  checkModel(serving, fields.model);
  if (fields.prompt === undefined) throw badField('prompt', 'expected text or token ids, found none', 'missing');
  const isStream = fields.stream === true;
  if (fields.stream_options !== undefined && !isStream) {
    throw badField('stream_options', 'expected none where stream is not true');
  }
  const { seed, ...options } = inForce(serving, optionsOf(fields));
  const isSampled = (options.temperature ?? 0) > 0;
  const drawn = isSampled ? (seed ?? randomInt(SEEDS)) : null;
  const { parseSpecial } = options;
  const truncate = options.truncate as number | undefined;
  const { ids, lengths } = await idsOf(serving, inputsOf(fields.prompt), { truncate, parseSpecial }, 'prompt');
  return {
    ...{ sources: ids, lengths },
    options: { ...options, seed: drawn ?? seed },
    n: options.numReturnSequences ?? 1,
    ...{ seed: drawn, isStream },
    includeUsage: (fields.stream_options as { include_usage?: boolean } | undefined)?.include_usage === true,
  };
}

/** The options with what the checkpoint states, within the limit of new tokens. */
function inForce({ tandem, settings }: Serving, given: GenerateOptions): GenerateOptions {
  const { limitTokens } = settings;
  if ((given.maxNewTokens ?? 0) > limitTokens) {
    throw badField('max_tokens', `expected at most ${limitTokens}, found ${given.maxNewTokens}`);
  }
  try {
    const options = tandem.resolveOptions({ ...usualGamma(settings.gamma, given), ...given });
    return { ...options, maxNewTokens: Math.min(limitTokens, options.maxNewTokens ?? DEFAULTS.maxNewTokens) };
  } catch (error) {
    if (!(error instanceof TandemError)) throw error;
    const { message, param } = inFieldNames(error.message);
    throw new RequestError(400, message, { param, code: error.code, cause: error });
  }
}

/** The server's own γ, unless the request says how to draft or asks for what that γ does not go with. */
function usualGamma(gamma: number | 'auto' | undefined, given: GenerateOptions): Pick<GenerateOptions, 'gamma'> {
  const { branching, numBeams = 1, lenience = 1, verification = 'coupled' } = given;
  if (gamma === undefined || branching !== undefined) return {};
  if (gamma === 'auto' && (numBeams > 1 || lenience < 1 || verification !== 'coupled')) return {};
  return { gamma };
}
