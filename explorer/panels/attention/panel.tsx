import { useMemo } from 'preact/hooks';
import { askedOf } from '../../page/asked';
import { Choice, DraftChoice, Problem, Problems, SourceText } from '../../page/controls';
import { percent } from '../../page/format';
import type { PanelProps } from '../../page/panel-props';
import { follow, useKept, useWork } from '../../page/run';
import { DEFAULTS, decodingSettings, type RunSettings } from '../../page/settings';
import { Gradually } from '../../page/stages';
import type { AttendRequest, EngineInfo, Finished, ShownAttention } from '../../protocol';
import { type CopyRead, copyReads } from './copies';
import { Heat } from './heat';
import { Tokens } from './tokens';

/** The draft that copies is the one that reads the source by itself. */
const ATTENTION_DEFAULTS: RunSettings = { ...DEFAULTS, draft: 'copy', length: 64 };
const ATTENTION_EXAMPLE = 0;
const KINDS = [
  ['cross', 'the output reads the source'],
  ['encoder', 'the source reads itself'],
] as const;

type Kind = AttendRequest['kind'];

interface Shown {
  readonly attention: ShownAttention;
  readonly finished: Finished;
}

export function AttentionPanel({ engine, info, place, change }: PanelProps) {
  const { values } = place;
  const asked = askedOf(values, info, { defaults: ATTENTION_DEFAULTS, example: ATTENTION_EXAMPLE });
  const { settings, problems } = asked;
  const kind: Kind = values.reads === 'encoder' ? 'encoder' : 'cross';
  const layer = numberOf(values.layer, layersOf(info, kind));
  const head = numberOf(values.head, info?.target.heads ?? 0);
  const [shown, setShown] = useKept<Shown | null>('attention', null);
  const { text, draft } = settings;
  const key = asked.key && JSON.stringify([asked.key, kind, layer, head]);
  const work = useWork('attention', key, async (signal) => {
    const request = { text, draft, settings: decodingSettings(settings), rounds: true };
    const { finished } = await follow(engine, request, signal, () => undefined);
    if (finished === null || finished.result.ids.length === 0) return setShown(null);
    const output = [...finished.result.ids];
    const attention = await engine.attend({ text, output, kind, layer, head }, { signal });
    if (!signal.aborted) setShown({ attention, finished });
  });
  return (
    <>
      <Problems problems={problems} />
      <section class="controls" aria-label="Settings">
        <SourceText {...{ settings, change, examples: info?.examples ?? [] }} />
        <div class="fields">
          <DraftChoice {...{ draft, info, change }} />
          <Choice label="attention" name="reads" value={kind} options={KINDS} change={change} />
          <Numbered name="layer" value={layer} count={layersOf(info, kind)} change={change} />
          <Numbered name="head" value={head} count={info?.target.heads ?? 0} change={change} />
        </div>
      </section>
      <Problem text={work.error} />
      {shown !== null && <Reading {...{ shown, kind, values, change }} />}
    </>
  );
}

function layersOf(info: EngineInfo | null, kind: Kind): number {
  if (info === null) return 0;
  return kind === 'cross' ? info.target.decoderLayers : info.target.encoderLayers;
}

/** A number of the link, from 1, as an index; null where it is none: all of them. */
function numberOf(value: string | undefined, count: number): number | null {
  const number = Number(value);
  return Number.isInteger(number) && number >= 1 && number <= count ? number - 1 : null;
}

interface NumberedProps extends Pick<PanelProps, 'change'> {
  readonly name: 'layer' | 'head';
  readonly value: number | null;
  readonly count: number;
}

function Numbered({ name, value, count, change }: NumberedProps) {
  const options: (readonly [string, string])[] = [['all', `the mean of all ${name}s`]];
  for (let i = 1; i <= count; i++) options.push([String(i), `${name} ${i}`]);
  return (
    <Choice
      label={name}
      name={name}
      value={value === null ? 'all' : String(value + 1)}
      options={options}
      change={change}
    />
  );
}

interface ReadingProps extends Pick<PanelProps, 'change'> {
  readonly shown: Shown;
  readonly kind: Kind;
  readonly values: Readonly<Record<string, string>>;
}

/** What is chosen: a token that reads, or one that is read. */
interface Chosen {
  readonly isReader: boolean;
  readonly place: number;
}

function chosenOf({ by, at }: Readonly<Record<string, string>>, { readers, read }: ShownAttention): Chosen {
  const isReader = by !== 'read';
  const last = (isReader ? readers : read).length - 1;
  const place = Number(at ?? 0);
  return { isReader, place: Number.isInteger(place) ? Math.min(Math.max(place, 0), last) : 0 };
}

