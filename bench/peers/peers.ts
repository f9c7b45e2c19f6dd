import path from 'node:path';

/** The type that a peer keeps its weights in. `q8` is the peer's own kind of int8. */
export type PeerType = 'f32' | 'bf16' | 'q8';

/** A runtime that decodes the same checkpoint in a separate process. */
export interface Peer {
  readonly name: string;
  readonly types: readonly PeerType[];
  /** Program and arguments of the process. `folder` is build/peers. */
  command(folder: string): readonly string[];
  /** Fields of the load request besides shape, type, threads and folder. */
  readonly extra?: Readonly<Record<string, string>>;
  /** A remark about the peer. */
  readonly remark?: string;
}

const worker = (file: string): string => path.join(__dirname, 'workers', file);
const python =
  (file: string, environment = 'python') =>
  (folder: string) => [path.join(folder, environment, 'bin', 'python'), worker(file)];
const node = (file: string) => () => [process.execPath, worker(file)];
const tandem = () => [process.execPath, '--require', 'ts-node/register/transpile-only', worker('tandem.ts')];

export const PEERS: readonly Peer[] = [
  { name: 'tandem wasm', types: ['f32', 'bf16', 'q8'], command: tandem, extra: { backend: 'wasm' } },
  {
    name: 'tandem as loaded',
    types: ['f32'],
    command: tandem,
    extra: { backend: 'wasm', names: 'no type' },
    remark: 'wasm, no type is named: values of bfloat16 are kept in it',
  },
  { name: 'tandem cpu', types: ['f32', 'bf16'], command: tandem, extra: { backend: 'cpu' }, remark: 'one thread' },
  { name: 'pytorch', types: ['f32', 'bf16'], command: python('pytorch.py') },
  { name: 'onnxruntime', types: ['f32', 'q8'], command: python('onnxruntime_py.py') },
  { name: 'ctranslate2', types: ['f32', 'q8'], command: python('ctranslate2_py.py') },
  { name: 'llama.cpp', types: ['f32', 'bf16', 'q8'], command: python('llama_cpp_py.py', 'llama') },
  { name: 'transformers.js', types: ['f32', 'q8'], command: node('transformers_js.mjs'), remark: 'onnxruntime-node' },
  { name: 'onnxruntime-web', types: ['f32', 'q8'], command: node('onnxruntime_web.mjs'), remark: 'wasm, in Node' },
];
