/**
 * What programs do with transformers.js and a T5, after the examples of its documentation. It runs with either package: the first
 * argument is the name to import, the second the directory of the model's parent, the third its name. Prints JSON.
 */
const [, , from, parent, name] = process.argv;
const library = await import(from);
const { AutoModelForSeq2SeqLM, AutoTokenizer, env, pipeline, StoppingCriteria, StoppingCriteriaList, TextStreamer } =
  library;
env.localModelPath = parent;
env.allowRemoteModels = false;

const results = {};
const TEXTS = [
  'God saw that the light was good.',
  'how can I become more healthy?',
  'And they went to the city  <extra_id_0> again.',
];

// Pipelines.
const generator = await pipeline('text2text-generation', name, { dtype: 'fp32' });
results.generated = [];
for (const text of TEXTS) results.generated.push(await generator(text, { max_new_tokens: 30 }));
results.penalties = await generator(TEXTS[0], { max_new_tokens: 24, no_repeat_ngram_size: 2, repetition_penalty: 1.3 });
results.least = await generator(TEXTS[1], { max_new_tokens: 12, min_new_tokens: 12 });
results.words = await generator(TEXTS[1], { max_length: 9, bad_words_ids: [[5], [9, 12]] });
const translator = await pipeline('translation', name, { dtype: 'fp32' });
results.translated = await translator(TEXTS[0], { max_new_tokens: 20 });
const summarizer = await pipeline('summarization', name, { dtype: 'fp32' });
results.summarized = await summarizer(TEXTS[2], { max_new_tokens: 20 });

// Tokenizer and model by hand.
const tokenizer = await AutoTokenizer.from_pretrained(name);
const model = await AutoModelForSeq2SeqLM.from_pretrained(name, { dtype: 'fp32' });
const inputs = await tokenizer('translate English to German: I love transformers!');
results.inputs = {
  ids: inputs.input_ids.tolist().map(String),
  mask: String(inputs.attention_mask.data),
  dims: inputs.input_ids.dims,
};
const outputs = await model.generate({ ...inputs, max_new_tokens: 16 });
results.ids = { ids: String(outputs.data), dims: outputs.dims };
results.decoded = tokenizer.decode(outputs[0], { skip_special_tokens: true });
results.special = tokenizer.decode(outputs[0], { skip_special_tokens: false });
results.usual = String((await model.generate(inputs)).data);
results.dict = String(
  (await model.generate({ ...inputs, max_new_tokens: 5, return_dict_in_generate: true })).sequences.data,
);
const padded = tokenizer(TEXTS, { padding: true, truncation: true });
results.padded = {
  ids: String(padded.input_ids.data),
  mask: String(padded.attention_mask.data),
  dims: padded.input_ids.dims,
};
results.batch = String((await model.generate({ ...padded, max_new_tokens: 8, min_new_tokens: 8 })).data);
results.encode = TEXTS.map((text) => tokenizer.encode(text));
results.tokenize = TEXTS.map((text) => tokenizer.tokenize(text));

// Streaming, and an end of one's own.
const pieces = [];
const tokens = [];
const streamer = new TextStreamer(tokenizer, {
  skip_prompt: true,
  callback_function: (text) => pieces.push(text),
  token_callback_function: (ids) => tokens.push(String(ids)),
});
await generator(TEXTS[1], { max_new_tokens: 20, streamer });
results.stream = { text: pieces.join(''), tokens };
class AfterFour extends StoppingCriteria {
  _call(ids) {
    return ids.map((sequence) => sequence.length >= 5);
  }
}
const criteria = new StoppingCriteriaList();
criteria.push(new AfterFour());
results.stopped = String((await model.generate({ ...inputs, max_new_tokens: 20, stopping_criteria: criteria })).data);

await generator.dispose?.();
await model.dispose?.();
console.log(JSON.stringify(results, (_, value) => (typeof value === 'bigint' ? Number(value) : value)));
process.exit(0);
