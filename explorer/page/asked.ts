import type { EngineInfo } from '../protocol';
import { DEFAULTS, leftOut, type RunSettings, readSettings, refusal, type SettingName, unusable } from './settings';

/** What a panel decodes where its link says nothing. */
export interface PanelSettings {
  readonly defaults?: RunSettings;
  /** Which of the pair's examples. */
  readonly example?: number;
  /** Settings that the panel has a control for: it says where it is not used. */
  readonly controls?: readonly SettingName[];
}

export interface Asked {
  readonly settings: RunSettings;
  /** In words, what of the link is not done. */
  readonly problems: readonly string[];
  /** Names the run; null where there is none. */
  readonly key: string | null;
}

/** What a panel decodes: what the link says, with a text and a draft that the loaded pair has. */
export function askedOf(
  values: Readonly<Record<string, string>>,
  info: EngineInfo | null,
  { defaults = DEFAULTS, example = 0, controls = [] }: PanelSettings = {},
): Asked {
  const { settings: read, problems } = readSettings(values, defaults);
  const settings = info === null ? read : withPair(read, info, example);
  if (values.draft === read.draft && settings.draft !== read.draft) {
    problems.push(`These models have no draft “${read.draft}”; “${settings.draft}” is used.`);
  }
  for (const name of leftOut(settings).filter((one) => !controls.includes(one))) {
    problems.push(`${name} is not used: ${unusable(settings)[name]}.`);
  }
  const refused = refusal(settings);
  if (refused !== null) problems.push(refused);
  const isReady = info !== null && refused === null && settings.text.trim() !== '';
  return { settings, problems, key: isReady ? JSON.stringify([settings, info.stamp]) : null };
}

function withPair(settings: RunSettings, info: EngineInfo, example: number): RunSettings {
  const draft = canDraft(settings.draft, info) ? settings.draft : 'copy';
  const text = settings.text === DEFAULTS.text ? (info.examples[example] ?? info.examples[0] ?? '') : settings.text;
  return { ...settings, draft, text };
}

/** Whether the pair that is loaded has what a draft needs. */
export function canDraft(name: string, info: EngineInfo | null): boolean {
  if (info === null) return true;
  return (name !== 'model' || info.draft !== null) && (name !== 'self' || info.canCopy);
}
