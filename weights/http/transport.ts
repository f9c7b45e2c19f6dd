/** What a transport is told of one request. */
export interface TransportRequest {
  readonly method: 'GET' | 'HEAD';
  readonly headers: Readonly<Record<string, string>>;
  /** Ends the request, and the body of its answer. */
  readonly signal: AbortSignal;
}

/**
 * Sends one request and gives its answer. In Node it follows no redirect, so that the client decides what each further
 * address may see. Rejects when no answer came.
 */
export type Transport = (url: string, request: TransportRequest) => Promise<Response>;
