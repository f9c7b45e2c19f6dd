import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { q8RowBytes } from '../../common';
import { openCheckpoint } from '../../weights';
import { PACKED_FORMATS, packedMetadata, withPacking } from '../../weights/packed';
import { checkpointBytes, randomTensors, tinyConfig } from '../support/random-checkpoint';

const index = (type: string, shape: readonly number[], format = PACKED_FORMATS.q8, columns?: string) =>
  ({
    metadata: { format, ...(columns !== undefined && { columns }) },
    tensors: new Map([['w', { name: 'w', file: 'f', type, shape, bytes: 0, begin: 0 }]]),
  }) as unknown as Parameters<typeof withPacking>[0];

describe('packed weights', () => {
  it('have the columns whose scales and codes fill a row; other widths are refused', () => {
    const widths = new Map(Array.from({ length: 150 }, (_, i) => [q8RowBytes(i + 1), i + 1]));
    let refused = 0;
    for (let width = 0; width <= 170; width++) {
      const packed = () => withPacking(index('U8', [3, width])).tensors.get('w');
      const columns = widths.get(width);
      if (columns !== undefined) expect(packed()).toMatchObject({ shape: [3, columns], packing: 'q8' });
      else {
        refused++;
        expect(packed).toThrow(`f: tensor 'w': expected packed rows of scales and codes, found rows of ${width} bytes`);
      }
    }
    expect(refused).toBeGreaterThan(15);
  });

  it('are matrices of bytes in files of this format; all else stays as it is', () => {
    for (const [type, shape, format] of [
      ['U8', [3, 36], 'pt'],
      ['I8', [3, 36], PACKED_FORMATS.q8],
      ['U8', [36], PACKED_FORMATS.q8],
      ['U8', [3, 36, 1], PACKED_FORMATS.q8],
      ['U8', [3, 2, 18], PACKED_FORMATS.q8],
      ['U8', [3, 2, 18], 'pt'],
      ['I8', [3, 2, 18], PACKED_FORMATS.q4],
      ['U8', [3, 2, 17], PACKED_FORMATS.q4],
      ['U8', [3, 2, 18, 1], PACKED_FORMATS.q4],
      ['U8', [54], PACKED_FORMATS.q4],
    ] as const) {
      const before = index(type, shape, format);
      expect(withPacking(before)).toEqual(before);
    }
  });

  it('in q4 have whole blocks, unless the file states their columns; those that do not fill the blocks are refused', () => {
    const packed = (blocks: number, columns?: string) =>
      withPacking(index('U8', [3, blocks, 18], PACKED_FORMATS.q4, columns)).tensors.get('w');
    expect(packed(2)).toMatchObject({ shape: [3, 64], packing: 'q4' });
    expect(packed(2, '{"v": 1}')).toMatchObject({ shape: [3, 64], packing: 'q4' });
    for (let columns = 0; columns <= 100; columns++) {
      const stated = () => packed(2, JSON.stringify({ w: columns }));
      if (columns > 32 && columns <= 64) expect(stated()).toMatchObject({ shape: [3, columns], packing: 'q4' });
      else expect(stated).toThrow(`f: tensor 'w': expected columns that take 2 blocks of 32, found ${columns}`);
    }
    for (const other of ['40.5', '"40"', 'null', '[40]', '{}', '1e400', '-40']) {
      expect(() => packed(2, `{"w": ${other}}`)).toThrow(/expected columns that take 2 blocks of 32, found/);
    }
    expect(() => packed(0)).toThrow("f: tensor 'w': expected columns that take 0 blocks of 32, found 0");
    expect(packed(2, 'null')).toMatchObject({ shape: [3, 64] });
    for (const text of ['', '{', '['.repeat(1000)]) {
      expect(() => packed(2, text)).toThrow(/^f: expected columns in __metadata__ as JSON, found/);
    }
  });

  it('in q4 may stand beside a vocabulary in q8', () => {
    expect(withPacking(index('U8', [3, 36], PACKED_FORMATS.q4)).tensors.get('w')).toMatchObject({
      shape: [3, 32],
      packing: 'q8',
    });
  });

  it('say their columns where blocks do not, and nothing of them where they do', () => {
    const matrix = (name: string, cols: number) => ({
      ...{ name, type: 'F32', bytes: 0, file: 'f' },
      shape: [3, cols],
    });
    const metadata = packedMetadata('q4', [matrix('a', 64), matrix('b', 40), matrix('__proto__', 31)] as never);
    expect(JSON.parse(metadata.columns)).toEqual(JSON.parse('{"b": 40, "__proto__": 31}'));
    expect(packedMetadata('q4', [matrix('a', 64)] as never)).not.toHaveProperty('columns');
  });
});

it('a directory has the files of its steps too, and a folder of another name is no part of a model', async () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'tandem-steps-'));
  const files = await checkpointBytes({ config: tinyConfig(), tensors: randomTensors(tinyConfig(), 1) });
  for (const [name, bytes] of Object.entries(files)) writeFileSync(path.join(folder, name), bytes);
  for (const name of ['1_Pooling', 'Pooling_1', 'x1_Pooling']) {
    mkdirSync(path.join(folder, name));
    writeFileSync(path.join(folder, name, 'config.json'), '{"pooling_mode_cls_token": true}');
  }
  writeFileSync(path.join(folder, '2_Dense'), 'a file of that name is no step');
  writeFileSync(path.join(folder, 'modules.json'), '[{"type": "x.Pooling", "path": "1_Pooling"}]');
  writeFileSync(path.join(folder, 'tokenizer.json'), '{"version": "1.0"');
  writeFileSync(path.join(folder, 'tokenizer_config.json'), '{"verbose": true}');
  await using checkpoint = await openCheckpoint(folder);
  expect(await checkpoint.embeddingSteps?.()).toMatchObject({ pooling: ['cls'] });
  const inside = checkpoint.settingsFiles?.filter((name) => name.includes('/'));
  expect(inside).toEqual(['1_Pooling/config.json']);
  const statements = (await checkpoint.statements?.()) ?? [];
  const of = (file: string) => statements.filter((one) => one.file === file).map(({ key, outcome }) => [key, outcome]);
  expect([of('tokenizer.json'), of('tokenizer_config.json')]).toEqual([[['', 'refused']], [['verbose', 'no effect']]]);
  rmSync(folder, { recursive: true });
});
