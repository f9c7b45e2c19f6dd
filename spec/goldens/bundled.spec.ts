import { describeBundled } from '../support/bundled-goldens';

// The larger model decodes fewer passages here; bundled.long.ts has all of them.
describeBundled({ name: 'cpu', role: 'target', sentences: 8 });
describeBundled({ name: 'cpu', role: 'draft', sentences: 20 });
describeBundled({ name: 'wasm', role: 'target', sentences: 20 });
describeBundled({ name: 'wasm', role: 'draft', sentences: 20 });
describeBundled({ name: 'reference', role: 'target', sentences: 1 });
describeBundled({ name: 'reference', role: 'draft', sentences: 20 });
