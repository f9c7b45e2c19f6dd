import { Tandem } from 'tandem-t5';

// A model is loaded once, by the first request, and serves all of them.
let loading;

export const dynamic = 'force-dynamic';

/** GET /api/text?source=… rewrites the source with the bundled pair. A client that goes away ends its decoding. */
export async function GET(request) {
  const source = new URL(request.url).searchParams.get('source') ?? '';
  if (source.trim() === '') return Response.json({ error: 'source: expected a text, found none' }, { status: 400 });
  loading ??= Tandem.load();
  const tandem = await loading;
  const { text } = await tandem.generate(source, { maxNewTokens: 64, signal: request.signal });
  return Response.json({ text });
}
