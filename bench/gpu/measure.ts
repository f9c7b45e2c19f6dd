/**
 * What gpu.js costs on a device, and what its kernels gain over plainer ones: the figures of docs/gpu.md.
 *
 *   npx ts-node bench/gpu/measure.ts [webgpu | headlessgl | cpu]
 *
 * Every group runs its cases in turn, round after round, and prints the median; processor time stands beside wall time
 * because a software device is a guest on the processor.
 */
import { createDevice, type GpuLevel } from '../../kernels/gpu';
import { mixProgram, scoresProgram } from '../../kernels/gpu/attention';
import type { Argument, Content, GpuDevice, Program } from '../../kernels/gpu/device';
import { linearProgram } from '../../kernels/gpu/linear';
import { Q8_WORDS } from '../../kernels/gpu/pack';
import { bf16, fused, looped, naive, SOFTMAX, WEIGHTED } from './variants';

const ROUNDS = 7;

/** One way of doing something: `launches` in a row, each over the result of nothing but its inputs. */
interface Case {
  readonly name: string;
  /** Kernels of one call, each fed by name from those before. */
  readonly run: (device: GpuDevice) => Promise<Content>;
  /** Multiplications of one call; 0 to leave the rate out. */
  readonly products: number;
}

const median = (values: number[]): number => values.sort((a, b) => a - b)[values.length >> 1];

/** Wall and processor time of one call, by calls in a row that end in a read. */
async function time(device: GpuDevice, one: Case, calls: number): Promise<{ wall: number; cpu: number }> {
  const cpu = process.cpuUsage();
  const started = performance.now();
  for (let i = 0; i < calls; i++) {
    const content = await one.run(device);
    if (i === calls - 1) await device.read(content);
    content.release();
  }
  const used = process.cpuUsage(cpu);
  return { wall: (performance.now() - started) / calls, cpu: (used.user + used.system) / 1000 / calls };
}

async function group(device: GpuDevice, title: string, cases: readonly Case[], calls: number): Promise<void> {
  const found = cases.map(() => ({ wall: [] as number[], cpu: [] as number[] }));
  for (const one of cases) await time(device, one, 2); // compile
  for (let round = 0; round < ROUNDS; round++) {
    for (const [i, one] of cases.entries()) {
      const { wall, cpu } = await time(device, one, calls);
      found[i].wall.push(wall);
      found[i].cpu.push(cpu);
    }
  }
  console.log(`\n${title}`);
  const base = median(found[0].wall);
  cases.forEach(({ name, products }, i) => {
    const [wall, cpu] = [median(found[i].wall), median(found[i].cpu)];
    const rate = products > 0 ? `, ${((products * 2) / wall / 1e6).toFixed(3)} GFLOP/s` : '';
    console.log(
      `  ${name.padEnd(44)} ${wall.toFixed(3)} ms (processor ${cpu.toFixed(3)} ms, × ${(wall / base).toFixed(2)}${rate})`,
    );
  });
}

const array = (content: Content, ...shape: number[]): Argument => ({ content, shape });

function filled(device: GpuDevice, length: number): Content {
  return device.upload(Float32Array.from({ length }, (_, i) => ((i * 37) % 101) / 101 - 0.5));
}

async function launches(device: GpuDevice): Promise<void> {
  const x = filled(device, 64);
  const copy: Program = {
    key: 'copy',
    args: ['array'],
    constants: {},
    source: 'function (x) { return x[this.thread.x]; }',
  };
  const chain = (length: number) => async () => {
    let last = await device.launch(copy, 64, [array(x)]);
    for (let i = 1; i < length; i++) {
      const next = await device.launch(copy, 64, [array(last)]);
      last.release();
      last = next;
    }
    return last;
  };
  const uploads = async () => {
    const content = device.upload(new Float32Array(64));
    const out = await device.launch(copy, 64, [array(content)]);
    content.release();
    return out;
  };
  const cases = [
    { name: 'one kernel of 64 threads', run: chain(1), products: 0 },
    { name: 'a chain of 100', run: chain(100), products: 0 },
    { name: 'upload of 64 values, and one kernel', run: uploads, products: 0 },
  ];
  await group(device, 'launches (50 calls, then one read)', cases, 50);
  await group(device, 'the same with a read after every call', cases, 1);
}

