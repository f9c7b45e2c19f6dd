import { type BackendName, createBackend, KernelError, probeBackends } from '../../kernels';

describe('backend registry', () => {
  test('creates each host backend under its own name', async () => {
    for (const name of ['reference', 'cpu'] as const) {
      const backend = await createBackend(name);
      expect(backend.facts.name).toBe(name);
      expect(backend.facts.reason).toBeUndefined();
      await backend.dispose();
    }
  });

  test('auto takes one that works, never the judge, and says why', async () => {
    const backend = await createBackend('auto');
    expect(['wasm', 'cpu']).toContain(backend.facts.name);
    expect(backend.facts.reason).toContain(backend.facts.name);
    const box = backend.tensor();
    backend.write(box, 1, 2, Float32Array.of(3, 4));
    expect(Array.from(await backend.read(box))).toEqual([3, 4]);
    await backend.dispose();
  });

  test('an unknown name is unavailable, and the message lists the known ones', async () => {
    for (const name of ['cuda', 'toString', '']) {
      const created = createBackend(name as BackendName);
      await expect(created).rejects.toBeInstanceOf(KernelError);
      await expect(created).rejects.toMatchObject({ code: 'unavailable', message: expect.stringContaining('cpu') });
    }
  });

  test('options reach the backend', async () => {
    const backend = await createBackend('cpu', { capacityBytes: 1000 });
    expect(backend.facts.capacityBytes).toBe(1000);
    expect(() => backend.weight(16, 16, 'f32')).toThrow(KernelError);
    await backend.dispose();
  });

  describe.each(['auto', 'wasm', 'cpu', 'gpu', 'reference'] as const)(
    '%s refuses, and never takes another backend',
    (name) => {
      test.each<[object]>([
        [{ threads: 0 }],
        [{ threads: 65 }],
        [{ threads: 1.5 }],
        [{ threads: Number.NaN }],
        [{ threads: '2' }],
        [{ level: 'avx' }],
        [{ level: 3 }],
        [{ capacityBytes: 0 }],
        [{ capacityBytes: Number.POSITIVE_INFINITY }],
        [{ thread: 2 }],
      ])('%j', async (options) => {
        const created = createBackend(name, options);
        await expect(created).rejects.toBeInstanceOf(KernelError);
        await expect(created).rejects.toMatchObject({
          code: 'option-invalid',
          message: expect.stringMatching(new RegExp(`^${name}: .*(expected .*found|did you mean)`)),
        });
      });
    },
  );

  test('a number of threads that a backend cannot have is refused: cpu, gpu and reference compute on one', async () => {
    for (const name of ['cpu', 'gpu', 'reference'] as const) {
      await expect(createBackend(name, { threads: 2 })).rejects.toMatchObject({ code: 'option-invalid' });
    }
    const backend = await createBackend('cpu', { threads: 1, level: 'scalar' });
    expect(backend.facts).toMatchObject({ threads: 1, level: 'scalar' });
  });

  test('auto with a level takes the backend that has it', async () => {
    const backend = await createBackend('auto', { level: 'scalar' });
    expect(backend.facts).toMatchObject({ name: 'cpu', reason: expect.stringContaining('wasm') });
  });

  test('probing names every backend with the level it reaches or the reason it does not work', async () => {
    const probes = await probeBackends();
    const names = probes.map(({ name }) => name);
    expect([...names].sort()).toEqual(['cpu', 'gpu', 'reference', 'wasm']);
    for (const { reason } of probes) expect(reason).not.toBe('');
    const cpu = probes.find(({ name }) => name === 'cpu');
    expect(cpu).toMatchObject({ available: true, reason: 'scalar, 1 thread' });
  });
});
