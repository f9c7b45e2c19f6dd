/** Stands for log-probabilities, which the site leaves out (`withoutParts` of build/plugins.mjs): its panels show whole distributions. */
const none = null;

export { none as LogProbRow };
