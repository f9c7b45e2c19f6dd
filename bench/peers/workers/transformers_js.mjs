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
  const tensor = (values) => new Tensor('int64', BigInt64Array.from(values, BigInt), [1, values.length]);
  return {
    version: `transformers.js ${env.version}`,
    async run(source, tokens) {
      const found = await model.generate({
        inputs: tensor(source),
        attention_mask: tensor(source.map(() => 1)),
        min_new_tokens: tokens,
        max_new_tokens: tokens,
        do_sample: false,
      });
      return Array.from(found.data, Number).slice(1);
    },
  };
});
