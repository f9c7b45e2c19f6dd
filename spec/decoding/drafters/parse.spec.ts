import { modelDrafter, NgramTable } from '../../../decoding';
import { type DraftSources, namedDrafter, parseDrafter } from '../../../decoding/drafters/parse';
import { randomTable, tableModel } from '../../support/table-model';

const target = tableModel({ vocabulary: 7, logits: randomTable(7, 1) });

describe('names of drafts', () => {
  it.each([
    ['copy', [{ kind: 'copy' }]],
    ['random', [{ kind: 'random' }]],
    ['ngram', [{ kind: 'ngram', file: null }]],
    ['ngram:en-de.json', [{ kind: 'ngram', file: 'en-de.json' }]],
    ['ngram:C:\\tables\\en.json', [{ kind: 'ngram', file: 'C:\\tables\\en.json' }]],
    ['layers:2', [{ kind: 'layers', layers: 2 }]],
    ['google-t5/t5-small', [{ kind: 'model', name: 'google-t5/t5-small' }]],
    ['C:\\models\\t5', [{ kind: 'model', name: 'C:\\models\\t5' }]],
    ['model:copy', [{ kind: 'model', name: 'copy' }]],
    ['copy, ngram,t5', [{ kind: 'copy' }, { kind: 'ngram', file: null }, { kind: 'model', name: 't5' }]],
  ])('%s', (text, expected) => {
    expect(parseDrafter(text)).toEqual(expected);
  });

  it.each(['', 'copy,', 'ngram:', 'layers', 'layers:0', 'layers:1.5', 'layers:two'])("refuses '%s'", (text) => {
    expect(() => parseDrafter(text)).toThrow(expect.objectContaining({ code: 'option-invalid' }));
  });

  it('stand for drafters over the target vocabulary, several for the first that proposes', async () => {
    const files: string[] = [];
    const sources: DraftSources = {
      target,
      table: async (file) => {
        files.push(file);
        return new NgramTable(2, 7);
      },
      model: async (name) => modelDrafter(target, name),
    };
    const named = async (text: string) => namedDrafter(parseDrafter(text), sources);
    expect((await named('copy')).name).toBe('copy');
    const all = await named('copy,ngram:a.json,ngram,layers:1,random,t5');
    expect(all.name).toBe('copy+ngram+ngram+first 1 layers+random+t5');
    expect(all.vocabularySize).toBe(7);
    expect(files).toEqual(['a.json']);
  });
});
