import { createBackend, createWasmBackend } from '../../../kernels';
import { type chooseLevel, probeLevel } from '../../../kernels/wasm/level';
import { describeOrSkip, relaxedMissing } from './support';

describe('feature levels', () => {
  test('SIMD works on every supported Node', async () => {
    expect(await probeLevel('simd')).toMatchObject({ works: true });
  });

  test('auto takes a level that works, on one thread and on several', async () => {
    for (const threads of [1, 2]) {
      const backend = await createWasmBackend({ threads });
      const level = relaxedMissing === null ? 'relaxed-simd' : 'simd';
      expect(backend.facts).toMatchObject({ name: 'wasm', threads, level });
      await backend.dispose();
    }
  });

  test('a level that was asked for is the level of the backend', async () => {
    const backend = await createBackend('wasm', { level: 'simd', threads: 1 });
    expect(backend.facts.level).toBe('simd');
    await backend.dispose();
  });

  test('an unknown level is refused, and the message has the known ones', async () => {
    const created = createBackend('wasm', { level: 'avx' });
    await expect(created).rejects.toMatchObject({
      name: 'KernelError',
      code: 'option-invalid',
      message: expect.stringMatching(/^wasm: level: expected .*relaxed-simd, simd, found 'avx'$/),
    });
  });

  const late = { calls: 0 };
  test.each([
    ['at once', 'before', () => 0],
    ['after it is optimised', 'after', (rounds: number) => (rounds === 1 ? 1 : 0)],
    ['some milliseconds later', 'after', () => (++late.calls > 3 ? 0 : 1)],
  ])(
    'a level is refused when a probe of it gives a wrong answer %s (that of a broken engine gives 0)',
    async (_, when, probe) => {
      const { Instance } = WebAssembly;
      const broken = function (this: unknown, ...args: ConstructorParameters<typeof Instance>) {
        const instance = new Instance(...args);
        const exports = { ...instance.exports, probeDot: probe };
        return { exports };
      };
      let now = 0;
      jest.spyOn(performance, 'now').mockImplementation(() => now++); // so that a probe goes on for six rounds
      await jest.isolateModulesAsync(async () => {
        (WebAssembly as { Instance: unknown }).Instance = broken;
        try {
          const fresh: { chooseLevel: typeof chooseLevel } = require('../../../kernels/wasm/level');
          expect(await fresh.chooseLevel('auto')).toBe('simd');
          // An engine without relaxed SIMD refuses the module before a probe runs.
          const wrong = new RegExp(relaxedMissing === null ? `.\\(${when} it is optimised\\)` : '.');
          const message = expect.stringMatching(wrong);
          await expect(fresh.chooseLevel('relaxed-simd')).rejects.toMatchObject({ code: 'unavailable', message });
        } finally {
          (WebAssembly as { Instance: unknown }).Instance = Instance;
          jest.restoreAllMocks();
        }
      });
    },
  );

  test('a level is refused with the reason when its module may not be compiled, as under a content security policy', async () => {
    const refused = new WebAssembly.CompileError("'wasm-unsafe-eval' is not an allowed source of script");
    const spy = jest.spyOn(WebAssembly, 'compile').mockRejectedValue(refused);
    try {
      await jest.isolateModulesAsync(async () => {
        const { createBackend: create } = require('../../../kernels') as typeof import('../../../kernels');
        const named = create('wasm', { threads: 1 });
        await expect(named).rejects.toMatchObject({
          code: 'unavailable',
          message: expect.stringContaining('wasm-unsafe-eval'),
        });
        const { facts } = await create('auto');
        expect([facts.name, facts.reason]).toEqual(['cpu', expect.stringContaining('wasm-unsafe-eval')]);
      });
    } finally {
      spy.mockRestore();
    }
  });
});

describeOrSkip('relaxed SIMD', relaxedMissing, () => {
  test('works', async () => {
    const finding = await probeLevel('relaxed-simd');
    expect(finding).toMatchObject({ works: true, reason: expect.stringContaining('known answers') });
  });
});

describeOrSkip('without relaxed SIMD', relaxedMissing === null ? 'this Node has it' : null, () => {
  test('the level is refused with a reason', async () => {
    const finding = await probeLevel('relaxed-simd');
    expect(finding).toMatchObject({ works: false, reason: expect.stringMatching(/^relaxed-simd: ./) });
  });
});
