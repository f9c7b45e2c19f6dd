import { KernelError } from '../errors';
import { type Content, type GpuCounters, type GpuDevice, MAX_VALUES, type Program } from './device';
import type { GlTexture, GpuInstance, GpuJs } from './gpujs';
import { type Dialect, ProgramPool, ResultContent } from './programs';

/** As much of a WebGL context as is called here. */
interface Gl {
  readonly [name: string]: number;
}
type GlCalls = Record<string, (...args: unknown[]) => unknown>;

/**
 * Textures of four float32 a texel (`optimizeFloatMemory`): a quarter of the memory, and four outputs a fragment.
 * `tactic: precision` keeps shaders in highp at any size.
 */
const dialect = (mode: string): Dialect => ({
  mode,
  settings: { optimizeFloatMemory: true, tactic: 'precision', fixIntegerDivisionAccuracy: false },
  arrayType: 'MemoryOptimizedNumberTexture',
  view(result, [width, height = 1, depth = 1]) {
    const flat = result as GlTexture;
    return Object.assign(Object.create(Object.getPrototypeOf(flat)), flat, { dimensions: [width, height, depth] });
  },
});

/** A small program that runs once, for the context and the texture class that its result shows. */
const FIRST: Program = { key: 'first', source: 'function () { return 1.0 * this.thread.x; }', args: [], constants: {} };

/** gpu.js on WebGL: WebGL 2 in browsers, headless-gl (WebGL 1) in Node. Fragment shaders over float textures. */
export async function createGlDevice(
  gpujs: GpuJs,
  level: 'webgl2' | 'headlessgl',
  counters: GpuCounters,
  maxValues = MAX_VALUES,
): Promise<GpuDevice> {
  const gpu = new gpujs.GPU({ mode: level });
  const pool = new ProgramPool(gpu, dialect(level), counters);
  const first = await pool.launch(FIRST, 4, []);
  const textures = new Textures(gpu, level, first.result as GlTexture);
  return {
    level,
    description: textures.describe(),
    maxValues: Math.min(maxValues, textures.maxValues()),
    counters,
    upload(values) {
      counters.uploads++;
      counters.uploadedBytes += values.byteLength;
      return textures.upload(values);
    },
    launch: (program, length, args) => pool.launch(program, length, args),
    async read(content) {
      counters.readbacks++;
      counters.readbackBytes += content.length * 4;
      const result = (content as ResultContent).result as GlTexture;
      return Float32Array.from(result.toArray().subarray(0, content.length));
    },
    takeFailure: () => textures.takeFailure(),
    dispose: async () => {
      await gpu.destroy();
    },
  };
}

class Textures {
  private readonly gl: Gl & GlCalls;

  constructor(
    gpu: GpuInstance,
    private readonly level: 'webgl2' | 'headlessgl',
    private readonly pattern: GlTexture,
  ) {
    this.gl = gpu.context as Gl & GlCalls;
  }

  describe(): string {
    const { gl } = this;
    return `${String(gl.getParameter(gl.RENDERER))}, ${String(gl.getParameter(gl.VERSION))}`;
  }

  maxValues(): number {
    const side = Number(this.gl.getParameter(this.gl.MAX_TEXTURE_SIZE));
    return side * side * 4;
  }

  /** A texture as gpu.js makes its own, filled by the host, under gpu.js's handle. */
  upload(values: Float32Array): Content {
    const { gl } = this;
    const texels = Math.ceil(values.length / 4);
    const width = Math.max(1, Math.ceil(Math.sqrt(texels)));
    const height = Math.max(1, Math.ceil(texels / width));
    const padded = new Float32Array(width * height * 4);
    padded.set(values);
    const texture = gl.createTexture() as object & { _refs?: number };
    gl.activeTexture(gl.TEXTURE15);
    gl.bindTexture(gl.TEXTURE_2D, texture);
    for (const wrap of [gl.TEXTURE_WRAP_S, gl.TEXTURE_WRAP_T]) gl.texParameteri(gl.TEXTURE_2D, wrap, gl.CLAMP_TO_EDGE);
    for (const filter of [gl.TEXTURE_MIN_FILTER, gl.TEXTURE_MAG_FILTER])
      gl.texParameteri(gl.TEXTURE_2D, filter, gl.NEAREST);
    gl.pixelStorei(gl.UNPACK_FLIP_Y_WEBGL, false);
    const format = this.level === 'webgl2' ? gl.RGBA32F : gl.RGBA;
    gl.texImage2D(gl.TEXTURE_2D, 0, format, width, height, 0, gl.RGBA, gl.FLOAT, padded);
    const handle = Object.assign(Object.create(Object.getPrototypeOf(this.pattern)), this.pattern, {
      texture,
      size: [width, height],
      dimensions: [values.length, 1, 1],
      output: [values.length],
      _deleted: false,
      _framebuffer: undefined,
    });
    texture._refs = 1;
    return new ResultContent(values.length, handle, () => gl.deleteTexture(texture));
  }

  takeFailure(): KernelError | null {
    const { gl } = this;
    if (gl.isContextLost())
      return new KernelError('device-lost', `gpu (${this.level}): expected a live context, found it lost`);
    const error = gl.getError() as unknown as number;
    if (error === gl.NO_ERROR) return null;
    const code = error === gl.OUT_OF_MEMORY ? 'out-of-memory' : 'compile-failed';
    return new KernelError(code, `gpu (${this.level}): expected no WebGL error, found 0x${error.toString(16)}`);
  }
}
