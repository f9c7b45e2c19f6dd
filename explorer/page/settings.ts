import type { Settings, Verification } from '../../decoding';
import type { Dtype } from '../../kernels';
import type { DraftKind } from '../protocol';

/** What a panel decodes, and how. */
export interface RunSettings {
  readonly text: string;
  readonly draft: DraftKind;
  readonly gamma: number;
  readonly temperature: number;
  readonly topK: number;
  readonly topP: number;
  readonly lenience: number;
  readonly seed: number;
  readonly verification: Verification;
  readonly length: number;
  /** Candidates for each position of a tree, such as 2,2,1; empty: a chain of γ tokens. */
  readonly branching: string;
}

export type SettingName = keyof RunSettings;

/** A reason for each setting that does not go with the others. */
export type Reasons = Readonly<Partial<Record<SettingName, string>>>;

/** What each number may be, and the step of its slider. Off is the end at which it changes nothing. */
export const RANGES = {
  gamma: { least: 0, most: 12, step: 1 },
  temperature: { least: 0, most: 2, step: 0.05 },
  topK: { least: 0, most: 100, step: 1 },
  topP: { least: 0.05, most: 1, step: 0.05 },
  lenience: { least: 0.1, most: 1, step: 0.05 },
  seed: { least: 0, most: 2 ** 31 - 1, step: 1 },
  length: { least: 1, most: 256, step: 1 },
} as const;
type NumberName = keyof typeof RANGES;

/** What the lists of choices offer; a link may name another tree. */
export const CHOICES = {
  verification: ['token', 'block', 'coupled'],
  branching: ['', '2,2,1', '3,2,1', '2,2,2'],
} as const;

const DRAFTS = /^(model|self|copy|ngram|random|none|layers:[1-9]\d?)$/;
const BRANCHING = /^([1-4](,[1-4]){0,5})?$/;

export const DEFAULTS: RunSettings = {
  text: '',
  draft: 'model',
  gamma: 4,
  temperature: 0,
  topK: 0,
  topP: 1,
  lenience: 1,
  seed: 0,
  verification: 'token',
  length: 96,
  branching: '',
};

/** The type of the target's matrices; undefined: as they are stored. */
export function readDtype({ dtype }: Readonly<Record<string, string>>): Dtype | undefined {
  return dtype === 'f32' || dtype === 'bf16' || dtype === 'q8' ? dtype : undefined;
}

/** The settings of a link, and what of it could not be understood. */
export function readSettings(values: Readonly<Record<string, string>>, defaults: RunSettings) {
  const settings: Record<string, unknown> = { ...defaults };
  const problems: string[] = [];
  const take = (name: SettingName, holds: (value: string) => boolean, parse: (value: string) => unknown = String) => {
    const value = values[name];
    if (value === undefined) return;
    if (holds(value)) settings[name] = parse(value);
    else problems.push(`The link says ${name} “${value}”, which cannot be; ${String(defaults[name])} is used.`);
  };
  take('text', () => true);
  take('draft', (value) => DRAFTS.test(value));
  take('verification', (value) => CHOICES.verification.some((one) => one === value));
  take('branching', (value) => BRANCHING.test(value));
  for (const name of Object.keys(RANGES) as NumberName[]) take(name, (value) => isInRange(name, value), Number);
  return { settings: settings as unknown as RunSettings, problems };
}

function isInRange(name: NumberName, value: string): boolean {
  const { least, most, step } = RANGES[name];
  const number = Number(value);
  return value !== '' && number >= least && number <= most && (step < 1 || Number.isInteger(number));
}

/** Settings that cannot be used beside the others, whatever their values: their controls rest, and say why. */
export function unusable({ branching, temperature, verification }: RunSettings): Reasons {
  const isTree = branching !== '';
  return {
    ...(temperature === 0 && { topK: 'not at temperature 0', topP: 'not at temperature 0' }),
    ...(isTree && { gamma: 'not with a tree', lenience: 'not with a tree' }),
    ...(verification !== 'token' && { lenience: 'only with token verification' }),
  };
}

/** Why no run can follow from the settings; null where one can. */
export function refusal({ branching, verification }: RunSettings): string | null {
  const isRefused = branching !== '' && verification === 'block';
  return isRefused ? 'Block verification judges a chain: choose another verification, or a chain.' : null;
}

/** What decoding takes: the settings that say something, without those that cannot be used. */
export function decodingSettings(run: RunSettings): Settings {
  const without = unusable(run);
  return Object.fromEntries(Object.entries(statedSettings(run)).filter(([name]) => !(name in without)));
}

/** What was asked for: each setting that is not off. A tree has no γ beside it that nobody named. */
export function statedSettings(run: RunSettings): Settings {
  const { branching, gamma, temperature, topK, topP, lenience, seed, verification, length } = run;
  return {
    ...(branching !== '' && { branching: branching.split(',').map(Number) }),
    ...((branching === '' || gamma !== DEFAULTS.gamma) && { gamma }),
    seed,
    temperature,
    maxNewTokens: length,
    ...(topK > 0 && { topK }),
    ...(topP < 1 && { topP }),
    ...(lenience < 1 && { lenience }),
    verification,
  };
}

/** What of the settings is not used though it was asked for. */
export function leftOut(run: RunSettings): SettingName[] {
  const stated = statedSettings(run);
  return (Object.keys(unusable(run)) as SettingName[]).filter((name) => name in stated);
}
