import { type ErrorCode, INPUT_ERRORS, printable, TandemError } from '../common';

type Kind = 'invalid_request_error' | 'authentication_error' | 'rate_limit_error' | 'server_error';

/** A refusal or a failure in OpenAI's shape. */
export class RequestError extends Error {
  override readonly name = 'RequestError';
  constructor(
    readonly status: 400 | 401 | 403 | 404 | 405 | 413 | 415 | 429 | 500 | 503,
    message: string,
    readonly details: {
      readonly type?: Kind;
      readonly code?: string;
      /** The field that it is about. */
      readonly param?: string;
      readonly headers?: Readonly<Record<string, string>>;
      readonly cause?: unknown;
    } = {},
  ) {
    super(message, { cause: details.cause });
  }

  /** `{ error: { message, type, param, code } }` */
  get body(): { readonly error: object } {
    const { type = 'invalid_request_error', code = null, param = null } = this.details;
    return { error: { message: this.message, type, param, code } };
  }

  get response(): Response {
    return Response.json(this.body, { status: this.status, headers: this.details.headers });
  }
}

/** A field whose value is not accepted. */
export function badField(param: string, message: string, code = 'invalid_value'): RequestError {
  return new RequestError(400, `${param}: ${message}`, { param, code });
}

/** Codes that mean: the request asks for something that cannot be done. */
const OF_REQUEST: readonly ErrorCode[] = [...INPUT_ERRORS, 'tensor-missing'];

/** Any error as an answer. What is not the request's fault says only its code: the message may name files of the server. */
export function failureOf(error: unknown): RequestError {
  if (error instanceof RequestError) return error;
  const code = error instanceof TandemError ? error.code : undefined;
  if (code !== undefined && OF_REQUEST.includes(code)) {
    return new RequestError(400, printable((error as Error).message), { code, cause: error });
  }
  if (code === 'aborted' || code === 'disposed') return stopping();
  return new RequestError(500, `the server failed${code ? `: ${code}` : ''}`, {
    ...{ type: 'server_error', code: code ?? 'internal_error', cause: error },
  });
}

/** The answer while the server ends. */
export function stopping(): RequestError {
  return new RequestError(503, 'the server is stopping', {
    ...{ type: 'server_error', code: 'stopping' },
    headers: { 'Retry-After': '5', Connection: 'close' },
  });
}
