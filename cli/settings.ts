import { type DraftSource, GENERATE_OPTIONS, LOAD_OPTIONS } from '../api';
import { checkOptions, type OptionRule, type OptionTable, parseShallowJson, quotedJson, text } from '../common';
import type { BackendName, Dtype } from '../kernels';
import { CommandError, oneLine } from './failure';
import { openFile, wholeText } from './files';

/** What a settings file may hold: the options that `tandem tune` chooses, and those that its figures depend on. */
export interface Settings {
  readonly model?: string;
  readonly revision?: string;
  readonly dtype?: Dtype;
  /** Tried in turn; an empty list is no draft. */
  readonly draft?: readonly string[];
  readonly draftDtype?: Dtype;
  readonly draftRevision?: string;
  readonly prefix?: string;
  readonly backend?: BackendName | 'auto';
  readonly threads?: number;
  readonly level?: string;
  readonly wide?: boolean | 'auto';
  readonly gamma?: number | 'auto';
}

const draftNames: OptionRule = {
  expected: 'a list of drafts, each as --draft takes it; an empty list is no draft',
  holds: (value) =>
    Array.isArray(value) &&
    value.every((one) => typeof one === 'string') &&
    LOAD_OPTIONS.draft.holds(value as DraftSource[]),
};

/** Every key of a settings file, which is the name of an option and has its rule. */
export const SETTINGS_KEYS: OptionTable<keyof Settings> = {
  model: { ...text(1), about: 'the target' },
  revision: LOAD_OPTIONS.revision,
  dtype: LOAD_OPTIONS.dtype,
  draft: { ...LOAD_OPTIONS.draft, ...draftNames },
  draftDtype: LOAD_OPTIONS.dtype,
  draftRevision: LOAD_OPTIONS.revision,
  prefix: LOAD_OPTIONS.prefix,
  backend: LOAD_OPTIONS.backend,
  threads: LOAD_OPTIONS.threads,
  level: LOAD_OPTIONS.level,
  wide: LOAD_OPTIONS.wide,
  gamma: GENERATE_OPTIONS.gamma,
};

/** The flag of every command that takes a settings file. */
export const SETTINGS_FLAG: OptionTable = {
  settings: {
    ...text(1),
    about: 'take options from a file that tandem tune --out wrote; what the command line says wins',
    flag: '--settings <path>',
  },
};

export interface SettingsFlag {
  readonly settings?: string;
}

/** More text than any settings. */
const MOST_BYTES = 1 << 20;

/** What a command line replaces beside the option itself: one is of no use without the other. */
const TOGETHER: readonly (readonly [flag: keyof Settings, goes: readonly (keyof Settings)[]])[] = [
  ['model', ['revision']],
  ['draft', ['draftDtype', 'draftRevision', 'gamma']],
];

/**
 * The flags, with the options of the settings file where the command line says nothing. A model of the command line replaces the
 * file's revision too; a draft of the command line replaces the file's γ and the draft's type and revision too.
 *
 * @throws CommandError `not-found` or `io-failed` for a file that cannot be read, `source-invalid` for one that is no JSON,
 * `option-invalid` for an unknown key or a wrong value
 */
export async function withSettings<Flags extends SettingsFlag>(flags: Flags, signal: AbortSignal): Promise<Flags> {
  const { settings: path, ...given } = flags as SettingsFlag & Settings;
  if (path === undefined) return flags;
  const settings: Record<string, unknown> = { ...(await readSettings(path, signal)) };
  for (const [flag, others] of TOGETHER) {
    if (given[flag] !== undefined) for (const other of others) delete settings[other];
  }
  return { ...settings, ...given } as unknown as Flags;
}

/** @throws as `withSettings` */
export async function readSettings(path: string, signal: AbortSignal): Promise<Settings> {
  return parseSettings(await wholeText(await openFile(path, signal), { where: path, most: MOST_BYTES }), path);
}

/** @throws CommandError `source-invalid` or `option-invalid` */
export function parseSettings(json: string, where: string): Settings {
  let value: unknown;
  try {
    value = parseShallowJson(json);
  } catch (error) {
    throw new CommandError('source-invalid', `${where}: expected JSON, found ${oneLine(error)}`);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new CommandError('option-invalid', `${where}: expected an object of options, found ${quotedJson(value)}`);
  }
  for (const [name, one] of Object.entries(value)) {
    const rule = Object.hasOwn(SETTINGS_KEYS, name) ? SETTINGS_KEYS[name as keyof Settings] : undefined;
    if (rule === undefined)
      checkOptions({ [name]: one }, SETTINGS_KEYS, where); // names the nearest key
    else if (!rule.holds(one)) {
      throw new CommandError(
        'option-invalid',
        `${where}: ${name}: expected ${rule.expected}, found ${quotedJson(one)}`,
      );
    }
  }
  return value as Settings;
}

/** The text of a settings file. */
export function settingsText(settings: Settings): string {
  return `${JSON.stringify(settings, null, 2)}\n`;
}
