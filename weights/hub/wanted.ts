/** Why each file of a repository is downloaded. Weights for other frameworks stay on the hub. */
const WANTED: readonly (readonly [name: RegExp, reason: string])[] = [
  [/^config\.json$/, 'shape of the model'],
  [/^generation_config\.json$/, 'settings to generate with'],
  [/^model\.safetensors$/, 'weights in one file'],
  [/^model\.safetensors\.index\.json$/, 'which shard holds which tensor'],
  // Without a dot in front of the number: `model.fp16-00001-of-00002.safetensors` is a second copy in another type.
  [/^[A-Za-z0-9][\w-]*-\d+-of-\d+\.safetensors$/, 'a shard of the weights'],
  [
    /^(tokenizer|tokenizer_config|special_tokens_map|added_tokens)\.json$/,
    'tokenizer, and what it adds to its vocabulary',
  ],
  [/^spiece\.model$/, 'SentencePiece vocabulary'],
  [/^(vocab\.json|merges\.txt)$/, 'byte-level BPE vocabulary'],
  [/^(modules|sentence_bert_config)\.json$/, 'steps after the encoder, for embeddings'],
  [/^\d+_(Pooling|Dense|Normalize)\/(config\.json|model\.safetensors)$/, 'a step after the encoder'],
];

const SINGLE = 'model.safetensors';
const SHARDED = /^model\.safetensors\.index\.json$|^[^/]+-\d+-of-\d+\.safetensors$/;
const OTHER_WEIGHTS = /^[^/]+\.(bin|h5|msgpack|ckpt|onnx)$/;

/** The rules as text: two versions with the same text want the same files. */
export const WANTED_RULES = WANTED.map(([name]) => name.source).join('\n');

export function isWanted(path: string): boolean {
  return WANTED.some(([name]) => name.test(path));
}

/** Whether a file holds weights that cannot be read: the error about missing weights names it. */
export function isOtherWeights(path: string): boolean {
  return OTHER_WEIGHTS.test(path);
}

/** Whether a file holds the model's own weights, in one piece or in part. */
export function isWeights(path: string): boolean {
  return path === SINGLE || (SHARDED.test(path) && path.endsWith('.safetensors'));
}

/** Some repositories keep the weights twice, whole and in shards. Opening prefers the whole file, so the shards are left out. */
export function withoutSecondCopy<File extends { readonly path: string }>(files: readonly File[]): readonly File[] {
  return files.some(({ path }) => path === SINGLE) ? files.filter(({ path }) => !SHARDED.test(path)) : files;
}
