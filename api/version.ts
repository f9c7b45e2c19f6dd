import { version } from '../package.json';

/** Version of this package: the same text from the same seed depends on it. */
export const VERSION: string = version;
