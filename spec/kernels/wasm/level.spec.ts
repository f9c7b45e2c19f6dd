import { createBackend, createWasmBackend } from '../../../kernels';
import { type compileLevel, probeLevel } from '../../../kernels/wasm/level';

/** Node 22 brought relaxed SIMD; Node 20 has it behind a flag, with a baseline compiler that doubles the int8 dot. */
const relaxedHere = Number(process.versions.node.split('.')[0]) >= 22;

describe('feature levels', () => {
  test('SIMD works on every supported Node', async () => {
    expect(await probeLevel('simd')).toMatchObject({ works: true });
  });

  test('relaxed SIMD works from Node 22 on and is refused with a reason before', async () => {
    const finding = await probeLevel('relaxed-simd');
    expect(finding.works).toBe(relaxedHere);
    expect(finding.reason).not.toBe('');
  });

  test('auto takes the best level that works, on one thread and on several', async () => {
    for (const threads of [1, 2]) {
      const backend = await createWasmBackend({ threads });
      expect(backend.facts).toMatchObject({ name: 'wasm', threads, level: relaxedHere ? 'relaxed-simd' : 'simd' });
      await backend.dispose();
    }
  });

  test('a level asked for is the level taken', async () => {
    const backend = await createBackend('wasm', { level: 'simd', threads: 1 });
    expect(backend.facts.level).toBe('simd');
    await backend.dispose();
  });

  test('an unknown level is refused', async () => {
    await expect(createBackend('wasm', { level: 'avx' })).rejects.toMatchObject({ code: 'argument-invalid' });
  });

  test('a level whose known answers are wrong is refused (probes that say 0 stand for a broken engine)', async () => {
    const { Instance } = WebAssembly;
    const broken = function (this: unknown, ...args: ConstructorParameters<typeof Instance>) {
      const instance = new Instance(...args);
      const exports = { ...instance.exports, probeDot: () => 0 };
      return { exports };
    };
    await jest.isolateModulesAsync(async () => {
      (WebAssembly as { Instance: unknown }).Instance = broken;
      try {
        const fresh: { compileLevel: typeof compileLevel } = require('../../../kernels/wasm/level');
        const { level } = await fresh.compileLevel('auto', false);
        expect(level).toBe('simd');
        await expect(fresh.compileLevel('relaxed-simd', false)).rejects.toMatchObject({ code: 'unavailable' });
      } finally {
        (WebAssembly as { Instance: unknown }).Instance = Instance;
      }
    });
  });
});
