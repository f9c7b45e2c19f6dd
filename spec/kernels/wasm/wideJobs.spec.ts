import {
  Address,
  AttentionParameter,
  Operation,
  PackParameter,
  PrepareParameter,
  Size,
  StoredCode,
  WeightCode,
} from '../../../kernels/wasm/layout';
import type { WasmLevel } from '../../../kernels/wasm/level';
import { bytesOf, LEVELS } from '../../../kernels/wasm/modules';
import { PROBE_BYTES } from '../../../kernels/wasm/wide/job';
import { probeJobs } from '../../../kernels/wasm/wide/jobs';
import { runOf } from './jobRuns';

/** Bytes from the start of the memory that have the module's own data, and parameters. */
const OWN_DATA = 1 << 15;

describe.each(LEVELS)('the jobs of the probe on %s', (level: WasmLevel) => {
  const supported = WebAssembly.validate(bytesOf(level, false));
  const jobs = probeJobs(level);
  const module = () => new WebAssembly.Module(bytesOf(level, false));

  test('they run every kernel, products and rows of embeddings in every type, with names of their own', () => {
    const operations = new Set(jobs.flatMap((job) => [...job.before, job]).map(({ operation }) => operation));
    const all = Array.from({ length: Operation.exponentials + 1 }, (_, i) => i);
    // `append` copies numbers in TypeScript's order, and has no arithmetic. The strict level leaves nothing out of codes.
    const notRun = level === 'simd' ? [Operation.keepCodes, Operation.append] : [Operation.append];
    expect(all.filter((operation) => !operations.has(operation))).toEqual(notRun);
    expect(new Set(jobs.map(({ name }) => name)).size).toBe(jobs.length);
    expect(new Set(jobs.map(({ operation, words }) => JSON.stringify([operation, words]))).size).toBe(jobs.length);
    for (const job of jobs) expect(job.name).toMatch(/^[a-z]/);
  });

  test('products have every number of rows up to a block, one more, and whole and broken blocks of inputs', () => {
    expect([WeightCode.f32, WeightCode.bf16, WeightCode.q8, WeightCode.q4]).toEqual([0, 1, 2, 3]);
    const rowsOf = (type: string, inputs: number) =>
      jobs.flatMap(({ name }) => {
        const found = new RegExp(`^product in ${type}, (\\d+) rows of ${inputs}$`).exec(name);
        return found === null ? [] : [Number(found[1])];
      });
    for (const type of ['float32', 'bf16', 'q8', 'q4']) {
      const whole = rowsOf(type, 192);
      for (let rows = 1; rows <= Size.floatBlockRows; rows++) expect(whole).toContain(rows);
      expect(Math.max(...whole)).toBeGreaterThan(2 * Size.floatBlockRows);
      expect(rowsOf(type, 75)).toEqual(expect.arrayContaining([1, 2, Size.floatBlockRows + 1]));
    }
    const weights = (operation: Operation) => jobs.filter((job) => job.operation === operation).length;
    expect([weights(Operation.pack), weights(Operation.embed)]).toEqual([5, 4]);
    const stored = jobs.flatMap(({ operation, words }) => {
      const at = (parameter: PackParameter) => new Map(words).get(Address.parameters + 4 * parameter) ?? 0;
      return operation === Operation.pack ? [`${at(PackParameter.stored)} as ${at(PackParameter.type)}`] : [];
    });
    const whole = [WeightCode.f32, WeightCode.q8, WeightCode.q4].map((type) => `${StoredCode.f32} as ${type}`);
    const taken = [`${StoredCode.q8} as ${WeightCode.q8}`, `${StoredCode.q4} as ${WeightCode.q4}`];
    expect(stored).toEqual([...whole, ...taken]);
  });

  test('what a job takes packed is packed by the jobs before it: rows of floats, weights in bf16, tables of embeddings', () => {
    for (const { name, operation, before } of jobs) {
      const ofFloats = /^product in (float32|bf16)/.test(name) ? [Operation.prepare] : [];
      const ofSparse = name.includes('q8') ? [Operation.keepCodes] : [Operation.keep];
      const rows = name.startsWith('sparse') ? ofSparse : ofFloats;
      const weights = /^product in bf16/.test(name) || operation === Operation.embed ? [Operation.pack] : [];
      expect([name, before.map((job) => job.operation)]).toEqual([name, [...rows, ...weights]]);
    }
  });

  test('rows of attention in a tile have one list of keys, and others one key more than the row before; every slot comes before one comes again', () => {
    const attended = jobs.filter(({ operation }) => operation === Operation.attend);
    for (const { name, words } of attended) {
      const memory = new Map(words);
      const value = (parameter: AttentionParameter) => memory.get(Address.parameters + parameter * 4) ?? 0;
      const counts = Array.from(
        { length: value(AttentionParameter.rows) },
        (_, row) => memory.get(value(AttentionParameter.count) + row * 4) ?? 0,
      );
      const more = / in a tile$/.test(name) ? 0 : 1;
      expect([name, value(AttentionParameter.tileRows) > 0]).toEqual([name, more === 0]);
      expect([name, counts]).toEqual([name, counts.map((_, row) => counts[0] + row * more)]);
      const keys = Array.from({ length: Math.max(...counts) }, (_, i) =>
        memory.get(value(AttentionParameter.keys) + i * 4),
      );
      expect([name, new Set(keys).size]).toEqual([name, Math.min(keys.length, value(AttentionParameter.slots))]);
      for (const key of keys) expect(Number.isInteger(key)).toBe(true);
    }
    expect(new Set(attended.map(({ name }) => / in a tile$/.test(name))).size).toBe(2);
  });

  test('rows are prepared alone, in a block that they do not fill, and in more blocks than one, as floats and as codes', () => {
    const rows = jobs
      .filter((job) => job.operation === Operation.prepare)
      .map(({ words }) => {
        const value = (parameter: PrepareParameter) =>
          new Map(words.map(([at, word]) => [at, word])).get(Address.parameters + parameter * 4) ?? 0;
        expect([value(PrepareParameter.floatRows), value(PrepareParameter.codeRows)]).not.toContain(0);
        return value(PrepareParameter.rows);
      });
    const most = Math.max(Size.floatBlockRows, Size.relaxedCodeBlockRows);
    expect(rows).toContain(1);
    expect(rows.some((count) => count > 1 && count < Size.floatBlockRows)).toBe(true);
    expect(rows.some((count) => count > most)).toBe(true);
  });

  (supported && level === 'relaxed-simd' ? test.each : test.skip.each)(['q8', 'q4'])(
    '%s: both forms of the dot of bytes give the bits of the form that the engine chose, for every number of rows of a block',
    (type) => {
      const code = module();
      const contents = (ending: string) =>
        jobs
          .filter(
            ({ name }) => name.startsWith(`product in ${type}`) && name.includes(' of 192') && name.endsWith(ending),
          )
          .map((job) => {
            const [at, length] = job.result;
            return [job.chunks, Buffer.from(runOf(code, job).after.slice(at, at + length)).toString('hex')];
          });
      const [whole, inSteps] = [contents('as one instruction'), contents('in steps')];
      expect(whole.length).toBeGreaterThan(Size.relaxedCodeBlockRows);
      expect(inSteps).toEqual(whole);
      expect(contents('of 192')).toEqual(expect.arrayContaining(whole));
    },
  );

  (supported ? test : test.skip)(
    'a result is all that its job writes beside scratch memory: to its last words, and nothing elsewhere',
    () => {
      const code = module();
      for (const job of jobs) {
        const { before, after } = runOf(code, job);
        const [at, length] = job.result;
        const isSame = (from: number, to: number) =>
          Buffer.compare(before.slice(from, to), after.slice(from, to)) === 0;
        const word = (address: number) => job.words.find(([where]) => where === address)?.[1] ?? 0;
        const [scratch, stride] = [word(Address.scratch), word(Address.scratchStride)];
        expect([job.name, scratch > OWN_DATA, at >= scratch + stride]).toEqual([job.name, true, true]);
        const apart = [
          [OWN_DATA, scratch],
          [scratch + stride, at],
          [at + length, PROBE_BYTES],
        ];
        expect([job.name, apart.map(([from, to]) => isSame(from, to))]).toEqual([job.name, [true, true, true]]);
        // Preparation writes rows in several layouts, with room between them.
        if (job.operation !== Operation.prepare)
          expect([job.name, isSame(Math.max(at, at + length - Size.partialAnswer), at + length)]).toEqual([
            job.name,
            false,
          ]);
      }
    },
  );
});
