import { join } from 'node:path';
import { type DraftModel, Tandem } from '../../api';
import { copyDrafter } from '../../decoding';
import { WasmStorage } from '../../kernels/wasm/storage';

const [MODEL, OTHER] = ['modernize-draft', 'modernize-target'].map((name) =>
  join(__dirname, '..', '..', 'models', name),
);

describe('loading', () => {
  it('that fails once the weights are in memory frees them and ends the backend', async () => {
    const disposed = jest.spyOn(WasmStorage.prototype, 'dispose');
    const released = jest.spyOn(WasmStorage.prototype, 'release');
    await expect(Tandem.load(MODEL, { backend: 'wasm', threads: 1, draft: copyDrafter(7) })).rejects.toThrow(/7/);
    expect(disposed).toHaveBeenCalledTimes(1);
    expect(released.mock.calls.length).toBeGreaterThan(0);
    jest.restoreAllMocks();
  });

  it('takes any level where `auto` is asked for', async () => {
    const tandem = await Tandem.load(MODEL, { backend: 'wasm', level: 'auto', threads: 1, draft: null });
    expect(['simd', 'relaxed-simd']).toContain(tandem.backend.level);
    await tandem.dispose();
  });

  it('takes the level that was asked for, and refuses a backend that does not have it', async () => {
    const tandem = await Tandem.load(MODEL, { backend: 'wasm', level: 'simd', threads: 1, draft: null });
    expect(tandem.backend.level).toBe('simd');
    await tandem.dispose();
    const refused = Tandem.load(MODEL, { backend: 'cpu', level: 'simd', draft: null });
    await expect(refused).rejects.toMatchObject({ message: expect.stringContaining('level: expected') });
  });

  /** Weights that are in memory with a draft that drafts for the bundled draft itself. */
  async function weightsWith(draft: DraftModel): Promise<number> {
    const created = jest.spyOn(WasmStorage.prototype, 'createWeight');
    const tandem = await Tandem.load(MODEL, { backend: 'wasm', threads: 1, dtype: 'bf16', draft });
    await tandem.dispose();
    const { length } = created.mock.calls;
    created.mockRestore();
    return length;
  }

  it('of a draft that drafts for itself takes weights once, and of another model or another type twice', async () => {
    const one = await weightsWith({ model: MODEL });
    expect(await weightsWith({ model: MODEL, draft: { model: MODEL } })).toBe(one);
    expect(await weightsWith({ model: MODEL, draft: { model: MODEL, dtype: 'q8' } })).toBeGreaterThan(one);
    expect(await weightsWith({ model: MODEL, draft: { model: OTHER } })).toBeGreaterThan(one);
  });
});
