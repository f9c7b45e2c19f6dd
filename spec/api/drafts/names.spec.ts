import { draftOfSelf, draftPlans, draftRule, parseDraft, splitDrafts, withFirst } from '../../../api/drafts/names';
import type { DraftSource } from '../../../api/drafts/types';
import { copyDrafter } from '../../../decoding';

const refused = expect.objectContaining({ name: 'TandemError', code: 'option-invalid' });

describe('names of drafts', () => {
  it.each([
    ['copy', { kind: 'copy' }],
    ['random', { kind: 'random' }],
    ['ngram', { kind: 'ngram', file: null }],
    ['ngram:en-de.json', { kind: 'ngram', file: 'en-de.json' }],
    ['ngram:C:\\tables\\en.json', { kind: 'ngram', file: 'C:\\tables\\en.json' }],
    ['layers:2', { kind: 'layers', layers: 2 }],
    ['self', { kind: 'self', dtype: 'q8' }],
    ['self:q4', { kind: 'self', dtype: 'q4' }],
    ['self:bf16', { kind: 'self', dtype: 'bf16' }],
    ['self:q4:copy', { kind: 'self', dtype: 'q4', first: { kind: 'copy' } }],
    ['self:q8:ngram:en-de.json', { kind: 'self', dtype: 'q8', first: { kind: 'ngram', file: 'en-de.json' } }],
    ['self:bf16:a/b', { kind: 'self', dtype: 'bf16', first: { kind: 'model', model: 'a/b' } }],
    ['self:q8:model:self', { kind: 'self', dtype: 'q8', first: { kind: 'model', model: 'self' } }],
    ['google-t5/t5-small', { kind: 'model', model: 'google-t5/t5-small' }],
    ['C:\\models\\t5', { kind: 'model', model: 'C:\\models\\t5' }],
    ['model:copy', { kind: 'model', model: 'copy' }],
    ['model:self', { kind: 'model', model: 'self' }],
    ['selfies/t5', { kind: 'model', model: 'selfies/t5' }],
  ])('%s', (text, expected) => {
    expect(parseDraft(text)).toEqual(expected);
  });

  it.each([
    '',
    ':',
    'copy:',
    'copy:2',
    'random:1',
    'ngram:',
    'layers',
    'layers:0',
    'layers:1.5',
    'layers:two',
    'model:',
    'self:',
    'self:q8:',
    'self:q8:copy:2',
  ])("refuses '%s'", (text) => {
    expect(() => parseDraft(text)).toThrow(refused);
  });

  it.each(['self:f32', 'self:q2', 'self:x'])('%s is refused, and how to name a model so is said', (text) => {
    expect(() => parseDraft(text)).toThrow(refused);
    expect(() => parseDraft(text)).toThrow(/model:self/);
  });

  it.each(['self:q8:self', 'self:q8:self:q4'])('%s: a copy of the target does not draft for another one', (text) => {
    expect(() => parseDraft(text)).toThrow(refused);
    expect(() => parseDraft(text)).toThrow(/not such a copy itself, found/);
  });

  it('of a command line are split at commas, and `none` is no draft', () => {
    expect(splitDrafts('copy, ngram,t5')).toEqual(['copy', 'ngram', 't5']);
    expect(draftRule.parse?.('copy, ngram,t5')).toEqual(['copy', 'ngram', 't5']);
    expect(draftPlans(draftRule.parse?.('none') ?? ['copy'])).toEqual([]);
    expect(draftRule.parse?.('copy,')).toBeNull();
    expect(draftRule.parse?.('layers:x')).toBeNull();
  });

  it.each([
    ['self:q4:copy', 'copy'],
    ['self:q8:ngram:en-de.json', 'ngram:en-de.json'],
    ['self:bf16:C:\\models\\t5', 'C:\\models\\t5'],
    ['self:q4', null],
    ['self', null],
    ['model:self:q4:copy', null],
    ['ngram:self:q4:copy', null],
  ])('%s: what drafts for the copy of the target', (name, first) => {
    expect(draftOfSelf(name)).toBe(first);
  });

  it('come with what drafts for them, in the order in which they are opened', () => {
    const plans = draftPlans(['copy', { model: 'a', draft: { model: 'b', draft: 'self:q4:random' } }]);
    const shown = withFirst(plans).map((plan) => (plan.kind === 'model' ? plan.model : plan.kind));
    expect(shown).toEqual(['copy', 'a', 'b', 'self', 'random']);
  });
});

describe('the option draft', () => {
  const drafter = copyDrafter(7);
  const file = new File(['{}'], 'config.json');

  it.each([
    ['null', null, []],
    ['an empty list', [], []],
    ['a name', 'copy', [{ kind: 'copy' }]],
    ['a list, in its order', ['ngram', 'copy'], [{ kind: 'ngram', file: null }, { kind: 'copy' }]],
    ['a drafter', drafter, [{ kind: 'drafter', drafter }]],
    ['a URL', new URL('http://x/y'), [{ kind: 'model', model: new URL('http://x/y') }]],
    ['the Files of one model', [file], [{ kind: 'model', model: [file] }]],
    ['bytes by name', { 'config.json': file }, [{ kind: 'model', model: { 'config.json': file } }]],
    [
      'a model with a type of its own',
      { model: 'a/b', dtype: 'q8' },
      [{ kind: 'model', model: 'a/b', dtype: 'q8', revision: undefined }],
    ],
    [
      'a model with a draft of its own',
      { model: 'a/b', draft: { model: 'c/d', dtype: 'q8', draft: 'copy' } },
      [{ kind: 'model', model: 'a/b', first: { kind: 'model', model: 'c/d', dtype: 'q8', first: { kind: 'copy' } } }],
    ],
    [
      'the target’s copy with a draft of its own',
      { self: 'q4', draft: drafter },
      [{ kind: 'self', dtype: 'q4', first: { kind: 'drafter', drafter } }],
    ],
    ['the target’s copy', { self: 'q4' }, [{ kind: 'self', dtype: 'q4' }]],
  ] as const)('takes %s', (_, draft, plans) => {
    expect(draftPlans(draft)).toEqual(plans);
  });

  it.each([{ open: 7, vocabularySize: 7 }, { vocabularySize: 7 }, { open: () => null }])(
    'takes %j, which is no drafter, for the files of a model',
    (half) => {
      expect(draftPlans(half as unknown as DraftSource)).toEqual([{ kind: 'model', model: half }]);
    },
  );

  it.each([
    ['a number', 3],
    ['true', true],
    ['a function', () => 'copy'],
    ['null in a list', ['copy', null]],
    ['an unknown type', { model: 'a/b', dtype: 'f16' }],
    ['a revision that is no text', { model: 'a/b', revision: 3 }],
    ['an unknown name beside the model', { model: 'a/b', type: 'q8' }],
    ['no model', { model: undefined }],
    ['a copy in a type that is none for copies', { self: 'f32' }],
    ['an unknown name beside the copy', { self: 'q8', dtype: 'q4' }],
    ['a copy that drafts for a copy', { self: 'q8', draft: 'self' }],
    ['no draft for a draft', { self: 'q8', draft: null }],
    ['a draft of a draft that is none', { model: 'a/b', draft: 'layers:0' }],
  ])('refuses %s', (_, draft) => {
    expect(() => draftPlans(draft as never)).toThrow(refused);
    expect(draftRule.holds(draft)).toBe(false);
  });
});
