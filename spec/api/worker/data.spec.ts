import { pathToFileURL } from 'node:url';
import fc from 'fast-check';
import type { ModelSource } from '../../../api';
import type { DraftPlan } from '../../../api/drafts/names';
import { errorFromData, errorToData, eventFromData, eventToData } from '../../../api/worker/messages';
import { sendablePlan } from '../../../api/worker/plan';
import { TandemError } from '../../../common';
import { copyDrafter, DecodingError } from '../../../decoding';
import { EngineError } from '../../../engine';
import { KernelError } from '../../../kernels';
import { type Checkpoint, WeightsError } from '../../../weights';

const CLASSES = [TandemError, WeightsError, KernelError, EngineError, DecodingError] as const;
const coded = fc
  .tuple(fc.constantFrom(...CLASSES), fc.string())
  .map(([Class, message]): Error => new (Class as typeof TandemError)('aborted', message));
const other = fc
  .tuple(
    fc.constantFrom(Error, TypeError, RangeError),
    fc.string(),
    fc.constantFrom('Error', 'AbortError', 'TandemError'),
  )
  .map(([Class, message, name]) => Object.defineProperty(new Class(message), 'name', { value: name }));
const thrown = fc.oneof(coded, other);

/** An error and its causes, outermost first. */
function chain(error: Error): Error[] {
  return error.cause instanceof Error ? [error, ...chain(error.cause)] : [error];
}

describe('an error', () => {
  it('is after a clone what it was: class, name, code, message, stack, and up to four causes', () => {
    fc.assert(
      fc.property(fc.array(thrown, { minLength: 1, maxLength: 7 }), (errors) => {
        for (const [i, error] of errors.entries()) if (i > 0) errors[i - 1].cause = error;
        const found = chain(errorFromData(structuredClone(errorToData(errors[0]))));
        expect(found).toHaveLength(Math.min(5, errors.length));
        for (const [i, one] of found.entries()) {
          const { name, message, stack } = errors[i];
          expect([one.name, one.message, one.stack]).toEqual([name, message, stack]);
          const isOurs = errors[i] instanceof TandemError;
          expect(one instanceof (isOurs ? (errors[i].constructor as typeof Error) : Error)).toBe(true);
          expect([one instanceof TandemError, (one as TandemError).code]).toEqual([
            isOurs,
            isOurs ? 'aborted' : undefined,
          ]);
        }
      }),
    );
  });

  it('that is none is one with its text, and a cause that is none is left out', () => {
    for (const value of ['text', 7, null, undefined])
      expect(errorFromData(errorToData(value))).toEqual(new Error(String(value)));
    expect(errorToData(new Error('x', { cause: 'text' })).cause).toBeUndefined();
  });

  it('of an event goes with it, and other events stay as they are', () => {
    const failed = { kind: 'failed', index: 3, error: new EngineError('aborted', 'x') } as const;
    const found = eventFromData(structuredClone(eventToData(failed)));
    expect(found).toEqual(failed);
    expect(found.kind === 'failed' && found.error).toBeInstanceOf(EngineError);
    const token = { kind: 'token', index: 0, sequence: 0, token: 5, text: 'a' } as never;
    expect([eventToData(token), eventFromData(token)]).toEqual([token, token]);
  });
});

const blob = new Blob(['x']);
const file = (name: string, path: string) => Object.assign(new File(['x'], name), { webkitRelativePath: path });
const bytes = { 'config.json': new Uint8Array(1) };
const map = new Map([['config.json', blob]]);
const plan = (target: ModelSource, drafts: readonly DraftPlan[] = []) =>
  sendablePlan({ target, drafts, mayDraftItself: false, prefix: 'p' });

describe('a plan that goes to a worker', () => {
  it.each<[string, ModelSource, unknown]>([
    ['a name', 'google/t5', 'google/t5'],
    ['a path', './models', './models'],
    ['an address', 'https://a.test/b', 'https://a.test/b'],
    ['a URL', new URL('https://a.test/b'), 'https://a.test/b'],
    ['bytes by name', bytes, bytes],
    ['Blobs in a Map', map, map],
    ['Files', [file('a.json', ''), file('b.json', 'model/b.json')] as never, ['a.json', 'model/b.json']],
  ])('has %s as data, for the target and for a draft', (_, source, expected) => {
    const found = plan(source, [{ kind: 'model', model: source }]);
    const shown = (sent: unknown) => (sent instanceof Map && Array.isArray(expected) ? [...sent.keys()] : sent);
    expect([shown(found.target), shown((found.drafts[0] as { model: unknown }).model)]).toEqual([expected, expected]);
    expect(found.prefix).toBe('p');
  });

  it('names the path of a file address, and of a table', () => {
    const { href } = pathToFileURL('/models/t5');
    expect(plan(href).target).toBe(plan(new URL(href)).target);
    const drafts: DraftPlan[] = [
      { kind: 'ngram', file: null },
      { kind: 'ngram', file: './table.json' },
      { kind: 'copy' } as DraftPlan,
      { kind: 'self', dtype: 'q8' } as DraftPlan,
    ];
    const found = plan('a/b', drafts).drafts;
    expect([found[0], found[2], found[3]]).toEqual([drafts[0], drafts[2], drafts[3]]);
    expect(found[1]).toMatchObject({ kind: 'ngram', file: expect.stringMatching(/table\.json$/) });
  });

  const checkpoint = {
    read: () => undefined,
    tensors: new Map(),
    config: {},
    tokenizer: () => undefined,
  } as never as Checkpoint;
  it.each<[string, () => unknown, RegExp]>([
    ['an open checkpoint', () => plan(checkpoint), /^model: expected .*, found an open Checkpoint/],
    [
      'a draft that is one',
      () => plan('a', [{ kind: 'model', model: checkpoint }]),
      /^draft: expected .*, found an open Checkpoint/,
    ],
    [
      'files with functions',
      () => plan({ name: 'x', open: () => undefined } as never),
      /^model: .*found a FileSet, whose functions/,
    ],
    [
      'a drafter',
      () => plan('a', [{ kind: 'drafter', drafter: copyDrafter(8) } as unknown as DraftPlan]),
      /^draft: .*found a Drafter, whose functions/,
    ],
  ])('cannot have %s', (_, make, message) => {
    expect(make).toThrow(message);
    expect(make).toThrow(expect.objectContaining({ code: 'option-invalid' }));
  });
});
