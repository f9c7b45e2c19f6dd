/**
 * Compiles the probe of `wasmLimits` and writes it as base64 into probeCode.ts, which the package ships: AssemblyScript is not
 * there on a user's machine. A spec compiles it again and compares.
 *
 *   npx ts-node bench/harness/probeSource.ts
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** The probe's own AssemblyScript: 128-bit loads in order or from four places at a time, and eight chains of multiply and add. */
const SOURCE = `
export function stream(bytes: i32): f32 {
  let a = f32x4.splat(0), b = a, c = a, d = a;
  for (let p = 1024, end = 1024 + bytes; p < end; p += 64) {
    a = f32x4.add(a, v128.load(p));
    b = f32x4.add(b, v128.load(p, 16));
    c = f32x4.add(c, v128.load(p, 32));
    d = f32x4.add(d, v128.load(p, 48));
  }
  a = f32x4.add(f32x4.add(a, b), f32x4.add(c, d));
  return f32x4.extract_lane(a, 0);
}
export function streams(bytes: i32): f32 {
  const quarter = (bytes >> 2) & ~63;
  let a = f32x4.splat(0), b = a, c = a, d = a;
  for (let p = 1024, end = 1024 + quarter; p < end; p += 64) {
    const q = p + quarter, r = q + quarter, s = r + quarter;
    a = f32x4.add(a, f32x4.add(f32x4.add(v128.load(p), v128.load(p, 16)), f32x4.add(v128.load(p, 32), v128.load(p, 48))));
    b = f32x4.add(b, f32x4.add(f32x4.add(v128.load(q), v128.load(q, 16)), f32x4.add(v128.load(q, 32), v128.load(q, 48))));
    c = f32x4.add(c, f32x4.add(f32x4.add(v128.load(r), v128.load(r, 16)), f32x4.add(v128.load(r, 32), v128.load(r, 48))));
    d = f32x4.add(d, f32x4.add(f32x4.add(v128.load(s), v128.load(s, 16)), f32x4.add(v128.load(s, 32), v128.load(s, 48))));
  }
  a = f32x4.add(f32x4.add(a, b), f32x4.add(c, d));
  return f32x4.extract_lane(a, 0);
}
export function peak(steps: i32, factor: f32): f32 {
  const p = f32x4.splat(factor), q = f32x4.splat(factor + 1), r = f32x4.splat(factor + 2), s = f32x4.splat(factor + 3);
  let m = f32x4.splat(0.25), n = f32x4.splat(0.75);
  let a = p, b = p, c = p, d = p, e = p, f = p, g = p, h = p;
  for (let i = 0; i < steps; i++) {
    a = MADD(p, m, a); b = MADD(q, m, b); c = MADD(r, m, c); d = MADD(s, m, d);
    e = MADD(p, n, e); f = MADD(q, n, f); g = MADD(r, n, g); h = MADD(s, n, h);
    m = f32x4.neg(m); n = f32x4.neg(n);
  }
  a = f32x4.add(f32x4.add(f32x4.add(a, b), f32x4.add(c, d)), f32x4.add(f32x4.add(e, f), f32x4.add(g, h)));
  return f32x4.extract_lane(a, 0);
}
export function dot(steps: i32, factor: f32): f32 {
  const k = i8x16.splat(<i8>(factor * 2));
  let a = k, b = k, c = k, d = k, e = k, f = k, g = k, h = k;
  for (let i = 0; i < steps; i++) {
    a = DOT(a, k); b = DOT(b, k); c = DOT(c, k); d = DOT(d, k);
    e = DOT(e, k); f = DOT(f, k); g = DOT(g, k); h = DOT(h, k);
  }
  a = i32x4.add(i32x4.add(i32x4.add(a, b), i32x4.add(c, d)), i32x4.add(i32x4.add(e, f), i32x4.add(g, h)));
  return <f32>i32x4.extract_lane(a, 0);
}
`;

/** What each level multiplies and adds with. Operands change every step, so that nothing can be taken out of the loop. */
const INSTRUCTIONS = {
  simd: `
@inline function MADD(a: v128, b: v128, c: v128): v128 { return f32x4.add(f32x4.mul(a, b), c); }
@inline function DOT(a: v128, b: v128): v128 { return i32x4.add(i32x4.dot_i16x8_s(a, b), a); }`,
  'relaxed-simd': `
@inline function MADD(a: v128, b: v128, c: v128): v128 { return f32x4.relaxed_madd(a, b, c); }
@inline function DOT(a: v128, b: v128): v128 { return i32x4.relaxed_dot_i8x16_i7x16_add_s(a, b, a); }`,
};

/** The module of a level. It begins with one page of memory; who runs it lets it grow. */
export function compileProbe(level: keyof typeof INSTRUCTIONS): Buffer {
  const folder = mkdtempSync(join(tmpdir(), 'tandem-probe-'));
  try {
    const [source, binary] = [join(folder, 'probe.ts'), join(folder, 'probe.wasm')];
    writeFileSync(source, `${INSTRUCTIONS[level]}\n${SOURCE}`);
    const asc = require.resolve('assemblyscript/bin/asc.js');
    const features = level === 'simd' ? ['--enable', 'simd'] : ['--enable', 'simd', '--enable', 'relaxed-simd'];
    const flags = ['--runtime', 'stub', '-O3', '--noAssert', '--initialMemory', '1', ...features];
    execFileSync(process.execPath, [asc, source, '-o', binary, ...flags], { stdio: ['ignore', 'ignore', 'inherit'] });
    return readFileSync(binary);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** The text of probeCode.ts. */
export function probeCode(): string {
  const lines = (Object.keys(INSTRUCTIONS) as (keyof typeof INSTRUCTIONS)[]).map(
    (level) => `  ${level === 'simd' ? level : `'${level}'`}:\n    '${compileProbe(level).toString('base64')}',`,
  );
  return [
    '/** The probe of `wasmLimits`, in base64. Written by probeSource.ts; do not edit. */',
    'export const PROBE_CODE = {',
    ...lines,
    '} as const;',
    '',
  ].join('\n');
}

if (require.main === module) writeFileSync(join(__dirname, 'probeCode.ts'), probeCode());
