import type { ComponentChildren, FunctionComponent } from 'preact';
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { counted } from '../../common';
import type { Engine } from '../client';
import { AttentionPanel } from '../panels/attention/panel';
import { MachinePanel } from '../panels/machine/panel';
import { OwnPanel } from '../panels/own/panel';
import { PlayPanel } from '../panels/play/panel';
import { ProvePanel } from '../panels/prove/panel';
import { RacePanel } from '../panels/race/panel';
import { RoundPanel } from '../panels/round/panel';
import { TimelinePanel } from '../panels/timeline/panel';
import type { EngineInfo, PairSource, Progressed } from '../protocol';
import { Problem } from './controls';
import { rounded } from './format';
import type { PanelProps } from './panel-props';
import { type PlaceState, usePlace, within, writePlace } from './place';
import { readDtype } from './settings';
import { Gradually } from './stages';

interface PanelEntry {
  readonly name: string;
  readonly title: string;
  readonly about: string;
  readonly Panel: FunctionComponent<PanelProps>;
}

/** The panels, in the order of their links; the first is the one to begin with. */
export const PANELS: readonly PanelEntry[] = [
  { name: 'race', title: 'Race', about: 'One text, decoded with the draft and without it', Panel: RacePanel },
  { name: 'round', title: 'Round', about: 'One round of Algorithm 1, decision by decision', Panel: RoundPanel },
  { name: 'play', title: 'Play', about: 'What each setting does, measured and predicted', Panel: PlayPanel },
  { name: 'prove', title: 'Prove', about: 'Every path of the sampler, and samplers that are wrong', Panel: ProvePanel },
  { name: 'attention', title: 'Attention', about: 'What every layer and head reads', Panel: AttentionPanel },
  { name: 'timeline', title: 'Timeline', about: 'When each model worked', Panel: TimelinePanel },
  { name: 'machine', title: 'Your machine', about: 'What computes here, and what calls cost', Panel: MachinePanel },
  { name: 'own', title: 'Your own', about: 'Bring a T5 of your own', Panel: OwnPanel },
];

/** What the link keeps when another panel is shown. */
const KEPT = ['theme', 'dtype', 'level', 'threads'];

type Load = {
  readonly info: EngineInfo | null;
  readonly doing: string;
  readonly share: number;
  readonly error: string | null;
};

/** How loading goes, and how to load another pair. */
function useLoad(engine: Engine, values: Readonly<Record<string, string>>): [Load, PanelProps['load']] {
  const { level } = values;
  const dtype = readDtype(values);
  const threads = within(values.threads, Number.POSITIVE_INFINITY, undefined) || undefined;
  const [load, setLoad] = useState<Load>({ info: null, doing: 'starting', share: 0, error: null });
  const last = useRef<PairSource>({ kind: 'bundled', base: new URL('models/', document.baseURI).href });
  const hear = (event: Progressed) => {
    if (event.kind !== 'progress') return;
    setLoad({ info: null, doing: event.what, share: event.loaded / (event.total || 1), error: null });
  };
  const loadPair = async (source: PairSource) => {
    last.current = source;
    try {
      setLoad({
        info: await engine.load({ source, level, threads, dtype }, { hear }),
        doing: '',
        share: 1,
        error: null,
      });
    } catch (error) {
      setLoad({ info: null, doing: '', share: 0, error: (error as Error).message });
      throw error;
    }
  };
  useEffect(() => {
    loadPair(last.current).catch(() => undefined); // the page shows it
  }, [dtype]);
  return [load, loadPair];
}

export function App({ engine }: Pick<PanelProps, 'engine'>) {
  const state = usePlace();
  const { values, panel: asked } = state.place;
  const [load, loadPair] = useLoad(engine, values);
  const entry = PANELS.find(({ name }) => name === asked) ?? PANELS[0];
  const { theme } = values;
  useEffect(() => {
    if (theme === 'dark' || theme === 'light') document.documentElement.dataset.theme = theme;
    else delete document.documentElement.dataset.theme;
  }, [theme]);
  // A panel changes the link at each step; what is around it is then the same.
  const header = useMemo(
    () => <Header current={entry.name} values={values} change={state.change} />,
    [entry, keptOf(values)],
  );
  const footer = useMemo(() => <Footer load={load} />, [load]);
  return (
    <Gradually first={2}>
      <button type="button" class="skip" onClick={() => document.getElementById('main')?.focus()}>
        Skip to the panel
      </button>
      {header}
      <main id="main" tabIndex={-1}>
        <Gradually>
          <h1 class="panel-title">
            {entry.title} <small>{entry.about}</small>
          </h1>
          <Problem text={load.error && `The models did not load. ${load.error}`} />
          <entry.Panel key={entry.name} engine={engine} info={load.info} load={loadPair} {...state} />
        </Gradually>
      </main>
      {footer}
    </Gradually>
  );
}

/** What the links of other panels have of this one's, as text. */
function keptOf(values: Readonly<Record<string, string>>): string {
  return KEPT.map((name) => `${name}=${values[name]}`).join('&');
}

interface HeaderProps extends Pick<PlaceState, 'change'> {
  readonly current: string;
  readonly values: Readonly<Record<string, string>>;
}

function Header({ current, values, change }: HeaderProps) {
  const { theme } = values;
  const isDark = theme === 'dark' || (theme === undefined && matchMedia('(prefers-color-scheme: dark)').matches);
  const keep = Object.fromEntries(Object.entries(values).filter(([name]) => KEPT.includes(name)));
  return (
    <header class="top">
      <a class="brand" href={writePlace({ panel: PANELS[0].name, values: keep })}>
        <span class="brand-mark" aria-hidden="true">
          <i />
          <i />
        </span>
        Tandem <span>explorer</span>
      </a>
      <nav aria-label="Panels">
        {PANELS.map(({ name, title }) => (
          <a
            key={name}
            href={writePlace({ panel: name, values: keep })}
            aria-current={name === current ? 'page' : undefined}
          >
            {title}
          </a>
        ))}
      </nav>
      <button
        type="button"
        class="quiet"
        aria-label={isDark ? 'Use light colours' : 'Use dark colours'}
        onClick={() => change({ theme: isDark ? 'light' : 'dark' })}
      >
        {isDark ? '☀' : '☾'}
      </button>
    </header>
  );
}

function Footer({ load: { info, doing, share, error } }: { load: Load }) {
  return (
    <footer class="bottom">
      {info === null && error === null && (
        <p role="status" class="loading">
          <progress value={share} max={1} aria-label="Loading the models" /> <span>{doing}</span>
        </p>
      )}
      {info !== null && <Machine info={info} />}
      <p>Everything is computed in this page, in WebAssembly: no server, and no request after loading.</p>
    </footer>
  );
}

function Machine({ info: { target, draft, level, threads, reason } }: { info: EngineInfo }) {
  const facts: ComponentChildren[] = [
    <span key="target">
      <i class="dot target" /> target {target.name}, {rounded(target.parameters)} parameters in {target.dtype}
    </span>,
    draft && (
      <span key="draft">
        <i class="dot draft" /> draft {draft.name}, {rounded(draft.parameters)} parameters
      </span>
    ),
    <span key="machine" title={reason}>
      wasm {level}, {counted(threads, 'thread')}
    </span>,
  ];
  return (
    <p class="machine" id="machine">
      {facts}
    </p>
  );
}
