import { nearest, type OptionRule, parseShallowJson, quoted } from '../common';
import { badField, RequestError } from './failure';

export type Fields = Readonly<Record<string, unknown>>;

/** What a route's body may have. */
export interface BodyRules {
  /** Fields that are followed. */
  readonly followed: Readonly<Record<string, Pick<OptionRule, 'expected' | 'holds'>>>;
  /** Fields of OpenAI's that are not followed, and the values at which they would have no effect anyway. */
  readonly neutral: Readonly<Record<string, { readonly holds: (value: unknown) => boolean; readonly why: string }>>;
}

/**
 * The fields of a request's JSON body, all of them known and of the right type. One that is null counts as left out, as in
 * OpenAI's own server.
 *
 * @throws RequestError 415 for another type, 400 for what is no JSON object or has a field that is not followed
 */
export async function readBody(request: Request, { followed, neutral }: BodyRules): Promise<Fields> {
  const type = request.headers.get('content-type')?.split(';')[0].trim().toLowerCase();
  if (type !== 'application/json') {
    const found = type === undefined ? 'none' : quoted(type);
    throw new RequestError(415, `Content-Type: expected application/json, found ${found}`, {
      code: 'unsupported_media_type',
    });
  }
  const body = parse(new Uint8Array(await request.arrayBuffer()));
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    throw new RequestError(400, `body: expected a JSON object, found ${quoted(body)}`, { code: 'invalid_json' });
  }
  const fields: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(body)) {
    if (Object.hasOwn(neutral, name)) checkNeutral(name, value, neutral[name]);
    else if (!Object.hasOwn(followed, name)) throw unknown(name, Object.keys(followed));
    else if (value !== null) {
      const { expected, holds } = followed[name];
      if (!holds(value)) throw badField(name, `expected ${expected}, found ${quoted(value)}`);
      fields[name] = value;
    }
  }
  return fields;
}

function parse(bytes: Uint8Array): unknown {
  try {
    return parseShallowJson(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (error) {
    const found = error instanceof SyntaxError ? error.message : 'bytes that are no UTF-8';
    throw new RequestError(400, `body: expected JSON, found ${quoted(found)}`, { code: 'invalid_json' });
  }
}

function checkNeutral(name: string, value: unknown, rule: { holds(value: unknown): boolean; why: string }): void {
  if (value === null || rule.holds(value)) return;
  throw badField(name, `expected none, found ${quoted(value)}: ${rule.why}`, 'unsupported_parameter');
}

function unknown(name: string, known: readonly string[]): RequestError {
  const near = nearest(name, known);
  const hint = near ? `did you mean '${near}'?` : `known are ${known.join(', ')}`;
  return new RequestError(400, `unknown field ${quoted(name)}; ${hint}`, { param: name, code: 'unknown_parameter' });
}
