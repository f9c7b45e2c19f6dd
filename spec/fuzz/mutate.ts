import fc from 'fast-check';

/** One change of some bytes. Places are shares of the length, so that a change can be made to any input. */
type Change = (bytes: Buffer) => Buffer;

/** Texts and bytes that parsers stumble over. */
const ODD: readonly (string | readonly number[])[] = [
  '',
  '0',
  '-1',
  '1e999',
  '9007199254740993',
  '4294967296',
  '0.5',
  'null',
  'true',
  '"',
  '\\',
  '\\ud800',
  '{',
  '}',
  '[',
  ']',
  ',',
  ':',
  '{}',
  '[]',
  '"__proto__"',
  '"constructor"',
  '\u0000',
  '\u001b[31m',
  '\n',
  '🜨',
  [0xff],
  [0x80, 0x80, 0x80, 0x80],
  [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f],
];

/** A number from 0 to 1, each as likely as another: `fc.double` gives most of its numbers near 0. */
const share = fc.noBias(fc.nat(2 ** 30 - 1)).map((value) => value / 2 ** 30);
const near = share.map((place) => place * place); // headers are at the beginning, and break in more ways than what follows
const place = fc.oneof(share, near);
const at = (bytes: Buffer, where: number) => Math.floor(where * (bytes.length + 1));

const flip = fc.tuple(place, fc.nat(255)).map(
  ([where, value]): Change =>
    (bytes) => {
      const copy = Buffer.from(bytes);
      if (copy.length > 0) copy[Math.floor(where * copy.length)] = value;
      return copy;
    },
);
const insert = fc.tuple(place, fc.constantFrom(...ODD)).map(
  ([where, odd]): Change =>
    (bytes) => {
      const added = typeof odd === 'string' ? Buffer.from(odd) : Buffer.from(odd);
      return Buffer.concat([bytes.subarray(0, at(bytes, where)), added, bytes.subarray(at(bytes, where))]);
    },
);
const remove = fc.tuple(place, fc.integer({ min: 1, max: 40 })).map(
  ([where, length]): Change =>
    (bytes) => {
      const from = at(bytes, where);
      return Buffer.concat([bytes.subarray(0, from), bytes.subarray(from + length)]);
    },
);
const cut = share.map(
  (where): Change =>
    (bytes) =>
      bytes.subarray(0, at(bytes, where)),
);
const repeat = fc.tuple(place, fc.integer({ min: 1, max: 64 }), fc.integer({ min: 1, max: 300 })).map(
  ([where, length, times]): Change =>
    (bytes) => {
      const from = at(bytes, where);
      const part = bytes.subarray(from, from + length);
      const parts = Array.from({ length: times }, () => part);
      return Buffer.concat([bytes.subarray(0, from), ...parts, bytes.subarray(from)]);
    },
);
const move = fc.tuple(place, place, fc.integer({ min: 1, max: 64 })).map(
  ([from, to, length]): Change =>
    (bytes) => {
      const part = bytes.subarray(at(bytes, from), at(bytes, from) + length);
      return Buffer.concat([bytes.subarray(0, at(bytes, to)), part, bytes.subarray(at(bytes, to) + part.length)]);
    },
);

/** An object that cannot be made a number or text: whoever tries gets a TypeError. */
const UNCONVERTIBLE = '{"toString":null,"length":-1,"__proto__":{"length":1}}';

/** JSON of values that stand where others are expected. */
const ODD_VALUES: readonly string[] = [
  'null',
  'true',
  '-1',
  '0',
  '1.5',
  '9007199254740992',
  '1e308',
  '1e999',
  '""',
  '"\\u001b[31m\\u202e\\n"',
  JSON.stringify('x'.repeat(100_000)),
  '[]',
  '[[],[null],{"a":[1]}]',
  '{}',
  JSON.stringify(Array.from({ length: 5000 }, (_, i) => i)),
  `${'[{"a":'.repeat(30)}1${'}]'.repeat(30)}`,
  `${'['.repeat(100_000)}1${']'.repeat(100_000)}`,
  UNCONVERTIBLE,
];
/** Where an odd value comes to stand. */
const MARKER = '@odd value@';

type Container = Record<string, unknown>; // or a list: its members are read by their numbers

/** Every place of a JSON value that holds another one, and its kind: the path without the numbers of list members. */
function placesOf(
  value: unknown,
  places: [Container, string, string][] = [],
  path = '',
): [Container, string, string][] {
  if (typeof value !== 'object' || value === null) return places;
  for (const key of Object.keys(value)) {
    const kind = `${path}/${Array.isArray(value) ? '' : key}`;
    places.push([value as Container, key, kind]);
    placesOf((value as Record<string, unknown>)[key], places, kind);
  }
  return places;
}

/** What is tried at each kind of place. */
const EVERYWHERE: readonly string[] = [UNCONVERTIBLE, 'null', '-1', '1e999', '"x"', '[null]'];

/**
 * The input with each of a few odd values at each kind of place: members of one list are one kind, and so are the objects in it.
 * What random changes find once in thousands, this finds in every run.
 */
export function* everyPlace(seed: Uint8Array): Generator<Uint8Array, void, void> {
  const value: unknown = JSON.parse(Buffer.from(seed).toString());
  const kinds = new Set<string>();
  for (const [container, key, kind] of placesOf(value)) {
    if (kinds.has(kind)) continue;
    kinds.add(kind);
    const kept = container[key];
    container[key] = MARKER;
    const text = JSON.stringify(value);
    container[key] = kept;
    for (const odd of EVERYWHERE) yield Buffer.from(text.replace(JSON.stringify(MARKER), () => odd));
  }
}

const edit = fc
  .tuple(share, fc.constantFrom('replace', 'remove', 'rename', 'copy'), fc.constantFrom(...ODD_VALUES), share)
  .map(
    ([where, kind, odd, other]): Change =>
      (bytes) => {
        try {
          const value: unknown = JSON.parse(bytes.toString());
          const places = placesOf(value);
          if (places.length === 0) return Buffer.from(odd);
          const [container, key] = places[Math.floor(where * places.length)];
          const [from, name] = places[Math.floor(other * places.length)];
          if (kind === 'replace') container[key] = MARKER;
          else if (kind === 'copy') container[key] = JSON.parse(JSON.stringify(from[name]));
          else {
            if (kind === 'rename') container[name] = container[key];
            delete container[key];
          }
          return Buffer.from(JSON.stringify(value).split(JSON.stringify(MARKER)).join(odd));
        } catch {
          return bytes; // no JSON after an earlier change, or too deep for this function itself
        }
      },
  );

const bytesChange = fc.oneof(flip, insert, remove, cut, repeat, move);
const jsonChange = fc.oneof({ arbitrary: edit, weight: 3 }, { arbitrary: bytesChange, weight: 1 });

/** Inputs that begin as one of some valid ones and are changed in one to four places. */
export function mutationsOf(seeds: readonly Uint8Array[], kind: 'json' | 'bytes'): fc.Arbitrary<Uint8Array> {
  const changes = fc.array(kind === 'json' ? jsonChange : bytesChange, { minLength: 1, maxLength: 4 });
  return fc
    .tuple(fc.constantFrom(...seeds), changes)
    .map(([seed, list]): Uint8Array => list.reduce<Buffer>((bytes, change) => change(bytes), Buffer.from(seed)));
}
