// transformers.js in Node, on onnxruntime-node.
import { createRequire } from 'node:module';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { serve } from './protocol.mjs';

await serve(async (request) => {
  const require = createRequire(path.join(request.folder, 'node', 'package.json'));
  const main = pathToFileURL(require.resolve('@huggingface/transformers')).href;
  const { AutoModelForSeq2SeqLM, Tensor, env } = await import(main);
  env.localModelPath = path.join(request.folder, 'onnx');
  env.allowRemoteModels = false;
  const model = await AutoModelForSeq2SeqLM.from_pretrained(request.shape, {
    dtype: { f32: 'fp32', q8: 'q8' }[request.type],
    device: 'cpu',
    session_options: { intraOpNumThreads: request.threads, interOpNumThreads: 1 },
  });
  const tensor = (rows) => new Tensor('int64', BigInt64Array.from(rows.flat(), BigInt), [rows.length, rows[0].length]);
  async function runMany(sources, tokens) {
    const found = await model.generate({
      inputs: tensor(sources),
      attention_mask: tensor(sources.map((source) => source.map(() => 1))),
      min_new_tokens: tokens,
      max_new_tokens: tokens,
      do_sample: false,
    });
    return found.tolist().map((row) => row.slice(1).map(Number));
  }
  const run = async (source, tokens) => (await runMany([source], tokens))[0];
  return { version: `transformers.js ${env.version}`, run, runMany };
});
