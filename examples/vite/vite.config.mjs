// With these headers a page has SharedArrayBuffer, and Tandem computes on all cores. Without them it computes on one.
const headers = {
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-embedder-policy': 'require-corp',
};

export default { server: { headers }, preview: { headers }, worker: { format: 'es' } };
