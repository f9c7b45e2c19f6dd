import type { ComponentChildren } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import type { EngineInfo } from '../protocol';
import { canDraft } from './asked';
import type { Changes } from './place';
import { CHOICES, RANGES, type RunSettings, unusable } from './settings';

interface ControlProps {
  readonly settings: RunSettings;
  readonly change: (changes: Changes) => void;
}

type SliderName = 'gamma' | 'temperature' | 'topK' | 'topP' | 'lenience';

const LABELS: Readonly<Record<SliderName, string>> = {
  gamma: 'γ',
  temperature: 'temperature',
  topK: 'top-k',
  topP: 'top-p',
  lenience: 'lenience',
};
const TITLES: Readonly<Record<SliderName, string>> = {
  gamma: 'Tokens that the draft proposes each round',
  temperature: '0 takes the most probable token',
  topK: '0 keeps all tokens',
  topP: '1 keeps all tokens',
  lenience: 'Below 1 the text is not exactly the target’s any more',
};

export function Slider({ name, settings, change }: ControlProps & { name: SliderName }) {
  const { least, most, step } = RANGES[name];
  const value = settings[name];
  const reason = unusable(settings)[name];
  return (
    <label class="field" title={TITLES[name]}>
      <span>
        {LABELS[name]} {reason ? <small>{reason}</small> : <output>{step < 1 ? value.toFixed(2) : value}</output>}
      </span>
      <input
        type="range"
        name={name}
        min={least}
        max={most}
        step={step}
        value={value}
        disabled={reason !== undefined}
        onInput={({ currentTarget }) => change({ [name]: currentTarget.value })}
      />
    </label>
  );
}

export function Seed({ settings, change }: ControlProps) {
  return (
    <label class="field seed">
      <span>seed</span>
      <span class="joined">
        <input
          type="number"
          name="seed"
          min={RANGES.seed.least}
          max={RANGES.seed.most}
          value={settings.seed}
          onInput={({ currentTarget }) => {
            if (currentTarget.value !== '' && currentTarget.validity.valid) change({ seed: currentTarget.value });
          }}
        />
        <button type="button" aria-label="+1: the next seed" onClick={() => change({ seed: settings.seed + 1 })}>
          +1
        </button>
      </span>
    </label>
  );
}

interface ChoiceProps {
  readonly label: string;
  readonly name: string;
  readonly value: string;
  readonly options: readonly (readonly [value: string, title: string])[];
  readonly change: (changes: Changes) => void;
  /** Options that cannot be chosen now, and why. */
  readonly without?: { readonly values: readonly string[]; readonly reason: string } | null;
}

export function Choice({ label, name, value, options, change, without }: ChoiceProps) {
  return (
    <label class="field">
      <span>
        {label} {without && <small>{without.reason}</small>}
      </span>
      <select name={name} value={value} onChange={({ currentTarget }) => change({ [name]: currentTarget.value })}>
        {options.map(([option, title]) => (
          <option key={option} value={option} selected={option === value} disabled={without?.values.includes(option)}>
            {title}
          </option>
        ))}
      </select>
    </label>
  );
}

/** What can draft with the pair that is loaded. */
function draftOptions(info: EngineInfo | null): (readonly [string, string])[] {
  const layers = info === null ? 6 : info.target.decoderLayers;
  const early = [1, 2].filter((count) => count < layers);
  const all: (readonly [string, string])[] = [
    ['model', 'the draft model'],
    ['self', 'the target in q8'],
    ...early.map(
      (count) => [`layers:${count}`, `the target’s first ${count === 1 ? 'layer' : `${count} layers`}`] as const,
    ),
    ['copy', 'copies from the source'],
    ['ngram', 'n-grams of the output'],
    ['random', 'random tokens'],
  ];
  return all.filter(([name]) => canDraft(name, info));
}

type Change = ControlProps['change'];

export function DraftChoice({ draft, info, change }: { draft: string; info: EngineInfo | null; change: Change }) {
  return <Choice label="draft" name="draft" value={draft} options={draftOptions(info)} change={change} />;
}

export function VerificationChoice({ settings, change }: ControlProps) {
  const { verification, branching } = settings;
  const options = CHOICES.verification.map((name) => [name, name === 'token' ? 'token (the paper)' : name] as const);
  const without = branching === '' ? null : { values: ['block'], reason: 'no block with a tree' };
  return <Choice label="verification" name="verification" value={verification} {...{ options, change, without }} />;
}

/** A chain, or a tree of candidates. */
export function ShapeChoice({ settings, change }: ControlProps) {
  const { verification, branching } = settings;
  const titleOf = (shape: string) => (shape === '' ? 'a chain of γ tokens' : `a tree, ${shape.replaceAll(',', ' · ')}`);
  const options = CHOICES.branching.map((shape) => [shape, titleOf(shape)] as const);
  const without =
    verification === 'block' ? { values: CHOICES.branching.filter(Boolean), reason: 'no tree with block' } : null;
  return <Choice label="shape" name="branching" value={branching} {...{ options, change, without }} />;
}

/** The text to decode: typed, or one of the examples. */
export function SourceText({ settings, change, examples }: ControlProps & { examples: readonly string[] }) {
  const [typed, setTyped] = useState(settings.text);
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  useEffect(() => setTyped(settings.text), [settings.text]);
  const type = (text: string) => {
    setTyped(text);
    clearTimeout(timer.current);
    timer.current = setTimeout(() => change({ text }), 450);
  };
  return (
    <div class="source">
      <label class="field wide">
        <span>{examples.length > 0 ? 'Text, in King James English' : 'Text'}</span>
        <textarea
          name="text"
          rows={3}
          maxLength={1200}
          value={typed}
          onInput={({ currentTarget }) => type(currentTarget.value)}
        />
      </label>
      <Group label="Examples">
        {examples.map((example, i) => (
          <button
            type="button"
            key={example}
            class="chip"
            aria-pressed={example === settings.text}
            title={example}
            onClick={() => change({ text: example })}
          >
            Example {i + 1}
          </button>
        ))}
      </Group>
    </div>
  );
}

export function Group({ label, children }: { label: string; children: ComponentChildren }) {
  return (
    <fieldset class="group" aria-label={label}>
      {children}
    </fieldset>
  );
}

/** What went wrong, in words; nothing where nothing did. */
export function Problem({ text }: { text: string | null }) {
  if (text === null) return null;
  return (
    <p class="problem" role="alert">
      {text}
    </p>
  );
}

/** Named figures, each with a note. */
export function Figures({ figures, isWordy = false }: { figures: readonly FigureLine[]; isWordy?: boolean }) {
  return (
    <dl>
      {figures.map(([name, value, note]) => (
        <div class={isWordy ? 'figure wordy' : 'figure'} key={name}>
          <dt>{name}</dt>
          <dd>
            <strong>{value}</strong> <small>{note}</small>
          </dd>
        </div>
      ))}
    </dl>
  );
}

/** Name, value and note. */
export type FigureLine = readonly [string, string, string];

export function Problems({ problems }: { problems: readonly string[] }) {
  if (problems.length === 0) return null;
  return (
    <div class="problem" role="alert">
      {problems.map((problem) => (
        <p key={problem}>{problem}</p>
      ))}
    </div>
  );
}
