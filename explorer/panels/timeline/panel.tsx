import { useState } from 'preact/hooks';
import { readTrace, type Trace } from '../../../decoding';
import { askedOf } from '../../page/asked';
import { DraftChoice, Group, Problems, Seed, Slider } from '../../page/controls';
import type { PanelProps } from '../../page/panel-props';
import { within } from '../../page/place';
import { follow, useKept, useWork } from '../../page/run';
import { decodingSettings } from '../../page/settings';
import { callsOf, summaryOfRound, svgOf } from './calls';
import { Strip } from './strip';

export function TimelinePanel({ engine, info, place, change }: PanelProps) {
  const { settings, problems, key } = askedOf(place.values, info, { example: 2, controls: ['gamma'] });
  const [own, setOwn] = useKept<Trace | null>('timeline', null);
  const [loaded, setLoaded] = useKept<Trace | null>('timeline loaded', null);
  const [refused, setRefused] = useState<string | null>(null);
  const work = useWork('timeline', key, async (signal) => {
    const request = {
      text: settings.text,
      draft: settings.draft,
      settings: decodingSettings(settings),
      rounds: true,
      warmUp: 8,
    };
    const { finished } = await follow(engine, request, signal, () => undefined);
    if (!signal.aborted) setOwn(finished?.trace ?? null);
  });
  const trace = loaded ?? own;
  const open = async (file: File | undefined) => {
    if (file === undefined) return;
    try {
      setLoaded(firstTrace(await file.text()));
      setRefused(null);
    } catch (error) {
      setRefused(`${file.name}: ${(error as Error).message}`);
    }
  };
  const problem = refused ?? work.error;
  return (
    <>
      <Problems problems={problem === null ? problems : [...problems, problem]} />
      <section class="controls" aria-label="Settings">
        <div class="fields">
          <DraftChoice draft={settings.draft} {...{ info, change }} />
          <Slider name="gamma" {...{ settings, change }} />
          <Slider name="temperature" {...{ settings, change }} />
          <Seed {...{ settings, change }} />
        </div>
        <Files trace={trace} isLoaded={loaded !== null} open={open} close={() => setLoaded(null)} />
      </section>
      {trace !== null && <Timeline {...{ trace, change }} values={place.values} />}
    </>
  );
}

/** The first trace of a file: `tandem generate --trace` writes one a line. @throws DecodingError `option-invalid` */
function firstTrace(text: string): Trace {
  const line = text.trim().split('\n')[0] ?? '';
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    throw new Error('expected a trace, one JSON object a line, found other text');
  }
  return readTrace(value);
}

interface FilesProps {
  readonly trace: Trace | null;
  readonly isLoaded: boolean;
  readonly open: (file: File | undefined) => void;
  readonly close: () => void;
}

function Files({ trace, isLoaded, open, close }: FilesProps) {
  return (
    <div class="source">
      <label class="field wide">
        <span>A trace that tandem generate --trace wrote</span>
        <input
          type="file"
          name="trace"
          accept=".json,.jsonl"
          onChange={({ currentTarget }) => open(currentTarget.files?.[0])}
        />
      </label>
      <Group label="Files">
        {trace !== null && (
          <button type="button" onClick={() => save('trace.jsonl', `${JSON.stringify(trace)}\n`, 'application/json')}>
            Save this trace
          </button>
        )}
        {trace !== null && (
          <button type="button" onClick={() => save('timeline.svg', svgOf(callsOf(trace)), 'image/svg+xml')}>
            Export as SVG
          </button>
        )}
        {isLoaded && (
          <button type="button" onClick={close}>
            Back to this page’s run
          </button>
        )}
      </Group>
    </div>
  );
}

interface TimelineProps extends Pick<PanelProps, 'change'> {
  readonly trace: Trace;
  readonly values: Readonly<Record<string, string>>;
}

const MOST_ZOOM = 12;

function Timeline({ trace, values, change }: TimelineProps) {
  const calls = callsOf(trace);
  const shown = within(values.round, trace.rounds.length - 1, null);
  const zoom = Math.max(1, within(values.zoom, MOST_ZOOM, 1));
  const total = (side: string) => calls.reduce((sum, call) => sum + (call.side === side ? call.to - call.from : 0), 0);
  return (
    <div class="timeline">
      <p id="totals">
        {trace.rounds.length} rounds, {trace.ids.length} tokens. <i class="dot draft" />
        {total('draft').toFixed(1)} ms drafting ({trace.drafter ?? 'no draft'}), <i class="dot target" />
        {total('target').toFixed(1)} ms in calls of the target.
      </p>
      <Strip calls={calls} zoom={zoom} chosen={shown} choose={(round) => change({ round })} />
      <div class="bar">
        <label class="field zoom">
          <span>
            zoom <output>{zoom}×</output>
          </span>
          <input
            type="range"
            name="zoom"
            min={1}
            max={MOST_ZOOM}
            step={1}
            value={zoom}
            onInput={({ currentTarget }) => change({ zoom: currentTarget.value })}
          />
        </label>
        <p role="status" id="detail">
          {shown === null
            ? 'Choose a round in the strip.'
            : `Round ${shown + 1}: ${summaryOfRound(trace.rounds[shown])}.`}
        </p>
      </div>
    </div>
  );
}

function save(name: string, text: string, type: string): void {
  const url = URL.createObjectURL(new Blob([text], { type }));
  const link = Object.assign(document.createElement('a'), { href: url, download: name });
  link.click();
  URL.revokeObjectURL(url);
}
