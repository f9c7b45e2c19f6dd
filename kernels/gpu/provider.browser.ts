/** Makes `navigator.gpu` be there, or says why it is not. A browser has it or has it not. */
export async function provideWebgpu(): Promise<string | null> {
  if (typeof navigator !== 'undefined' && 'gpu' in navigator && navigator.gpu) return null;
  return 'this browser has no navigator.gpu (WebGPU needs a recent browser and a secure page)';
}
