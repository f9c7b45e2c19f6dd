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

const DRAFTS = /^(model|self|copy|ngram|random|none|layers:[1-9]\d?)$/;
const BRANCHING = /^([1-4](,[1-4]){0,5})?$/;
const VERIFICATIONS = /^(token|block|coupled)$/;

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
  take('verification', (value) => VERIFICATIONS.test(value));
  take('branching', (value) => BRANCHING.test(value));
  for (const name of Object.keys(RANGES) as NumberName[]) take(name, (value) => isInRange(name, value), Number);
  return { settings: settings as unknown as RunSettings, problems };
}

function isInRange(name: NumberName, value: string): boolean {
  const { least, most, step } = RANGES[name];
  const number = Number(value);
  return value !== '' && number >= least && number <= most && (step < 1 || Number.isInteger(number));
}

/** What decoding takes. */
export function decodingSettings(run: RunSettings): Settings {
  const { branching, gamma, temperature, topK, topP, lenience, seed, verification, length } = run;
  const sampled = temperature > 0;
  return {
    ...(branching === '' ? { gamma } : { branching: branching.split(',').map(Number) }),
    seed,
    temperature,
    maxNewTokens: length,
    ...(sampled && topK > 0 ? { topK } : {}),
    ...(sampled && topP < 1 ? { topP } : {}),
    ...(lenience < 1 && verification === 'token' ? { lenience } : { verification }),
  };
}
