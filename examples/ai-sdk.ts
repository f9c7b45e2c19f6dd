/**
 * A provider for the AI SDK (https://ai-sdk.dev): a T5 as a language model and as an embedding model.
 *
 *   const t5 = createTandem(await Tandem.load('google/flan-t5-base', { draft: 'self' }));
 *   const { text, providerMetadata } = await generateText({ model: t5('flan-t5-base'), prompt: 'Translate to German: Good morning.' });
 *   for await (const piece of streamText({ model: t5('flan-t5-base'), prompt: '…' }).textStream) process.stdout.write(piece);
 *   const { embeddings } = await embedMany({ model: t5.embedding('flan-t5-base'), values: ['one', 'two'] });
 *
 * A T5 has one source and no chat: the texts of system and user are joined by newlines, and tools, files and earlier answers are
 * refused. `providerMetadata.tandem` has the acceptance of draft tokens and the tokens of each target call.
 */
import type {
  EmbeddingModelV3,
  LanguageModelV3,
  LanguageModelV3CallOptions,
  LanguageModelV3FinishReason,
  LanguageModelV3Prompt,
  LanguageModelV3StreamPart,
  LanguageModelV3Usage,
  SharedV3Warning,
} from '@ai-sdk/provider';
import type { GenerateOptions, Metrics, Result, Tandem } from 'tandem-t5';

export interface TandemProvider {
  (modelId: string, settings?: GenerateOptions): LanguageModelV3;
  /** Vectors of texts, by the checkpoint's own pooling. */
  embedding(modelId: string): EmbeddingModelV3;
}

/** @param tandem a loaded model; whoever loaded it disposes it */
export function createTandem(tandem: Tandem): TandemProvider {
  const provider = (modelId: string, settings: GenerateOptions = {}) => languageModel(tandem, modelId, settings);
  return Object.assign(provider, { embedding: (modelId: string) => embeddingModel(tandem, modelId) });
}

function languageModel(tandem: Tandem, modelId: string, settings: GenerateOptions): LanguageModelV3 {
  return {
    specificationVersion: 'v3',
    provider: 'tandem',
    modelId,
    supportedUrls: {},
    async doGenerate(options) {
      const { source, call, warnings } = requestOf(options, settings);
      const result = await tandem.generate(source, call);
      const content = [{ type: 'text' as const, text: result.text }];
      return { content, ...(await endOf(tandem, source, result)), warnings };
    },
    async doStream(options) {
      const { source, call, warnings } = requestOf(options, settings);
      const run = tandem.stream(source, call);
      const parts = async function* (): AsyncGenerator<LanguageModelV3StreamPart> {
        yield { type: 'stream-start', warnings };
        yield { type: 'text-start', id: '0' };
        for await (const event of run) {
          if (event.kind === 'token' && event.text !== '') yield { type: 'text-delta', id: '0', delta: event.text };
        }
        yield { type: 'text-end', id: '0' };
        yield { type: 'finish', ...(await endOf(tandem, source, await run.result)) };
      };
      return { stream: streamOf(parts()) };
    },
  };
}

function embeddingModel(tandem: Tandem, modelId: string): EmbeddingModelV3 {
  return {
    specificationVersion: 'v3',
    provider: 'tandem',
    modelId,
    maxEmbeddingsPerCall: 256,
    supportsParallelCalls: true,
    async doEmbed({ values, abortSignal }) {
      const vectors = await tandem.embed(values, { signal: abortSignal });
      const lengths = await Promise.all(values.map(async (text) => (await tandem.encode(text)).length));
      const tokens = lengths.reduce((sum, length) => sum + length, 0);
      return { embeddings: vectors.map((vector) => Array.from(vector)), usage: { tokens }, warnings: [] };
    },
  };
}

/** The source and the options of a call, and what of it has no counterpart. */
function requestOf(options: LanguageModelV3CallOptions, settings: GenerateOptions) {
  const { maxOutputTokens, temperature, topP, topK, seed, stopSequences, abortSignal } = options;
  const { tools, responseFormat, presencePenalty, frequencyPenalty } = options;
  if (tools && tools.length > 0) throw new Error('tandem: expected no tools, which a T5 was not made for');
  const warnings: SharedV3Warning[] = [];
  if (responseFormat?.type === 'json') throw new Error('tandem: expected text as responseFormat, found json');
  if (presencePenalty) warnings.push({ type: 'unsupported', feature: 'presencePenalty' });
  if (frequencyPenalty) warnings.push({ type: 'unsupported', feature: 'frequencyPenalty' });
  const said = {
    maxNewTokens: maxOutputTokens,
    temperature,
    topP,
    topK,
    seed,
    stop: stopSequences,
    signal: abortSignal,
  };
  const given = Object.fromEntries(Object.entries(said).filter(([, value]) => value !== undefined));
  return { source: sourceOf(options.prompt), call: { ...settings, ...given } as GenerateOptions, warnings };
}

function sourceOf(prompt: LanguageModelV3Prompt): string {
  const texts: string[] = [];
  for (const { role, content } of prompt) {
    if (role === 'system') texts.push(content);
    else if (role !== 'user') throw new Error(`tandem: expected system and user messages, found one of ${role}`);
    else {
      for (const part of content) {
        if (part.type !== 'text') throw new Error(`tandem: expected text, found a ${part.type}`);
        texts.push(part.text);
      }
    }
  }
  return texts.join('\n');
}

async function endOf(tandem: Tandem, source: string, { ids, stopReason, metrics }: Result) {
  const read = (await tandem.encode(source)).length;
  const usage: LanguageModelV3Usage = {
    inputTokens: { total: read, noCache: read, cacheRead: undefined, cacheWrite: undefined },
    outputTokens: { total: ids.length, text: ids.length, reasoning: undefined },
  };
  const finishReason: LanguageModelV3FinishReason = {
    unified: stopReason === 'length' ? 'length' : 'stop',
    raw: stopReason,
  };
  return { usage, finishReason, providerMetadata: { tandem: speculation(metrics) } };
}

function speculation({ proposed, accepted, acceptanceRate, tokensPerTargetCall, newTokens, seconds }: Metrics) {
  return { proposed, accepted, acceptanceRate, tokensPerTargetCall, tokensPerSecond: newTokens / seconds };
}

/** A stream that asks for a part when it is read, and that ends the call when it is cancelled. */
function streamOf<Part>(parts: AsyncGenerator<Part>): ReadableStream<Part> {
  return new ReadableStream({
    async pull(controller) {
      const { done, value } = await parts.next();
      if (done) controller.close();
      else controller.enqueue(value);
    },
    cancel: async () => void (await parts.return(undefined)),
  });
}
