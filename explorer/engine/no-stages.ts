/**
 * Stands for drafts that have a draft of their own, which the site leaves out (`withoutParts` of build/plugins.mjs): no control of it
 * asks for one.
 */
const none = null;

export { none as Guesses };
