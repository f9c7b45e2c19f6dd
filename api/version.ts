import { version } from '../package.json';

/** The version of this package. A seed gives the same text only with the same version. */
export const VERSION: string = version;
