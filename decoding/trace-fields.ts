/** The fields of a trace, as `TraceRecorder` writes them, and what is wrong with a value that should be one. */

type Check = readonly [expected: string, holds: (value: unknown) => boolean];
type Fields = Readonly<Record<string, Check>>;

const isId = (value: unknown) => Number.isSafeInteger(value) && (value as number) >= 0;
const isText = (value: unknown) => typeof value === 'string';
const isObject = (value: unknown) => typeof value === 'object' && value !== null && !Array.isArray(value);
const isNumber = (value: unknown) => typeof value === 'number';
const IDS: Check = ['a list of ids', (value) => Array.isArray(value) && value.every(isId)];
/** A mask has a number, 0 or 1, for each id. */
const isSource = (value: unknown) => {
  const { ids, mask } = (isObject(value) ? value : { ids: value, mask: null }) as Record<string, unknown>;
  if (!IDS[1](ids)) return false;
  if (mask === null) return !isObject(value);
  const isMask = Array.isArray(mask) && mask.every((one) => one === 0 || one === 1);
  return isMask && mask.length === (ids as unknown[]).length;
};
const ID: Check = ['an id', isId];
/** `topEntries` of a distribution. */
const isTop = (value: unknown) =>
  Array.isArray(value) && value.every((one) => Array.isArray(one) && isId(one[0]) && isNumber(one[1]));
const TOP: Check = ['pairs of an id and a probability', isTop];

const TIME: Check = ['a number', isNumber];

const TRACE_FIELDS: Fields = {
  source: ['a list of ids, or ids and a mask', isSource],
  startToken: ID,
  drafter: ['text or null', (value) => value === null || isText(value)],
  settings: ['an object', isObject],
  rounds: ['a list', Array.isArray],
  ids: IDS,
  stopReason: ['text or null', (value) => value === null || isText(value)],
};

const ADDRESS_FIELDS: Fields = {
  sequence: ['text', isText],
  round: ID,
  position: ID,
  purpose: ['text', isText],
};
const PROPOSAL_FIELDS: Fields = {
  token: ID,
  parent: ['a whole number from −1 up', (value) => value === -1 || isId(value)],
  draft: TOP,
  target: TOP,
};
const everyOne = (fields: Fields, value: unknown) =>
  Array.isArray(value) && value.every((one) => checkFields(one, fields) === null);
const isChoice = (value: unknown) =>
  checkFields(value, { at: ['an address', (at) => checkFields(at, ADDRESS_FIELDS) === null] }) === null &&
  (isId((value as { token?: unknown }).token) || typeof (value as { accepted?: unknown }).accepted === 'boolean');
const ROUND_FIELDS: Fields = {
  position: ID,
  proposal: ['a list of proposed tokens', (value) => everyOne(PROPOSAL_FIELDS, value)],
  accepted: ID,
  path: IDS,
  tokens: IDS,
  next: ['a token and its distribution', (value) => checkFields(value, { token: ID, from: TOP }) === null],
  choices: ['a list of choices', (value) => Array.isArray(value) && value.every(isChoice)],
  milliseconds: ['two times', (value) => checkFields(value, { draft: TIME, target: TIME }) === null],
};

interface Wrong {
  readonly expected: string;
  readonly found: unknown;
}

/** The first field of an object that is not as it should be. */
function checkFields(value: unknown, fields: Fields): Wrong | null {
  if (!isObject(value)) return { expected: 'an object', found: value };
  for (const [name, [expected, holds]] of Object.entries(fields)) {
    const found = (value as Record<string, unknown>)[name];
    if (!holds(found)) return { expected: `${name} to be ${expected}`, found };
  }
  return null;
}

function firstWrong(list: unknown, name: string, fields: Fields): Wrong | null {
  for (const [i, one] of (list as unknown[]).entries()) {
    const wrong = checkFields(one, fields);
    if (wrong) return { expected: `${name}[${i}]: ${wrong.expected}`, found: wrong.found };
  }
  return null;
}

interface Rounds {
  readonly rounds: readonly { readonly position: number; readonly tokens: readonly number[] }[];
  readonly ids: readonly number[];
}

/** The first round that does not begin where the one before has ended, or whose tokens are not those of the text. */
function wrongInOrder({ rounds, ids }: Rounds): Wrong | null {
  let end = 1; // the start token is at 0
  for (const [i, { position, tokens }] of rounds.entries()) {
    if (position !== end) return { expected: `rounds[${i}]: position to be ${end}`, found: position };
    const own = ids.slice(end - 1, end - 1 + tokens.length);
    if (own.length < tokens.length || tokens.some((token, at) => token !== own[at])) {
      return { expected: `rounds[${i}]: tokens to be those of ids from ${end - 1} on`, found: tokens };
    }
    end += tokens.length;
  }
  return end - 1 === ids.length ? null : { expected: `rounds to have all ${ids.length} ids`, found: end - 1 };
}

/** What of a trace is not as it should be, the first of it; null where all is. */
export function wrongInTrace(trace: unknown): Wrong | null {
  const wrong = checkFields(trace, TRACE_FIELDS) ?? firstWrong((trace as Rounds).rounds, 'rounds', ROUND_FIELDS);
  return wrong ?? wrongInOrder(trace as Rounds);
}
