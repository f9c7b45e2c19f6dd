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

  test('probing names every backend with the level it reaches or the reason it does not work', async () => {
    const probes = await probeBackends();
    const names = probes.map(({ name }) => name);
    expect(names).toEqual(expect.arrayContaining(['cpu', 'reference']));
    expect(new Set(names).size).toBe(names.length);
    for (const { reason } of probes) expect(reason).not.toBe('');
    expect(probes).toContainEqual({ name: 'cpu', available: true, reason: 'scalar, 1 thread' });
  });
});
