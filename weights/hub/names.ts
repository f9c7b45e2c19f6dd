import { quoted } from '../../common';
import { WeightsError } from '../errors';

const HUB_ID = /^[A-Za-z0-9][\w.-]{0,95}(\/[A-Za-z0-9][\w.-]{0,95})?$/;
/** Parts of branches and tags, by the rules of `git check-ref-format`, without what a file system could read otherwise. */
const REVISION_PART = /^[^./\\:*?"<>|~^\s\p{Cc}][^/\\:*?"<>|~^\s\p{Cc}]*$/u;
const LONGEST_REVISION = 200;

/**
 * Refuses what is no id of a hub and no revision, before it becomes part of a path or an address.
 *
 * @param found what is at the place of that name in the file system
 * @throws WeightsError `not-found`
 */
export function checkNames(id: string, revision: string, found: string = 'neither'): void {
  if (!HUB_ID.test(id) || id.includes('..')) {
    const message = `${quoted(id)}: expected a checkpoint directory or a hub id (org/name), found ${found}`;
    throw new WeightsError('not-found', message);
  }
  const parts = revision.split('/');
  const isPart = (part: string) => REVISION_PART.test(part) && !part.includes('..') && !/\.(lock)?$/.test(part);
  if (revision.length > LONGEST_REVISION || !parts.every(isPart)) {
    throw new WeightsError('not-found', `${id}: expected a branch, tag or commit, found ${quoted(revision)}`);
  }
}
