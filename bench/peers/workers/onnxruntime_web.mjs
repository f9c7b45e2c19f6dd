// onnxruntime-web's WebAssembly backend in Node, with the same greedy loop as onnxruntime_py.py.
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { serve } from './protocol.mjs';

const PARTS = ['decoder.key', 'decoder.value', 'encoder.key', 'encoder.value'];

await serve(async (request) => {
  const require = createRequire(path.join(request.folder, 'node', 'package.json'));
  const ort = await import(pathToFileURL(require.resolve('onnxruntime-web')).href).then((m) => m.default ?? m);
  ort.env.wasm.numThreads = request.threads;
  const folder = path.join(request.folder, 'onnx', request.shape);
  const suffix = { f32: '', q8: '_quantized' }[request.type];
  const session = async (graph) =>
    ort.InferenceSession.create(await readFile(path.join(folder, 'onnx', `${graph}${suffix}.onnx`)), {
      executionProviders: ['wasm'],
    });
  const encoder = await session('encoder_model');
  const decoder = await session('decoder_model_merged');
  const config = JSON.parse(await readFile(path.join(folder, 'config.json'), 'utf8'));
  const names = Array.from({ length: config.num_decoder_layers }, (_, i) => PARTS.map((part) => `${i}.${part}`)).flat();
  const ids = (values) => new ort.Tensor('int64', BigInt64Array.from(values, BigInt), [1, values.length]);

  async function run(source, tokens) {
    const mask = ids(source.map(() => 1));
    const { last_hidden_state: states } = await encoder.run({ input_ids: ids(source), attention_mask: mask });
    const feed = { encoder_attention_mask: mask, encoder_hidden_states: states };
    for (const name of names) {
      const shape = [1, config.num_heads, 0, config.d_kv];
      feed[`past_key_values.${name}`] = new ort.Tensor('float32', new Float32Array(0), shape);
    }
    const found = [];
    let last = config.decoder_start_token_id;
    for (let step = 0; step < tokens; step++) {
      feed.input_ids = ids([last]);
      feed.use_cache_branch = new ort.Tensor('bool', [step > 0], [1]);
      const outputs = await decoder.run(feed);
      for (const name of names) {
        // The cached branch returns empty encoder keys and values, so those of the first step stay.
        if (step === 0 || name.includes('.decoder.')) feed[`past_key_values.${name}`] = outputs[`present.${name}`];
      }
      last = argMax(outputs.logits.data);
      found.push(last);
    }
    return found;
  }
  return { version: `onnxruntime-web ${ort.env.versions.web ?? ''}`, run };
});

function argMax(values) {
  let best = 0;
  for (let i = 1; i < values.length; i++) if (values[i] > values[best]) best = i;
  return best;
}
