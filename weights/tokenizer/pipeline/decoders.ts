import { type Json, list, object, text, unsupported } from '../json';
import { atOnce } from '../steps';
import { Utf8Decoder } from '../utf8';
import { SPACE_SYMBOL } from '../vocabulary';
import { bytesOfLetters } from './byte-letters';
import { replace } from './normalizers';
import { readPattern } from './pattern';
import { readPrependScheme } from './pre-tokenizers';

/**
 * A step that turns tokens into text. Tokens come one by one; what a step passes on goes to the next step. A step passes on
 * nothing that later tokens could change.
 */
export interface Stage {
  push(token: string): string[];
  end(): string[];
}

/** Starts a chain of stages for one text. */
export type StageFactory = () => Stage;

const BYTE_TOKEN = /^<0x[0-9A-Fa-f]{2}>$/;
const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * Reads the `decoder` of tokenizer.json: the steps of Hugging Face's library (tokenizers/src/decoders). Without one, spaces
 * separate the tokens.
 *
 * @throws RangeError that names a step that is not supported
 */
export function readDecoder(value: unknown): StageFactory {
  if (value === null || value === undefined) return joined;
  let isFused = false;
  const factories = flatSteps(value).map((step) => {
    const known = typeof step.type === 'string' && Object.hasOwn(DECODERS, step.type);
    if (!known) throw unsupported('decoder', step.type);
    const factory = DECODERS[step.type as string](step, isFused);
    isFused ||= step.type === 'Fuse' || step.type === 'ByteLevel';
    return factory;
  });
  return () => chain(factories.map((start) => start()));
}

function flatSteps(value: unknown): Json[] {
  const step = object(value, 'decoder');
  return step.type === 'Sequence' ? list(step.decoders, 'decoders').flatMap(flatSteps) : [step];
}

function chain(stages: readonly Stage[]): Stage {
  const through = (tokens: readonly string[], from: number): string[] => {
    let current = [...tokens];
    for (const stage of stages.slice(from)) current = current.flatMap((token) => stage.push(token));
    return current;
  };
  return {
    push: (token) => through([token], 0),
    end: () => stages.flatMap((stage, i) => through(stage.end(), i + 1)),
  };
}

const simple = (push: (token: string) => string): Stage => ({ push: (token) => [push(token)], end: () => [] });

const joined: StageFactory = () => {
  let isFirst = true;
  return simple((token) => {
    const separator = isFirst ? '' : ' ';
    isFirst = false;
    return separator + token;
  });
};

/** After Fuse all tokens are one: steps that look at tokens then look at the whole text. */
const DECODERS: Readonly<Record<string, (step: Json, isFused: boolean) => StageFactory>> = {
  Fuse: () => () => simple((token) => token),
  Metaspace(step, isFused) {
    const symbol = text(step.replacement ?? SPACE_SYMBOL, 'decoder Metaspace');
    const dropsFirst = readPrependScheme(step) !== 'never';
    return () => {
      let isFirst = true;
      return simple((token) => {
        const here = dropsFirst && isFirst;
        if (!isFused) isFirst = false;
        return token.replaceAll(symbol, here ? '' : ' ');
      });
    };
  },
  Replace(step, isFused) {
    if (isFused) throw unsupported('decoder Replace after', 'Fuse');
    const change = replace(readPattern(step.pattern, 'decoder Replace'), text(step.content, 'decoder Replace'));
    return () => simple((token) => atOnce(change({ text: token, head: 0 })).text);
  },
  ByteFallback(_step, isFused) {
    if (isFused) throw unsupported('decoder ByteFallback after', 'Fuse');
    return byteFallback;
  },
  ByteLevel: () => () => {
    const utf8 = new Utf8Decoder({ text: '\uFFFD', each: 'subpart' });
    return {
      push(token) {
        let out = '';
        const bytes = bytesOfLetters(token);
        for (let i = 0; i < bytes.length; i++) out += utf8.push(bytes[i]);
        return [out];
      },
      end: () => [utf8.end()],
    };
  },
  Strip(step, isFused) {
    const [content, start, stop] = [text(step.content, 'decoder Strip'), count(step.start), count(step.stop)];
    return isFused
      ? () => stripWhole(content, start, stop)
      : () => simple((token) => stripOne(token, content, start, stop));
  },
  BPEDecoder(step) {
    const suffix = text(step.suffix ?? '</w>', 'decoder BPEDecoder');
    return () => {
      let last: string | null = null;
      return {
        push(token) {
          const out = last === null ? [] : [last.replaceAll(suffix, ' ')];
          last = token;
          return out;
        },
        end: () => (last === null ? [] : [last.replaceAll(suffix, '')]),
      };
    };
  },
};

function count(value: unknown): number {
  if (typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= 1000) return value;
  throw unsupported('decoder Strip', value);
}

/** A run of byte tokens is text if it is UTF-8 as a whole; else U+FFFD for each of its bytes. */
function byteFallback(): Stage {
  let bytes: number[] = [];
  const flush = (): string[] => {
    if (bytes.length === 0) return [];
    const run = Uint8Array.from(bytes);
    bytes = [];
    try {
      return [strict.decode(run)];
    } catch {
      return Array.from(run, () => '\uFFFD');
    }
  };
  return {
    push(token) {
      if (!BYTE_TOKEN.test(token)) return [...flush(), token];
      bytes.push(Number.parseInt(token.slice(3, 5), 16));
      return [];
    },
    end: flush,
  };
}

function stripOne(token: string, content: string, start: number, stop: number): string {
  const characters = [...token];
  let [from, to] = [0, characters.length];
  while (from < start && characters[from] === content) from++;
  while (to > from && characters.length - to < stop && characters[to - 1] === content) to--;
  return characters.slice(from, to).join('');
}

/** Strips a text that comes in pieces. What may be its end is kept back. */
function stripWhole(content: string, start: number, stop: number): Stage {
  let isStart = start > 0;
  let [removed, kept] = [0, ''];
  return {
    push(token) {
      let text = token;
      while (isStart && text.startsWith(content)) {
        text = text.slice(content.length);
        isStart = ++removed < start;
      }
      if (text !== '') isStart = false;
      const whole = kept + text;
      let end = whole.length;
      for (let i = 0; i < stop && whole.slice(0, end).endsWith(content); i++) end -= content.length;
      kept = whole.slice(end);
      return [whole.slice(0, end)];
    },
    end: () => [],
  };
}
