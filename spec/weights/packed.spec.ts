import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { q8RowBytes } from '../../common';
import { openCheckpoint } from '../../weights';
import { PACKED_FORMAT, withPacking } from '../../weights/packed';
import { checkpointBytes, randomTensors, tinyConfig } from '../support/random-checkpoint';

const index = (type: string, shape: readonly number[], format = PACKED_FORMAT) =>
  ({
    metadata: { format },
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
      ['I8', [3, 36], PACKED_FORMAT],
      ['U8', [36], PACKED_FORMAT],
      ['U8', [3, 36, 1], PACKED_FORMAT],
    ] as const) {
      const before = index(type, shape, format);
      expect(withPacking(before)).toEqual(before);
    }
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
