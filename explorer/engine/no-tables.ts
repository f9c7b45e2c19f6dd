/** Stands for the reader of tables of n-grams, which the site leaves out (`withoutParts` of build/plugins.mjs): it opens none. */
const none = null;

export { none as readCounts };