async function products(device: GpuDevice, rows: number): Promise<void> {
  const [inputs, outputs] = [768, 2048];
  const blocks = inputs / 32;
  const plain = { inputs, residual: false, before: false };
  const x = filled(device, rows * inputs);
  const weight = filled(device, outputs * inputs);
  const words = device.upload(new Float32Array(outputs * blocks * Q8_WORDS).fill(128 * 65793));
  const scales = device.upload(new Float32Array(outputs * blocks).fill(0.01));
  const packed = device.upload(new Float32Array((outputs * inputs * 2) / 3).fill(16256 * 256 + 63));
  const powers = device.upload(Float32Array.from({ length: 256 }, (_, e) => 2 ** (e - 127)));
  const length = rows * outputs;
  const count = length * inputs;
  const input = array(x, inputs);
  const sizes = [outputs, outputs, 0];
  const shipped = linearProgram({ ...plain, q8: false });
  const q8 = linearProgram({ ...plain, q8: true });
  const cases: [string, Program, Argument[]][] = [
    ['f32, panels of 64, sums unrolled (shipped)', shipped, [input, array(weight, 64, inputs), ...sizes]],
    ['f32, panels of 64, a turn a term', looped(inputs), [input, array(weight, 64, inputs), outputs]],
    ['f32, rows as stored, a turn a term (naive)', naive(inputs, outputs), [input, array(weight, inputs), outputs]],
    [
      'q8, three codes to a float (shipped)',
      q8,
      [input, array(words, 64, blocks * Q8_WORDS), array(scales, 64, blocks), ...sizes],
    ],
    ['bf16, three to two floats', bf16(inputs), [input, array(packed, 64, (inputs * 2) / 3), array(powers), outputs]],
  ];
  const timed = cases.map(([name, program, args]) => ({
    name,
    run: (on: GpuDevice) => on.launch(program, length, args),
    products: count,
  }));
  await group(device, `product of ${rows} × ${inputs} with ${outputs} × ${inputs}`, timed, rows > 1 ? 2 : 6);
}

async function attention(device: GpuDevice, rows: number): Promise<void> {
  const [heads, dKv, keys] = [12, 64, 128];
  const width = heads * dKv;
  const query = filled(device, rows * width);
  const slab = filled(device, keys * 2 * width);
  const lists = [
    new Array(rows).fill(0),
    new Array(rows).fill(keys),
    new Array(rows).fill(keys),
    Array.from({ length: keys }, (_, i) => i),
  ];
  const plan = device.upload(Float32Array.from(lists.flat()));
  const shape = { heads, dKv };
  const scores = (on: GpuDevice) =>
    on.launch(scoresProgram(shape, false), rows * heads * keys, [
      array(query, width),
      array(slab, width),
      array(plan),
      rows,
      keys,
      0,
      0,
    ]);
  const two = async (on: GpuDevice) => {
    const found = await scores(on);
    const args = [array(found), array(slab, width), array(plan), rows, keys, 0, rows, 0];
    const out = await on.launch(mixProgram(shape, 256, false), rows * width, args);
    found.release();
    return out;
  };
  const three = async (on: GpuDevice) => {
    const found = await scores(on);
    const weights = await on.launch(SOFTMAX, rows * heads * keys, [array(found), keys]);
    const out = await on.launch(WEIGHTED, rows * width, [array(weights), array(slab, width), width, dKv, keys]);
    for (const content of [found, weights]) content.release();
    return out;
  };
  const one = (on: GpuDevice) =>
    on.launch(fused(dKv), rows * width, [array(query, width), array(slab, width), width, keys]);
  const cases = [
    { name: 'scores, then softmax in the sums (shipped)', run: two, products: 0 },
    { name: 'scores, softmax, sums (naive)', run: three, products: 0 },
    { name: 'one kernel, scores never written', run: one, products: 0 },
  ];
  await group(device, `attention of ${rows} rows over ${keys} keys, ${heads} heads of ${dKv}`, cases, 2);
}

async function main(): Promise<void> {
  const level = (process.argv[2] ?? 'webgpu') as GpuLevel;
  const device = await createDevice(level);
  console.log(`${level}: ${device.description}`);
  await launches(device);
  for (const rows of [1, 8]) await products(device, rows);
  for (const rows of [1, 8]) await attention(device, rows);
  await device.dispose();
}

void main();
