/** Why each file of a repository is downloaded. Weights for other frameworks stay on the hub. */
const WANTED: readonly (readonly [name: RegExp, reason: string])[] = [
  [/^config\.json$/, 'shape of the model'],
  [/^generation_config\.json$/, 'settings to generate with'],
  [/^model\.safetensors$/, 'weights in one file'],
  [/^model\.safetensors\.index\.json$/, 'which shard holds which tensor'],
  // Without a dot in front of the number: `model.fp16-00001-of-00002.safetensors` is a second copy in another type.
  [/^[A-Za-z0-9][\w-]*-\d+-of-\d+\.safetensors$/, 'a shard of the weights'],
  [/^pytorch_model\.bin$/, 'weights in one file of torch.save, where there is no safetensors file'],
  [/^pytorch_model\.bin\.index\.json$/, 'which shard holds which tensor'],
  [/^pytorch_model-\d+-of-\d+\.bin$/, 'a shard of the weights'],
  [
    /^(tokenizer|tokenizer_config|special_tokens_map|added_tokens)\.json$/,
    'tokenizer, and what it adds to its vocabulary',
  ],
  [/^spiece\.model$/, 'SentencePiece vocabulary'],
  [/^(vocab\.json|merges\.txt)$/, 'byte-level BPE vocabulary'],
  [/^(modules|sentence_bert_config)\.json$/, 'steps after the encoder, for embeddings'],
  [/^\d+_(Pooling|Dense|Normalize)\/(config\.json|model\.safetensors|pytorch_model\.bin)$/, 'a step after the encoder'],
];

/** The ways in which weights are kept, the best first: the file in one piece, its shards, the index of the shards. */
const COPIES: readonly RegExp[] = [
  /^model\.safetensors$/,
  /^[^/]+-\d+-of-\d+\.safetensors$|^model\.safetensors\.index\.json$/,
  /^pytorch_model\.bin$/,
  /^[^/]+-\d+-of-\d+\.bin$|^pytorch_model\.bin\.index\.json$/,
];
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

/** Whether a file is a part of one of the copies of the weights: a file of weights or an index. */
export function isOfWeights(path: string): boolean {
  return COPIES.some((copy) => copy.test(path));
}

/** Whether a file holds the model's own weights, in one piece or in part. */
export function isWeights(path: string): boolean {
  return !path.endsWith('.json') && isOfWeights(path);
}

/** Some repositories keep the weights several times. The files of the best copy stay, and those of the others are left out. */
export function withoutSecondCopy<File extends { readonly path: string }>(files: readonly File[]): readonly File[] {
  const best = COPIES.find((copy) => files.some(({ path }) => copy.test(path) && isWeights(path)));
  return files.filter(({ path }) => path.includes('/') || best?.test(path) || !isOfWeights(path));
}
