// This file runs in the page. It loads one runtime once; browser.ts then calls `decode` and `encode` as often as it needs.
let run = null;
let encode = null;

/** @param {{ runtime: 'tandem' | 'transformers.js', dtype: 'f32' | 'as loaded' | 'q8', shape: string, threads: number, files: string[] }} setting */
globalThis.prepare = async (setting) => {
  const started = performance.now();
  const version = setting.runtime === 'tandem' ? await prepareTandem(setting) : await prepareTransformers(setting);
  return { version, seconds: (performance.now() - started) / 1000, isolated: globalThis.crossOriginIsolated };
};

/** Runs one whole greedy call; returns its milliseconds and tokens. */
globalThis.decode = async (source, tokens) => {
  const started = performance.now();
  const ids = await run(source, tokens);
  return { milliseconds: performance.now() - started, ids };
};

/** Runs the encoder alone; returns its milliseconds. */
globalThis.encode = async (source) => {
  const started = performance.now();
  await encode(source);
  return { milliseconds: performance.now() - started, ids: [] };
};

async function prepareTandem({ dtype, shape, threads, files }) {
  const { collect, createBackend, generate, httpSource, loadModel, openFileSet } = await import('/tandem/core.mjs');
  const backend = await createBackend('wasm', { threads });
  const open = async (file) => {
    const url = new URL(`/checkpoints/${shape}-f32/${file}`, location.href).href;
    const { headers } = await fetch(url, { method: 'HEAD' });
    return httpSource(file, url, Number(headers.get('content-length')));
  };
  const checkpoint = await openFileSet({ name: shape, files, open });
  const target = await loadModel(checkpoint, backend, { dtype: dtype === 'as loaded' ? undefined : dtype });
  await checkpoint.dispose();
  run = async (source, maxNewTokens) => {
    const { ids } = await collect(generate({ target, source, settings: { maxNewTokens } }));
    return ids;
  };
  encode = async (source) => {
    const [encoded] = await target.encode([source]);
    encoded.dispose();
  };
  const { level, threads: found } = backend.facts;
  return `tandem wasm ${level}, ${found} threads`;
}

async function prepareTransformers({ dtype: name, shape, threads }) {
  const { AutoModelForSeq2SeqLM, Tensor, env } = await import('/transformers/transformers.min.js');
  env.allowRemoteModels = false;
  env.allowLocalModels = true;
  env.useBrowserCache = false;
  env.localModelPath = '/onnx/';
  env.backends.onnx.wasm.wasmPaths = new URL('/ort/', location.href).href;
  env.backends.onnx.wasm.numThreads = threads;
  const dtype = name === 'q8' ? 'q8' : 'fp32';
  const model = await AutoModelForSeq2SeqLM.from_pretrained(shape, { dtype, device: 'wasm' });
  const tensor = (values) => new Tensor('int64', BigInt64Array.from(values, BigInt), [1, values.length]);
  run = async (source, tokens) => {
    const found = await model.generate({
      inputs: tensor(source),
      attention_mask: tensor(source.map(() => 1)),
      min_new_tokens: tokens,
      max_new_tokens: tokens,
      do_sample: false,
    });
    return Array.from(found.data, Number).slice(1);
  };
  encode = async (source) => {
    const feeds = { input_ids: tensor(source).ort_tensor, attention_mask: tensor(source.map(() => 1)).ort_tensor };
    await model.sessions.model.run(feeds);
  };
  return `transformers.js ${env.version}, onnxruntime-web ${env.backends.onnx.versions?.web ?? ''}`;
}
