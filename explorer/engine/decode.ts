import { Turns } from '../../common';
import { collect, type GenerationRequest, generate, type Settings } from '../../decoding';
import type { DecodeRequest, Finished, Progressed, ShownToken } from '../protocol';
import type { Models } from './models';
import { RoundRecorder } from './rounds';

/** Decodes a text; every token and every round is told as soon as it is decided. */
export async function decode(
  models: Models,
  { text, draft, settings, rounds, warmUp = 0 }: DecodeRequest,
  signal: AbortSignal,
  tell: (event: Progressed) => void,
): Promise<Finished> {
  const drafter = draft === 'none' ? null : await models.drafter(draft, signal);
  const { target } = models;
  const labels = new Map<number, string>();
  const labelOf = (id: number) => labels.get(id) ?? remember(labels, id, models.labelOf(id));
  const recorder = rounds ? new RoundRecorder(settings, labelOf, (round) => tell({ kind: 'round', round })) : undefined;
  const reader = models.tokenizer.incrementalDecoder();
  const request: GenerationRequest = { target, drafter, source: models.encode(text), settings, signal };
  if (warmUp > 0) await collect(generate({ ...request, settings: shortened(settings, warmUp) }));
  const turns = new Turns();
  let all = '';
  const start = performance.now();
  const readToken = (id: number) => {
    const piece = reader.push(id) + (target.eosTokens.includes(id) ? reader.end() : '');
    all += piece;
    return { text: piece, stop: false };
  };
  for await (const event of generate({ ...request, readToken, trace: recorder })) {
    const ms = performance.now() - start;
    if (event.kind === 'failed') throw event.error;
    if (event.kind === 'done') {
      all += event.result.stopReason === 'eos' ? '' : reader.end();
      return { text: all, result: event.result, milliseconds: ms, trace: recorder?.trace ?? null };
    }
    const { token: id, round } = event;
    const origin: ShownToken['origin'] = draft === 'copy' && event.origin === 'accepted' ? 'copied' : event.origin;
    tell({ kind: 'token', token: { id, text: event.text, origin, round, ms } });
    await turns.give();
  }
  throw new Error('decode: expected a result, found that the run ended before');
}

function shortened(settings: Settings, tokens: number): Settings {
  return { ...settings, maxNewTokens: Math.min(settings.maxNewTokens ?? tokens, tokens) };
}

function remember(labels: Map<number, string>, id: number, label: string): string {
  labels.set(id, label);
  return label;
}
