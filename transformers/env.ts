/** Where models come from, for all calls, as in transformers.js. Names that it does not have cannot be set. */
export const env = Object.seal({
  /** A directory, or the address of one, whose folders are models: `name` then means `localModelPath/name`. */
  localModelPath: null as string | null,
  /** False takes models of the hub from the cache alone. */
  allowRemoteModels: true,
  /** Directory of downloaded models. */
  cacheDir: null as string | null,
  /** Address of the hub or of a mirror. */
  remoteHost: null as string | null,
});
