import { base64 as relaxedCode, memoryFlag as relaxedFlag } from '../../../kernels/wasm/generated/relaxedSmall';
import { base64 as simdCode, memoryFlag as simdFlag } from '../../../kernels/wasm/generated/simdSmall';
import type { Exports } from '../../../kernels/wasm/instance';
import { Operation } from '../../../kernels/wasm/layout';
import type { WasmLevel } from '../../../kernels/wasm/level';
import { bytesOf, LEVELS } from '../../../kernels/wasm/modules';
import type { ProbeJob } from '../../../kernels/wasm/wide/job';
import { probeJobs } from '../../../kernels/wasm/wide/jobs';
import { runOf } from './jobRuns';

const SMALL = {
  simd: { base64: simdCode, memoryFlag: simdFlag },
  'relaxed-simd': { base64: relaxedCode, memoryFlag: relaxedFlag },
};

/** The small module of a level, whose memory is not shared. */
function smallOf(level: WasmLevel): Uint8Array<ArrayBuffer> {
  const { base64, memoryFlag } = SMALL[level];
  const bytes = Uint8Array.from(atob(base64), (one) => one.charCodeAt(0));
  bytes[memoryFlag] = 1;
  return bytes;
}

describe.each(LEVELS)('the module for pages on %s', (level) => {
  const supported = WebAssembly.validate(bytesOf(level, false));

  (supported ? test : test.skip)(
    'it gives the bits of the module for programs in every job but those that leave inputs out, and is smaller',
    () => {
      const codes = [smallOf(level), bytesOf(level, false)];
      const modules = codes.map((code) => new WebAssembly.Module(code));
      for (const job of probeJobs(level)) {
        const leavesOut = ({ operation }: ProbeJob) =>
          operation === Operation.keep || operation === Operation.keepCodes;
        if (job.before.some(leavesOut)) continue;
        const [at, length] = job.result;
        const [small, whole] = modules.map((module) => runOf(module, job).after.slice(at, at + length));
        expect([job.name, Buffer.compare(small, whole)]).toEqual([job.name, 0]);
      }
      expect(codes[0].length).toBeLessThan(codes[1].length);
    },
  );

  (supported ? test : test.skip)('it leaves no inputs out: of no weights it says that they allow that', () => {
    const saidBy = [smallOf(level), bytesOf(level, false)].map((code) => {
      const memory = new WebAssembly.Memory({ initial: 1, maximum: 65536 });
      const { exports } = new WebAssembly.Instance(new WebAssembly.Module(code), { env: { memory } });
      const { arePlain, areScalesPlain } = exports as unknown as Exports;
      return [arePlain(32768, 64), areScalesPlain(32768, 2)];
    });
    expect(saidBy).toEqual([
      [0, 0],
      [1, level === 'simd' ? 0 : 1],
    ]);
  });
});
