/**
 * Stands for the search of expressions whose search takes JavaScript more than a linear time, which the site leaves out
 * (`withoutParts` of build/plugins.mjs): such a step counts as not supported.
 */
const none = (source: string): never => {
  throw new SyntaxError(source);
};

export { none as linearPattern };
