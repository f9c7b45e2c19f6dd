import { quotedJson } from '../../../common';
import { type Json, list, object, unsupported } from '../json';

/** Ids that a tokenizer puts before and after the ids of a text. */
export interface Surroundings {
  readonly before: readonly number[];
  readonly after: readonly number[];
}

/**
 * Reads what the `post_processor` of tokenizer.json puts around one text.
 *
 * @throws RangeError that names a step that is not supported
 */
export function readPostProcessor(value: unknown): Surroundings {
  if (value === null || value === undefined) return { before: [], after: [] };
  const step = object(value, 'post_processor');
  switch (step.type) {
    case 'ByteLevel':
      return { before: [], after: [] };
    case 'TemplateProcessing':
      return readTemplate(step);
    case 'RobertaProcessing':
    case 'BertProcessing':
      return { before: [idOfPair(step.cls)], after: [idOfPair(step.sep)] };
    case 'Sequence':
      return list(step.processors, 'processors')
        .map(readPostProcessor)
        .reduce((inner, outer) => ({
          before: [...outer.before, ...inner.before],
          after: [...inner.after, ...outer.after],
        }));
    default:
      throw unsupported('post_processor', step.type);
  }
}

function readTemplate(step: Json): Surroundings {
  const names = object(step.special_tokens ?? {}, 'special_tokens');
  const [before, after] = [[] as number[], [] as number[]];
  let sequences = 0;
  for (const entry of list(step.single, 'post_processor.single')) {
    const part = object(entry, 'a part of post_processor.single');
    if (part.Sequence !== undefined) {
      sequences++;
      continue;
    }
    const { id } = object(part.SpecialToken, 'a special token of post_processor.single');
    const { ids } = object(typeof id === 'string' ? names[id] : undefined, `special token ${quotedJson(id)}`);
    const place = sequences === 0 ? before : after;
    for (const one of list(ids, 'the ids of a special token')) place.push(idOf(one));
  }
  if (sequences !== 1) throw new RangeError(`post_processor.single with ${sequences} texts`);
  return { before, after };
}

function idOfPair(pair: unknown): number {
  return idOf(list(pair, 'cls or sep of post_processor')[1]);
}

function idOf(value: unknown): number {
  if (typeof value === 'number' && Number.isInteger(value) && value >= 0) return value;
  throw new RangeError(`id ${quotedJson(value)} in post_processor`);
}
