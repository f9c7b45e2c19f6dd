import type { EmbedOptions } from '../api';
import { flagged, oneOf, text } from '../common';
import { type BodyRules, readBody } from './body';
import { badField } from './failure';
import { INPUTS, inputsOf } from './fields';
import { checkModel } from './models';
import type { Serving } from './serving';
import { idsOf } from './sources';

const BODY: BodyRules = {
  followed: {
    model: text(1),
    input: INPUTS,
    encoding_format: oneOf('float', 'base64'),
    pooling: oneOf('auto', 'mean'),
    normalize: flagged,
    user: text(),
  },
  neutral: {
    dimensions: { holds: () => false, why: 'vectors are as wide as the model makes them' },
  },
};

/** `POST /v1/embeddings` */
export async function embeddings(serving: Serving, request: Request): Promise<Response> {
  const fields = await readBody(request, BODY);
  checkModel(serving, fields.model);
  if (fields.input === undefined) throw badField('input', 'expected text or token ids, found none', 'missing');
  const inputs = inputsOf(fields.input);
  const { lengths } = await idsOf(serving, inputs, {}, 'input');
  const tokens = lengths.reduce((sum, length) => sum + length, 0);
  const options = { pooling: fields.pooling, normalize: fields.normalize } as EmbedOptions;
  const place = serving.places.take(1, 'input');
  const abort = new AbortController();
  const end = () => abort.abort();
  for (const signal of [request.signal, serving.ended]) signal.addEventListener('abort', end, { signal: abort.signal });
  try {
    const vectors = await serving.tandem.embed(inputs, { ...options, signal: abort.signal });
    serving.metrics.tokens.inc({ kind: 'prompt' }, tokens);
    const form = fields.encoding_format === 'base64' ? base64Of : (vector: Float32Array) => Array.from(vector);
    return Response.json({
      object: 'list',
      data: vectors.map((vector, index) => ({ object: 'embedding', index, embedding: form(vector) })),
      model: serving.name,
      usage: { prompt_tokens: tokens, total_tokens: tokens },
    });
  } finally {
    place.leave();
    end(); // takes the listeners away
  }
}

/** Float32, little-endian, as OpenAI sends it. */
function base64Of(vector: Float32Array): string {
  return Buffer.from(vector.buffer, vector.byteOffset, vector.byteLength).toString('base64');
}
