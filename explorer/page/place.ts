import { useEffect, useState } from 'preact/hooks';

/** What the link says: a panel, and named values. */
export interface Place {
  readonly panel: string;
  readonly values: Readonly<Record<string, string>>;
}

export function readPlace(hash: string): Place {
  const [panel, query = ''] = hash.replace(/^#\/?/, '').split('?');
  return { panel, values: Object.fromEntries(new URLSearchParams(query)) };
}

export function writePlace({ panel, values }: Place): string {
  const query = new URLSearchParams(values).toString();
  return `#${panel}${query === '' ? '' : `?${query}`}`;
}

/** A whole number of the link from 0 on, kept inside its range; the fallback where it says none. */
export function within<T>(value: string | undefined, last: number, fallback: T): number | T {
  const number = value ? Number(value) : Number.NaN;
  return Number.isInteger(number) ? Math.min(Math.max(number, 0), last) : fallback;
}

/** Changes of values; undefined takes one away. */
export type Changes = Readonly<Record<string, string | number | undefined>>;

export interface PlaceState {
  readonly place: Place;
  /** Changes values of the link; the history gets no entry. */
  change(changes: Changes): void;
}

/** The address's fragment as state: what one sees is in the link, and a link brings it back. */
export function usePlace(): PlaceState {
  const [place, setPlace] = useState(() => readPlace(location.hash));
  useEffect(() => {
    const follow = () => setPlace(readPlace(location.hash));
    addEventListener('hashchange', follow);
    return () => removeEventListener('hashchange', follow);
  }, []);
  const change = (changes: Changes) => {
    const { panel, values } = readPlace(location.hash);
    const next: Record<string, string> = { ...values };
    for (const [name, value] of Object.entries(changes)) {
      if (value === undefined) delete next[name];
      else next[name] = String(value);
    }
    const changed = { panel: panel || place.panel, values: next };
    history.replaceState(null, '', writePlace(changed));
    setPlace(changed);
  };
  return { place, change };
}
