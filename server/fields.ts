import { GENERATE_OPTIONS, type GenerateOptions, type Input } from '../api';
import { anyOf, flagged, listOf, type OptionRule, text, whole } from '../common';
import type { BodyRules, Fields } from './body';
import { badField } from './failure';

type OptionName = keyof GenerateOptions;

/** Options whose field has OpenAI's name. */
const NAMED: Partial<Record<OptionName, string>> = { maxNewTokens: 'max_tokens', numReturnSequences: 'n' };
/** Options that no field stands for: functions, what the server decides, and what has a field of another kind. */
const NO_FIELD: readonly OptionName[] = [
  'processors',
  'prefixAllowedTokens',
  'signal',
  'trace',
  'concurrency',
  'costs',
  'stop',
  'logProbs',
];

/** The options that a request may set, by field: OpenAI's names, and the others as the option in snake_case. */
export const OPTION_OF: ReadonlyMap<string, OptionName> = new Map(
  (Object.keys(GENERATE_OPTIONS) as OptionName[])
    .filter((name) => !NO_FIELD.includes(name))
    .map((name) => [NAMED[name] ?? name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`), name]),
);

const ids = listOf(whole(0), 'a list of token ids', 1);
const texts = listOf(text(), 'a list of texts', 1);
const MOST_INPUTS = 2048;
/** Texts or ids, one or several. */
export const INPUTS: OptionRule = {
  expected: `text, a list of at most ${MOST_INPUTS} texts, token ids, or a list of such lists`,
  holds: (value) => {
    if (text().holds(value) || ids.holds(value)) return true;
    const isList = texts.holds(value) || listOf(ids, '', 1).holds(value);
    return isList && (value as readonly unknown[]).length <= MOST_INPUTS;
  },
};

export function inputsOf(value: unknown): readonly Input[] {
  if (typeof value === 'string') return [value];
  const list = value as readonly unknown[];
  return typeof list[0] === 'number' ? [list as readonly number[]] : (list as readonly Input[]);
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Biases by token id, from -100 to 100, as OpenAI has them. */
const bias: OptionRule = {
  expected: 'an object of biases from -100 to 100 by token id',
  holds: (value) =>
    isObject(value) &&
    Object.entries(value).every(([id, one]) => /^\d+$/.test(id) && typeof one === 'number' && Math.abs(one) <= 100),
};

const streamOptions: OptionRule = {
  expected: 'an object with include_usage, true or false',
  holds: (value) =>
    isObject(value) &&
    Object.entries(value).every(([name, one]) => name === 'include_usage' && typeof one === 'boolean'),
};

const followed: Record<string, Pick<OptionRule, 'expected' | 'holds'>> = {
  model: text(1),
  prompt: INPUTS,
  stream: flagged,
  stream_options: streamOptions,
  stop: anyOf(text(1), listOf(text(1), 'a list of texts, none of them empty')),
  logprobs: whole(0, 100),
  logit_bias: bias,
  user: text(),
};
for (const [field, option] of OPTION_OF) followed[field] = GENERATE_OPTIONS[option];
followed.truncate = whole(1); // what a model was made for may be more than the server takes

const is = (neutral: unknown) => (value: unknown) => value === neutral;
const never = () => false;

/** The body of a request for completions. */
export const COMPLETION_BODY: BodyRules = {
  followed,
  neutral: {
    echo: { holds: is(false), why: 'the text is no continuation of the prompt, which is the source' },
    suffix: { holds: never, why: 'T5 fills in at sentinels: write <extra_id_0> into the prompt' },
    best_of: { holds: is(1), why: 'n gives samples, and num_beams searches' },
    presence_penalty: { holds: is(0), why: 'repetition_penalty is followed' },
    frequency_penalty: { holds: is(0), why: 'repetition_penalty is followed' },
    max_new_tokens: { holds: never, why: 'here it is max_tokens, as OpenAI calls it' },
    num_return_sequences: { holds: never, why: 'here it is n, as OpenAI calls it' },
    do_sample: { holds: never, why: 'a temperature above 0 samples, and temperature 0 is greedy' },
    messages: { holds: never, why: 'the model has a source and no conversation: send prompt' },
  },
};

/** The options among the fields of a request for completions. */
export function optionsOf(fields: Fields): GenerateOptions {
  const options: Record<string, unknown> = {};
  for (const [field, option] of OPTION_OF) if (fields[field] !== undefined) options[option] = fields[field];
  const { stop, logprobs, logit_bias: biases } = fields;
  if (stop !== undefined) options.stop = typeof stop === 'string' ? [stop] : stop;
  if (logprobs !== undefined) options.logProbs = logprobs;
  if (biases !== undefined && Object.keys(biases as object).length > 0) {
    if (options.sequenceBias !== undefined) throw badField('logit_bias', 'expected none beside sequence_bias');
    options.sequenceBias = Object.entries(biases as Record<string, number>).map(([id, one]) => [[Number(id)], one]);
  }
  return options;
}

/** A message about options, with the names that the fields have. */
export function inFieldNames(message: string): { readonly message: string; readonly param?: string } {
  const fieldOf = new Map([...OPTION_OF].map(([field, option]) => [option as string, field]));
  const spelt = message.replace(/\b[a-z]+[A-Z]\w*\b/g, (name) => fieldOf.get(name) ?? name);
  const param = /^(\w+):/.exec(spelt)?.[1];
  return { message: spelt, param: param !== undefined && Object.hasOwn(followed, param) ? param : undefined };
}
