import { describeBundled } from '../support/bundled-goldens';

describeBundled({ name: 'cpu', role: 'target', sentences: 20 });
describeBundled({ name: 'reference', role: 'target', sentences: 20 });
