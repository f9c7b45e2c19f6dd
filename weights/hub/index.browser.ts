/** A page has no file cache of ours: what it reads goes through the browser's own. */
export { openRemote as fromPretrained } from './remote';
