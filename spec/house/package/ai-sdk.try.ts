import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { transformSync } from '@swc/core';
import { Project, ROOT } from './project';

/** A program of the AI SDK: its own functions over the provider of examples/ai-sdk.ts, on the bundled pair. Prints JSON. */
const PROGRAM = `
  import { embedMany, generateText, streamText } from 'ai';
  import { Tandem } from 'tandem-t5';
  import { createTandem } from './ai-sdk.mjs';

  const tandem = await Tandem.load(undefined, { threads: 2 });
  const t5 = createTandem(tandem);
  const model = t5('modernize-target', { gamma: 3 });
  const prompt = 'And it came to pass.';
  const { text, usage, finishReason, providerMetadata } = await generateText({ model, prompt, maxOutputTokens: 12 });
  const run = streamText({ model, prompt, maxOutputTokens: 12 });
  const pieces = [];
  for await (const piece of run.textStream) pieces.push(piece);
  const cut = await generateText({ model, system: 'And it came', prompt: 'to pass.', maxOutputTokens: 2 });
  const seeded = [];
  for (const seed of [1, 1, 2]) seeded.push((await generateText({ model, prompt, temperature: 1, seed, maxOutputTokens: 12 })).text);
  const { embeddings } = await embedMany({ model: t5.embedding('modernize-target'), values: [prompt, 'Jesus wept.'] });
  const controller = new AbortController();
  controller.abort();
  const aborted = await generateText({ model, prompt, abortSignal: controller.signal, maxRetries: 0 }).catch((error) => error.message);
  const tools = { look: { description: 'looks', inputSchema: (await import('ai')).jsonSchema({ type: 'object' }) } };
  const refused = await generateText({ model, prompt, tools, maxRetries: 0 }).catch((error) => error.message);
  const direct = (await tandem.generate(prompt, { maxNewTokens: 12 })).text;
  await tandem.dispose();
  console.log(JSON.stringify({
    text, usage, finishReason, metadata: providerMetadata.tandem, pieces, finish: await run.finishReason,
    streamed: (await run.providerMetadata).tandem, cut: cut.finishReason, seeded, widths: embeddings.map((one) => one.length), aborted, refused, direct,
  }));
  process.exit(0);`;

describe('the AI SDK over examples/ai-sdk.ts', () => {
  const project = new Project();
  let printed: Record<string, never>;
  beforeAll(() => {
    project.install([process.env.TANDEM_TARBALL as string, 'ai@6'], 300);
    const example = readFileSync(join(ROOT, 'examples', 'ai-sdk.ts'), 'utf8');
    const { code } = transformSync(example, {
      jsc: { target: 'es2022', parser: { syntax: 'typescript' } },
      module: { type: 'es6' },
    });
    project.write('ai-sdk.mjs', code);
    project.write('program.mjs', PROGRAM);
    printed = JSON.parse(project.node('program.mjs'));
  });
  afterAll(() => project.dispose());

  test('generateText and streamText give the text that Tandem gives', () => {
    const { text, pieces, direct } = printed as unknown as { text: string; pieces: string[]; direct: string };
    expect(direct).toBe('It came to pass.');
    expect(text).toBe(direct);
    expect(pieces.length).toBeGreaterThan(1);
    expect(pieces.join('')).toBe(direct);
  });

  test('usage, ends and the speculation are told', () => {
    expect(printed.usage).toMatchObject({ inputTokens: expect.any(Number), outputTokens: expect.any(Number) });
    expect([printed.finishReason, printed.finish, printed.cut]).toEqual(['stop', 'stop', 'length']);
    for (const metadata of [printed.metadata, printed.streamed] as unknown as Record<string, number>[]) {
      expect(metadata.proposed).toBeGreaterThan(0);
      expect(metadata.acceptanceRate).toBeGreaterThan(0);
      expect(metadata.tokensPerTargetCall).toBeGreaterThan(1);
    }
  });

  test('a seed fixes a sampled text', () => {
    const [a, b] = printed.seeded as unknown as string[];
    expect(b).toBe(a);
  });

  test('embedMany gives a vector for each text', () => {
    const [a, b] = printed.widths as unknown as number[];
    expect(a).toBeGreaterThan(100);
    expect(b).toBe(a);
  });

  test('an abort and tools are heard', () => {
    expect(String(printed.aborted)).toMatch(/abort|cancel/i);
    expect(String(printed.refused)).toMatch(/tools/);
  });
});
