/** Waiting threads sleep early while others want their cores; when none does, they poll as long as ever. Bits are the same. */
import { Worker } from 'node:worker_threads';
import fc from 'fast-check';
import { createWasmBackend } from '../../../kernels';
import { Address } from '../../../kernels/wasm/layout';
import { bytesOf } from '../../../kernels/wasm/modules';
import { SpinGauge } from '../../../kernels/wasm/spinning.node';
import { matrix } from '../laws/arbitraries';
import { expectSameBits, using } from '../laws/subject';

const THREADS = 3;

/** A gauge whose time and preemptions a test sets, and the share of its threads' time that a process has. */
function gauge() {
  const state = { now: 5, preempted: 1000, ran: 70, looks: 0 };
  const look = () => {
    state.looks++;
    return { preempted: state.preempted, ran: state.ran };
  };
  const tested = new SpinGauge(look, () => state.now);
  const later = (ms: number, preempted: number, share = 0.5) => {
    state.now += ms;
    state.preempted += preempted;
    state.ran += ms * share * THREADS;
    return tested.shift(THREADS);
  };
  return { state, later };
}

describe('polls of waiting threads', () => {
  it('are as many as ever where fewer than 0.1 preemptions come in a millisecond', () => {
    const step = fc.tuple(fc.integer({ min: 1, max: 300 }), fc.double({ min: 0, max: 0.0999, noNaN: true }));
    fc.assert(
      fc.property(fc.array(step), (steps) => {
        const { later } = gauge();
        for (const [ms, rate] of steps) expect(later(ms, Math.floor(ms * rate))).toBe(0);
      }),
    );
  });

  it('are as many as ever where the threads have two thirds of their time, whatever is preempted', () => {
    const step = fc.tuple(fc.integer({ min: 1, max: 300 }), fc.double({ min: 0.667, max: 1.5, noNaN: true }));
    fc.assert(
      fc.property(fc.array(step), (steps) => {
        const { later } = gauge();
        for (const [ms, share] of steps) expect(later(ms, 9000, share)).toBe(0);
      }),
    );
    const { later } = gauge();
    const crowded = [0.67, 0.66, 0.67, 0.66, 0.66].map((share) => later(30, 9000, share));
    expect(crowded).toEqual([0, 0, 0, 0, 7]);
  });

  it('are fewer for half a second after 20 ms with 2 preemptions, twice in a row, whatever is preempted meanwhile', () => {
    const { state, later } = gauge();
    expect([later(0, 0), later(19, 2), later(1, 0), later(20, 2)]).toEqual([0, 0, 0, 7]);
    const { looks } = state;
    expect([later(1, 9000), later(498, 9000)]).toEqual([7, 7]);
    expect(state.looks).toBe(looks);
    // Then a look to compare with comes first, and others that compute are found again, or not.
    expect([later(1, 9000), later(20, 2), later(20, 2)]).toEqual([0, 0, 7]);
    expect([later(500, 9000), later(20, 2), later(20, 1), later(20, 2), later(20, 1)]).toEqual([0, 0, 0, 0, 0]);
  });

  it('do not follow looks that are more than 100 ms apart', () => {
    const { later } = gauge();
    expect([later(0, 0), later(101, 9000), later(100, 9), later(100, 10), later(100, 10)]).toEqual([0, 0, 0, 0, 7]);
    expect([later(500, 0), later(100, 10), later(101, 9000), later(100, 10)]).toEqual([0, 0, 0, 0]);
  });

  it.each([
    [0, 3001],
    [7, 24],
  ])(
    'end after 150,000 shifted by %i: a thread looks into another memory %i times, and sleeps',
    async (shift, looks) => {
      const memory = new WebAssembly.Memory({ initial: 16, maximum: 65536, shared: true });
      const control = new Int32Array(memory.buffer, 0, 256);
      control[Address.spinShift >> 2] = shift;
      control[Address.bankCount >> 2] = 2;
      control[Address.currentBank >> 2] = 1;
      const code = `
      const { workerData: { bytes, memory, looked } } = require('node:worker_threads');
      const { setThread, serve } = new WebAssembly.Instance(new WebAssembly.Module(bytes), { env: { memory } }).exports;
      setThread(1, 2, 1);
      while (serve(2) === 1) Atomics.add(looked, 0, 1);`;
      const looked = new Int32Array(new SharedArrayBuffer(4));
      const worker = new Worker(code, { eval: true, workerData: { bytes: bytesOf('simd', true), memory, looked } });
      while (Atomics.load(control, Address.sleepers >> 2) === 0) await new Promise((resolve) => setTimeout(resolve, 5));
      expect(looked[0]).toBe(looks);
      Atomics.store(control, Address.stop >> 2, 1);
      Atomics.add(control, Address.generation >> 2, 1);
      Atomics.notify(control, Address.generation >> 2);
      await new Promise((resolve) => worker.once('exit', resolve));
    },
  );

  it('are fewer in the memory of a backend whose process is preempted; results have the same bits', async () => {
    const results: Float32Array[] = [];
    for (const each of [0, 1000]) {
      let preempted = 0;
      const usage = process.resourceUsage(); // as if its threads had no processor time any more
      const spy = jest.spyOn(process, 'resourceUsage').mockImplementation(() => {
        preempted += each;
        return { ...usage, involuntaryContextSwitches: preempted };
      });
      const memories: WebAssembly.Memory[] = [];
      const create = WebAssembly.Memory;
      const created = jest.spyOn(WebAssembly, 'Memory').mockImplementation((descriptor) => {
        memories.push(new create(descriptor));
        return memories[memories.length - 1];
      });
      const backend = await createWasmBackend({ threads: 2 });
      const shifts = new Set<number>();
      await using(backend, async (boxes) => {
        const weight = boxes.weight(matrix(1, 512, 1024), 'f32');
        const [x, out] = [boxes.tensor(matrix(2, 3, 1024)), boxes.out()];
        const until = performance.now() + (each === 0 ? 100 : 4000);
        while (performance.now() < until && !shifts.has(7)) {
          backend.linear(out, x, weight, null);
          for (const { buffer } of memories) shifts.add(new Int32Array(buffer, Address.spinShift, 1)[0]);
        }
        results.push(await backend.read(out));
      });
      await backend.dispose();
      spy.mockRestore();
      created.mockRestore();
      if (each === 0) expect([...shifts]).toEqual([0]);
      else expect(shifts).toContain(7);
    }
    expectSameBits(results[1], results[0]);
  });
});
