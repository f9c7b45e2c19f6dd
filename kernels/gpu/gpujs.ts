/** The parts of gpu.js that are used here, some of which its own typings leave out. */
export interface GpuJs {
  readonly GPU: GpuConstructor;
  readonly WebGPUContext: { acquire(): Promise<WebGpuContext>; destroy(): Promise<void> };
  readonly WebGPUBufferResult: new (settings: object) => BufferResult;
}

export interface GpuConstructor {
  new (settings: { mode: string }): GpuInstance;
  readonly isHeadlessGLSupported: boolean;
  readonly isWebGL2Supported: boolean;
}

export interface GpuInstance {
  addFunction(source: string, settings: object): void;
  createKernel(source: string, settings: object): KernelShortcut;
  destroy(): Promise<void>;
  readonly context: unknown;
}

/** A gpu.js kernel as one calls it. */
export interface KernelShortcut {
  (...args: unknown[]): unknown;
  setOutput(output: number[]): void;
  destroy(): void;
  readonly kernel: { readonly fallbackReason?: string; readonly constructor: { readonly mode: string } };
}

export interface WebGpuContext {
  readonly adapter: { readonly info?: { readonly vendor?: string; readonly description?: string } };
  readonly device: WebGpuDevice;
  readonly isLost: boolean;
}

/** As much of GPUDevice as is called here; the standard's own types would be a dependency for six methods. */
export interface WebGpuDevice {
  readonly limits: { readonly maxStorageBufferBindingSize: number; readonly maxBufferSize: number };
  readonly lost: Promise<{ readonly reason: string; readonly message: string }>;
  readonly queue: {
    writeBuffer(buffer: WebGpuBuffer, offset: number, data: Float32Array): void;
    submit(commands: unknown[]): void;
  };
  onuncapturederror: ((event: { error: { message: string; constructor: { name: string } } }) => void) | null;
  createBuffer(descriptor: { size: number; usage: number }): WebGpuBuffer;
  destroy(): void;
  createCommandEncoder(): {
    copyBufferToBuffer(from: WebGpuBuffer, at: number, to: WebGpuBuffer, start: number, bytes: number): void;
    finish(): unknown;
  };
}

export interface WebGpuBuffer {
  readonly size: number;
  mapAsync(mode: number, offset: number, bytes: number): Promise<void>;
  getMappedRange(offset: number, bytes: number): ArrayBuffer;
  unmap(): void;
  destroy(): void;
}

/** gpu.js's handle of a resident WebGPU result. */
export interface BufferResult {
  readonly buffer: WebGpuBuffer;
  output: number[];
}

/** gpu.js's handle of a resident texture. */
export interface GlTexture {
  readonly texture: object;
  dimensions: ArrayLike<number>;
  readonly size: ArrayLike<number>;
  output: ArrayLike<number>;
  toArray(): Float32Array;
  delete(): void;
}

/** Loads gpu.js on first use. Its browser build exports the class with everything else as properties. */
export async function loadGpuJs(): Promise<GpuJs> {
  const loaded: { default?: unknown } = await import('gpu.js');
  const library = ('GPU' in loaded ? loaded : loaded.default) as GpuJs;
  return library;
}
