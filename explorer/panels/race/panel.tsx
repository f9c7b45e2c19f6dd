import { askedOf } from '../../page/asked';
import { DraftChoice, Problem, Problems, Seed, Slider, SourceText } from '../../page/controls';
import type { PanelProps } from '../../page/panel-props';
import { follow, NO_RUN, useKept, useWork } from '../../page/run';
import { decodingSettings, type RunSettings } from '../../page/settings';
import { Gradually } from '../../page/stages';
import type { DecodeRequest } from '../../protocol';
import { type Both, lengthOf, NO_RUNS } from './both';
import { Lane } from './lane';
import { Outcome } from './outcome';
import { type Playback, usePlayback } from './playback';

/** Tokens decoded before the clock runs, the first time. */
const WARM_UP = 12;

export function RacePanel({ engine, info, place, change }: PanelProps) {
  const { settings, problems, key } = askedOf(place.values, info, { controls: ['gamma'] });
  const [both, setBoth] = useKept<Both>('race', NO_RUNS);
  const playback = usePlayback(lengthOf(both));
  const work = useWork('race', key, async (signal) => {
    playback.showAll();
    setBoth(NO_RUNS);
    const warmUp = both === NO_RUNS ? WARM_UP : 0;
    const request = requestOf(settings, warmUp);
    const drafted = await follow(engine, request, signal, (run) => setBoth({ drafted: run, alone: NO_RUN }));
    await follow(engine, { ...request, draft: 'none' }, signal, (alone) => setBoth({ drafted, alone }));
  });
  const shared = { scale: lengthOf(both), playback };
  return (
    <Gradually first={2}>
      <Problems problems={problems} />
      <Controls {...{ settings, change, info }} />
      <Problem text={work.error} />
      <div class="lanes">
        <Gradually>
          <Lane title="With the draft" side="draft" run={both.drafted} {...shared} />
          <Lane title="The target alone" side="target" run={both.alone} {...shared} />
        </Gradually>
      </div>
      <p class="note">
        Each mark is a token at the time when it was decided. Marks above each other came out of one round. What lies
        before the first mark is the encoder’s work. The two runs are measured one after the other.
      </p>
      <Bar {...{ both, playback, isRunning: work.isRunning, repeat: work.repeat }} />
      <Outcome both={both} settings={settings} />
    </Gradually>
  );
}

function requestOf(settings: RunSettings, warmUp: number): DecodeRequest {
  return { text: settings.text, draft: settings.draft, settings: decodingSettings(settings), rounds: true, warmUp };
}

type ControlsProps = Pick<PanelProps, 'change' | 'info'> & { settings: RunSettings };

function Controls({ settings, change, info }: ControlsProps) {
  return (
    <section class="controls" aria-label="Settings">
      <Gradually>
        <SourceText {...{ settings, change, examples: info?.examples ?? [] }} />
        <div class="fields">
          <DraftChoice draft={settings.draft} {...{ info, change }} />
          <Slider name="gamma" {...{ settings, change }} />
          <Slider name="temperature" {...{ settings, change }} />
          {settings.temperature > 0 && <Seed {...{ settings, change }} />}
        </div>
      </Gradually>
    </section>
  );
}

interface BarProps {
  readonly both: Both;
  readonly playback: Playback;
  readonly isRunning: boolean;
  readonly repeat: () => void;
}

function Bar({ both, playback, isRunning, repeat }: BarProps) {
  const isReady = both.alone.finished !== null && !isRunning;
  return (
    <div class="bar">
      <button type="button" class="primary" disabled={!isReady} onClick={repeat}>
        Run again
      </button>
      <button type="button" disabled={!isReady} onClick={() => playback.play(1)}>
        Replay
      </button>
      <button type="button" disabled={!isReady} onClick={() => playback.play(0.1)}>
        Replay ten times slower
      </button>
      <ul class="legend" aria-label="Colours">
        <li>
          <span class="token accepted">proposed and kept</span>
        </li>
        <li>
          <span class="token corrected">corrected</span>
        </li>
        <li>
          <span class="token bonus">free</span>
        </li>
        <li>
          <span class="token copied">copied</span>
        </li>
      </ul>
    </div>
  );
}
