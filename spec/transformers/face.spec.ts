import { join } from 'node:path';
import fc from 'fast-check';
import {
  AutoModelForSeq2SeqLM,
  AutoTokenizer,
  EosTokenCriteria,
  env,
  InterruptableStoppingCriteria,
  MaxLengthCriteria,
  type PreTrainedTokenizer,
  type ProgressInfo,
  pipeline,
  StoppingCriteria,
  StoppingCriteriaList,
  type T5ForConditionalGeneration,
  Tensor,
  TextStreamer,
} from 'tandem-t5/transformers';

/** That it gives what transformers.js gives is tried in spec/house/package/transformers.try.ts, on the same model. */
const MODEL = join(__dirname, '..', 'data', 'transformers');
const TEXTS = ['God saw that the light was good.', 'how can I become more healthy?', 'They went <extra_id_0> again.'];

describe('the face of transformers.js', () => {
  let tokenizer: PreTrainedTokenizer;
  let model: T5ForConditionalGeneration;
  beforeAll(async () => {
    tokenizer = await AutoTokenizer.from_pretrained(MODEL);
    model = await AutoModelForSeq2SeqLM.from_pretrained(MODEL);
  });
  afterAll(() => model.dispose());

  const idsOf = (tensor: Tensor) => Array.from(tensor.data, Number);

  test('a batch gives each text the ids that it has alone, filled up with the pad token', async () => {
    const parameters = { max_new_tokens: 9, min_new_tokens: 3 };
    const together = await model.generate({ ...tokenizer(TEXTS, { padding: true }), ...parameters });
    const alone: number[][] = [];
    for (const text of TEXTS) alone.push(idsOf(await model.generate({ ...tokenizer(text), ...parameters })));
    const width = together.dims[1];
    expect(width).toBe(Math.max(...alone.map((row) => row.length)));
    expect(Array.from(together, (row) => idsOf(row as Tensor))).toEqual(
      alone.map((row) => [...row, ...new Array(width - row.length).fill(0)]),
    );
  });

  test('ids without a mask hide their pad tokens, and ids may be lists', async () => {
    const { input_ids, attention_mask } = tokenizer(TEXTS, { padding: true });
    const rows = Array.from(input_ids, (row) => idsOf(row as Tensor));
    const wanted = idsOf(await model.generate({ input_ids, attention_mask, max_new_tokens: 6 }));
    expect(idsOf(await model.generate({ inputs: rows, max_new_tokens: 6 }))).toEqual(wanted);
    expect(idsOf(await model.generate({ input_ids: rows.map((row) => row.map(BigInt)), max_new_tokens: 6 }))).toEqual(
      wanted,
    );
    expect(idsOf(await model.generate(input_ids)).length).toBe(3 * 20); // max_length is 20 where nobody says one
  });

  test('a mask with a hole changes what comes out', async () => {
    const { input_ids } = tokenizer(TEXTS[0]);
    const mask = idsOf(input_ids).map((_, i) => (i === 3 || i === 5 ? 0 : 1));
    const run = async (attention_mask: number[]) =>
      idsOf(await model.generate({ input_ids, attention_mask, max_new_tokens: 12 }));
    expect(await run(mask)).not.toEqual(await run(mask.map(() => 1)));
  });

  test('a draft changes nothing, and is used', async () => {
    const drafted = await AutoModelForSeq2SeqLM.from_pretrained(MODEL, { draft: 'self:q8', threads: 1 });
    const inputs = tokenizer(TEXTS, { padding: true });
    const parameters = { ...inputs, max_new_tokens: 12, gamma: 3 };
    expect(idsOf(await drafted.generate(parameters))).toEqual(
      idsOf(await model.generate({ ...inputs, max_new_tokens: 12 })),
    );
    const { metrics } = await drafted.tandem.generate([...tokenizer.encode(TEXTS[0])], { gamma: 3, maxNewTokens: 12 });
    expect(metrics.proposed).toBeGreaterThan(0);
    await drafted.dispose();
  });

  test('samples have rows of their own and a seed', async () => {
    const inputs = tokenizer(TEXTS[0]);
    const sampled = { ...inputs, do_sample: true, num_return_sequences: 3, max_new_tokens: 8, min_new_tokens: 8 };
    const once = await model.generate({ ...sampled, seed: 5 });
    expect(once.dims).toEqual([3, 9]);
    expect(new Set(Array.from(once, (row) => String(idsOf(row as Tensor)))).size).toBe(3);
    expect(idsOf(await model.generate({ ...sampled, seed: 5 }))).toEqual(idsOf(once));
    expect(idsOf(await model.generate({ ...sampled, seed: 6 }))).not.toEqual(idsOf(once));
  });

  test('beams are searched', async () => {
    const inputs = tokenizer(TEXTS[0]);
    const found = await model.generate({ ...inputs, num_beams: 3, num_return_sequences: 2, max_new_tokens: 6 });
    const { sequences } = await model.tandem.generate(tokenizer.encode(TEXTS[0]), {
      numBeams: 3,
      numReturnSequences: 2,
      maxNewTokens: 6,
    });
    const rows = Array.from(found, (row) => idsOf(row as Tensor).slice(1));
    expect(rows.map((row, i) => row.slice(0, sequences[i].ids.length))).toEqual(sequences.map(({ ids }) => [...ids]));
  });

  test.each([
    ['a length', new MaxLengthCriteria(4), 4],
    ['a token', null, 3],
    ['an interrupt', 'interrupt', 2],
  ])('stopping criteria end a text: %s', async (_, kind, length) => {
    const inputs = tokenizer(TEXTS[1]);
    const whole = idsOf(await model.generate({ ...inputs, max_new_tokens: 10 }));
    const interruptable = new InterruptableStoppingCriteria();
    const list = new StoppingCriteriaList();
    if (kind === 'interrupt') {
      interruptable.interrupt();
      list.extend([interruptable]);
    } else list.push(kind === null ? new EosTokenCriteria(whole[2]) : (kind as StoppingCriteria));
    const cut = idsOf(await model.generate({ ...inputs, max_new_tokens: 10, stopping_criteria: list }));
    expect(cut).toEqual(whole.slice(0, length));
    interruptable.reset();
    const lists = new StoppingCriteriaList();
    lists.extend(interruptable);
    expect(idsOf(await model.generate({ ...inputs, max_new_tokens: 10, stopping_criteria: lists }))).toEqual(whole);
  });

  test('each text of a batch ends by its own criteria', async () => {
    class AtLength extends StoppingCriteria {
      override _call(ids: readonly (readonly bigint[])[]) {
        return ids.map((sequence) => sequence.length >= 2 + (Number(sequence[1]) % 4));
      }
    }
    const inputs = tokenizer(TEXTS, { padding: true });
    const plain = Array.from(await model.generate({ ...inputs, max_new_tokens: 9 }), (row) => idsOf(row as Tensor));
    const ended = await model.generate({ ...inputs, max_new_tokens: 9, stopping_criteria: new AtLength() });
    const lengths = plain.map((row) => 2 + (row[1] % 4));
    expect(ended.dims).toEqual([3, Math.max(...lengths)]);
    expect(Array.from(ended, (row, i) => idsOf(row as Tensor).slice(0, lengths[i]))).toEqual(
      plain.map((row, i) => row.slice(0, lengths[i])),
    );
  });

  test('a streamer hears the start token and each token, and gives whole words whose text is the result', async () => {
    const inputs = tokenizer(TEXTS[1]);
    const heard: number[] = [];
    const pieces: string[] = [];
    const streamer = new TextStreamer(tokenizer, {
      callback_function: (text) => pieces.push(text),
      token_callback_function: (ids) => heard.push(...ids.map(Number)),
    });
    const ids = await model.generate({ ...inputs, max_new_tokens: 14, streamer });
    expect(heard).toEqual(idsOf(ids));
    expect(pieces.length).toBeGreaterThan(3);
    expect(pieces.slice(0, -1).every((piece) => piece.endsWith(' '))).toBe(true);
    expect(pieces.join('')).toBe(tokenizer.decode(ids, { skip_special_tokens: true }));
    const special: string[] = [];
    await model.generate({
      ...inputs,
      max_new_tokens: 3,
      streamer: new TextStreamer(tokenizer, {
        skip_special_tokens: false,
        callback_function: (text) => special.push(text),
      }),
    });
    expect(special[0]).toBe('<pad>');
  });

  test('pipelines put the prefix of their task before the text', async () => {
    const texts: string[] = [];
    for (const task of ['translation_en_to_de', 'translation', 'summarization', 'text2text-generation'] as const) {
      const run = await pipeline(task, MODEL);
      const [output] = await run(TEXTS[0], { max_new_tokens: 12 });
      texts.push(Object.values(output)[0] as string);
      const key =
        task === 'summarization' ? 'summary_text' : task.startsWith('tr') ? 'translation_text' : 'generated_text';
      expect(Object.keys(output)).toEqual([key]);
      await run.dispose();
    }
    const german = await model.generate({
      ...tokenizer(`translate English to German: ${TEXTS[0]}`),
      max_new_tokens: 12,
    });
    expect(texts[0]).toBe(tokenizer.decode(german, { skip_special_tokens: true }));
    expect(texts[1]).toBe(texts[3]);
    expect(new Set(texts).size).toBe(3);
  });

  test('progress is heard to its end, and then that the model is ready', async () => {
    const heard: ProgressInfo[] = [];
    const run = await pipeline('summarization', MODEL, { draft: MODEL, progress_callback: (info) => heard.push(info) });
    await run.dispose();
    expect(heard.at(-1)).toMatchObject({ status: 'ready', task: 'summarization' });
    for (const file of ['weights', 'weights of the draft']) {
      const of = heard.filter((info) => info.file === file);
      expect([of[0].status, of[1].status, of.at(-1)?.status]).toEqual(['initiate', 'download', 'done']);
      const progress = of.slice(2, -1).map((info) => [info.status, info.progress]);
      expect(progress).toEqual(progress.map(([, share]) => ['progress', share]));
      expect(progress.at(-1)).toEqual(['progress', 100]);
    }
    const totals = heard.filter(({ status }) => status === 'progress_total');
    expect(totals).toHaveLength(heard.filter(({ status }) => status === 'progress').length);
  });

  test('a directory of models has a name in env', async () => {
    env.localModelPath = join(MODEL, '..');
    try {
      const opened = await AutoTokenizer.from_pretrained('transformers');
      expect(opened.encode(TEXTS[0])).toEqual(tokenizer.encode(TEXTS[0]));
    } finally {
      env.localModelPath = null;
    }
    expect(() => Object.assign(env, { useBrowserCache: false })).toThrow(TypeError);
  });

  test('tokenizing: padding, truncation with its EOS, lists, pieces', () => {
    expect(tokenizer(TEXTS, { padding: 'max_length', max_length: 40 }).input_ids.dims).toEqual([3, 40]);
    const cut = idsOf(tokenizer(TEXTS[0], { truncation: true, max_length: 5 }).input_ids);
    expect(cut).toEqual([...tokenizer.encode(TEXTS[0]).slice(0, 4), tokenizer.eos_token_id]);
    expect(tokenizer(TEXTS[0], { return_tensor: false }).input_ids).toEqual(tokenizer.encode(TEXTS[0]));
    expect(tokenizer(TEXTS[0], { add_special_tokens: false, return_tensor: false }).input_ids).toEqual(
      tokenizer.encode(TEXTS[0]).slice(0, -1),
    );
    expect(tokenizer('again and again '.repeat(40), { truncation: true }).input_ids.dims).toEqual([1, 64]);
    expect(tokenizer.tokenize(TEXTS[2])).toContain('<extra_id_0>');
    expect([tokenizer.pad_token_id, tokenizer.eos_token_id, tokenizer.unk_token_id]).toEqual([0, 1, 2]);
    expect(tokenizer.all_special_tokens).toContain('<extra_id_7>');
  });

  test('tensors: rows, lists and shapes agree', () => {
    fc.assert(
      fc.property(
        fc.array(fc.array(fc.integer(), { minLength: 3, maxLength: 3 }), { minLength: 1, maxLength: 4 }),
        (rows) => {
          const tensor = Tensor.ofRows(rows);
          expect(tensor.tolist()).toEqual(rows.map((row) => row.map(BigInt)));
          expect(rows.map((_, i) => tensor[i].tolist())).toEqual(tensor.tolist());
          expect(Array.from(tensor, (row) => (row as Tensor).dims)).toEqual(rows.map(() => [3]));
          expect([...tensor[0]]).toEqual(rows[0].map(BigInt));
          expect(tensor[rows.length]).toBeUndefined();
        },
      ),
    );
  });

  test.each([
    ['an unknown parameter', { max_tokens: 3 }, /found 'max_tokens'; is it max_new_tokens\?/],
    ['another name in use', { maxNewTokens: 3 }, /found 'maxNewTokens'; is it max_new_tokens\?/],
    ['a wrong type', { max_new_tokens: '3' }, /maxNewTokens: expected a whole number/],
    ['a temperature without sampling', { temperature: 0.7 }, /temperature: 0.7 is refused: .*do_sample/],
    ['a length penalty without beams', { length_penalty: 2 }, /length_penalty: 2 is refused: .*num_beams/],
    ['beams that sample', { num_beams: 2, do_sample: true }, /do_sample: true is refused/],
    ['scores', { output_scores: true }, /output_scores: true is refused/],
    ['another end', { eos_token_id: 7 }, /eos_token_id: 7 is refused: the checkpoint/],
    ['groups of beams', { num_beams: 4, num_beam_groups: 2 }, /num_beam_groups: 2 is refused/],
    ['a mask of another shape', { attention_mask: [[1, 1]] }, /attention_mask: expected the shape/],
    ['a mask of other numbers', { attention_mask: [[1, 2, 1]], input_ids: [[5, 6, 1]] }, /expected 0 and 1, found 2/],
    ['ids that are none', { input_ids: [[1.5]] }, /input_ids: expected/],
    ['no ids', { input_ids: undefined }, /expected input_ids, found none/],
    ['an id that the model has not', { input_ids: [[5000, 1]] }, /5000/],
    [
      'samples beside criteria',
      { do_sample: true, num_return_sequences: 2, stopping_criteria: new MaxLengthCriteria(3) },
      /num_return_sequences/,
    ],
  ])('generate refuses %s by name', async (_, parameters, message) => {
    const { input_ids } = tokenizer(TEXTS[0]);
    await expect(model.generate({ input_ids, ...parameters })).rejects.toThrow(message);
  });

  test('a streamer beside several texts is refused', async () => {
    const streamer = new TextStreamer(tokenizer, { callback_function: () => undefined });
    await expect(model.generate({ ...tokenizer(TEXTS, { padding: true }), streamer })).rejects.toThrow(
      /streamer: expected one source/,
    );
  });

  test.each([
    [
      'a type that is not there',
      () => AutoModelForSeq2SeqLM.from_pretrained(MODEL, { dtype: 'q4f16' }),
      /dtype: expected .*found 'q4f16'/,
    ],
    [
      'a device that is not there',
      () => AutoModelForSeq2SeqLM.from_pretrained(MODEL, { device: 'cuda' }),
      /device: expected .*found 'cuda'/,
    ],
    ['a directory that is not there', () => AutoModelForSeq2SeqLM.from_pretrained('/nowhere/at/all'), /nowhere/],
    [
      'a task of other models',
      () => pipeline('fill-mask' as 'translation', MODEL),
      /task: expected .*found 'fill-mask'/,
    ],
    ['no name where there is no usual model', () => pipeline('summarization'), /expected the name of a model/],
    [
      'a text that is none',
      async () => tokenizer(7 as unknown as string),
      /expected a text or a list of texts, found 7/,
    ],
    ['uneven rows without padding', async () => tokenizer(TEXTS), /expected padding: true/],
    ['several rows in decode', async () => tokenizer.decode([[1], [2]]), /batch_decode/],
    ['a shape that data do not fill', async () => new Tensor('int64', [1, 2, 3], [2, 2]), /expected 4 elements/],
  ])('%s is refused', async (_, work: () => Promise<unknown>, message) => {
    await expect(work()).rejects.toThrow(message);
  });
});