function Reading({ shown: { attention, finished }, kind, values, change }: ReadingProps) {
  const { readers, read, weights } = attention;
  const { isReader, place } = chosenOf(values, attention);
  const copies = useMemo(
    () => (finished.trace?.drafter === 'copy' ? copyReads(finished.trace) : new Map<number, CopyRead>()),
    [finished],
  );
  const line = useMemo(
    () =>
      isReader
        ? read.map((_, i) => weights[place * read.length + i])
        : readers.map((_, i) => weights[i * read.length + place]),
    [weights, isReader, place],
  );
  const shades = shadesOf(line);
  const pick = (by: 'reader' | 'read') => (at: number) => change({ by, at });
  const isCross = kind === 'cross';
  const framed = isCross ? framesOf(copies, isReader, place) : { readers: NONE, read: NONE };
  return (
    <div class="attention">
      <Gradually>
        <p class="narration" role="status" id="reading">
          {narrate({ attention, line, isReader, place, isCross }, isCross && isReader ? copies.get(place) : undefined)}
        </p>
        <div class="lanes">
          <Gradually>
            <Tokens
              title={isCross ? 'The source, which is read' : 'The source, read by itself'}
              labels={read}
              shades={isReader ? shades : null}
              chosen={isReader ? null : place}
              framed={framed.read}
              choose={pick('read')}
            />
            <Tokens
              title={isCross ? 'The output, which reads' : 'The source, which reads'}
              labels={readers}
              shades={isReader ? null : shades}
              chosen={isReader ? place : null}
              framed={framed.readers}
              choose={pick('reader')}
            />
          </Gradually>
        </div>
        <Heat
          shown={attention}
          title={`Weights of ${readers.length} tokens that read, from above, over ${read.length} that are read`}
          row={isReader ? place : null}
          column={isReader ? null : place}
          choose={(row, column) => (isReader ? change({ by: 'reader', at: row }) : change({ by: 'read', at: column }))}
        />
        <p class="note">
          A line for each token that reads, a column for each token that it reads; the stronger its colour, the more.
          The weights are the kernel’s own, and each line adds up to 1.{' '}
          {isCross && copies.size > 0 && 'A frame shows where the copy draft read what it proposed.'}
        </p>
      </Gradually>
    </div>
  );
}

function shadesOf(line: readonly number[]): number[] {
  const most = Math.max(...line) || 1;
  return line.map((weight) => weight / most);
}

const NONE: ReadonlyMap<number, string> = new Map();

/** Frames of both texts: the place that the copy draft read for the chosen token, or the tokens that came from the chosen place. */
function framesOf(copies: ReadonlyMap<number, CopyRead>, isReader: boolean, place: number) {
  const said = ({ kept }: CopyRead) =>
    kept ? 'the copy draft read it here, and it was kept' : 'the copy draft read it here; rejected';
  if (isReader) {
    const copy = copies.get(place);
    return { readers: NONE, read: copy === undefined ? NONE : new Map([[copy.place, said(copy)]]) };
  }
  const from = [...copies].filter(([, copy]) => copy.place === place);
  return { readers: new Map(from.map(([at, copy]) => [at, said(copy)])), read: NONE };
}

interface Narrated extends Chosen {
  readonly attention: ShownAttention;
  readonly line: readonly number[];
  readonly isCross: boolean;
}

/** What a screen reader reads at each choice. */
function narrate(
  { attention: { readers, read }, line, isReader, place, isCross }: Narrated,
  copy: CopyRead | undefined,
): string {
  const others = isReader ? read : readers;
  const best = line
    .map((weight, i) => ({ weight, i }))
    .sort((a, b) => b.weight - a.weight)
    .slice(0, 3)
    .map(({ weight, i }) => `“${spoken(others[i])}” ${percent(weight)}`);
  const own = `“${spoken((isReader ? readers : read)[place])}”`;
  if (!isReader) return `${own} of the source is read most for ${best.join(', ')}.`;
  const copied =
    copy === undefined
      ? ''
      : ` The copy draft read “${spoken(read[copy.place])}” at place ${copy.place + 1}: ${copy.kept ? 'kept' : 'rejected'}.`;
  return `${isCross ? `To decide ${own}, the target` : `${own}`} reads most ${best.join(', ')}.${copied}`;
}

const spoken = (label: string) => (label === '</s>' ? 'end' : label.trim() || label);
