import { type Stats, statSync } from 'node:fs';
import { draftOfSelf } from '../api';
import { fileKind, quoted, TandemError } from '../common';
import { type Checkpoint, type FromPretrainedOptions, fromPretrained } from '../weights';
import { CommandError, systemCode } from './failure';
import { checkReadable } from './files';
import { printNotice } from './notices';

/** What the hub calls a model: `owner/name`, or `name` alone for the oldest ones. */
const HUB_ID = /^[A-Za-z0-9][\w.-]*(\/[A-Za-z0-9][\w.-]*)?$/;
/** Codes that can mean that the hub does not have a model. */
const HUB_CODES: readonly unknown[] = ['hub-failed', 'not-found', 'offline'];

/**
 * Checks the name of a model before anything is loaded or the hub is asked. A directory is a checkpoint. What is no directory
 * and can only be a path is refused here: it has the form of a path, or its first part is there.
 */
export function checkModelName(name: string, flag: string): void {
  const found = lookUp(name);
  if (typeof found !== 'string' && found.isDirectory()) return;
  const what = typeof found === 'string' ? (found === 'ENOENT' ? 'nothing there' : found) : fileKind(found);
  const refusal = `${flag} ${quoted(name)}: expected a checkpoint directory, found ${what}`;
  if (typeof found !== 'string') throw new CommandError('not-found', refusal);
  const [first, second] = name.split('/');
  const begins = second !== undefined && typeof lookUp(first) !== 'string';
  if (begins || !HUB_ID.test(name) || name.includes('..')) throw new CommandError('not-found', refusal);
}

function lookUp(path: string): Stats | string {
  try {
    return statSync(path);
  } catch (error) {
    return systemCode(error);
  }
}

/** Checks the models and the tables among drafts; other drafts, such as `copy` and `layers:2`, are no files. */
export async function checkDrafts(drafts: readonly string[]): Promise<void> {
  for (const asked of drafts) {
    const draft = draftOfSelf(asked) ?? asked;
    const [kind, name] = /^(\w+):(.*)$/s.exec(draft)?.slice(1) ?? ['', draft];
    if (kind === 'ngram') await checkReadable(name);
    else if (kind === 'model' || (kind === '' && /^[~.]|[\\/]/.test(name))) checkModelName(name, '--draft');
  }
}

/** Checks the names of the model and of the drafts that flags name, before anything is loaded. */
export async function checkModels({ model, draft = [] }: { model?: string; draft?: readonly string[] }): Promise<void> {
  if (model !== undefined) checkModelName(model, '--model');
  await checkDrafts(draft);
}

/** Runs what may ask the hub for models. An error of the hub then also says which names are no directories here. */
export async function askingHub<T>(names: readonly string[], ask: () => Promise<T>): Promise<T> {
  try {
    return await ask();
  } catch (error) {
    if (!(error instanceof TandemError) || !HUB_CODES.includes(error.code)) throw error;
    const name = names.find((one) => error.message.includes(one) && typeof lookUp(one) === 'string');
    if (name === undefined) throw error;
    const message = `${error.message}; and there is no directory ${quoted(name)} here`;
    throw new CommandError(error.code, message, { cause: error });
  }
}

/** Opens a checkpoint by its directory or its name on the hub. Of a hub's model only what is read is fetched. */
export function openModel(name: string, options: FromPretrainedOptions, quiet = false): Promise<Checkpoint> {
  const onNotice = quiet ? undefined : printNotice;
  return askingHub([name], () => fromPretrained(name, { ...options, lazy: true, onNotice }));
}
