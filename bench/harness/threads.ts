/** Threads for a backend of this name: those that are asked for where it may be wasm, and one elsewhere. */
export function threadsFor(backend: string, asked: number): number {
  return backend === 'wasm' || backend === 'auto' ? asked : 1;
}
