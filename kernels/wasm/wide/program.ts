/**
 * The program of the probe: it runs every job on a narrow and on a wide module and compares the results in bits, until the
 * optimising compiler has taken over. It is text, so that it needs no file, and it runs in a process of its own, because a fault
 * of the compiler would end the process.
 *
 * It reads JSON from standard input and writes one line: `same`, or what differs.
 */
export const PROBE_PROGRAM = `
const v8 = require('node:v8');
const { modules, bytes, codes, flag } = JSON.parse(require('node:fs').readFileSync(0, 'utf8'));

function imageOf() {
  const halves = new Uint16Array(bytes / 2);
  let state = 0x9e3779b9;
  for (let i = 0; i < halves.length; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    halves[i] = (state >>> 16) & 0x807f | 0x3f00 | (state >>> 9) & 0x80; // bfloat16 of 0.5 to 2, of both signs
  }
  const image = new Uint8Array(halves.buffer);
  for (let i = codes[0]; i < codes[1]; i++) image[i] = (image[i] ^ (i * 37)) & 127;
  return image;
}

function results(code, jobs) {
  const module = new WebAssembly.Module(code);
  const memory = new WebAssembly.Memory({ initial: bytes / 65536, maximum: 65536 });
  const { setThread, run } = new WebAssembly.Instance(module, { env: { memory } }).exports;
  const u8 = new Uint8Array(memory.buffer);
  const i32 = new Int32Array(memory.buffer);
  const found = [];
  for (let turn = 0; turn < 4; turn++) {
    for (const job of jobs) {
      u8.set(image.subarray(1 << 15), 1 << 15);
      setThread(0, 1, 0);
      for (const { operation, chunks, words } of [...job.before, job]) {
        for (const [at, value] of words) i32[at >> 2] = value;
        run(operation, chunks, 0);
      }
      const { result } = job;
      found.push(u8.slice(result[0], result[0] + result[1]));
    }
  }
  return found;
}

const image = imageOf();
const untouched = ({ result }) => image.subarray(result[0], result[0] + result[1]);

let answer = 'same';
for (const { level, narrow, wide, jobs } of modules) {
  v8.setFlagsFromString('--no-' + flag);
  const expected = results(Buffer.from(narrow, 'base64'), jobs);
  v8.setFlagsFromString('--' + flag);
  const found = results(Buffer.from(wide, 'base64'), jobs);
  expected.forEach((content, i) => {
    const job = jobs[i % jobs.length];
    if (Buffer.compare(content, found[i]) !== 0) answer = level + ': ' + job.name + ' differs';
    if (Buffer.compare(content, untouched(job)) === 0) answer = level + ': ' + job.name + ' computes nothing';
  });
}
console.log(answer);
`;
