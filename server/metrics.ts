import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { Places } from './places';

const SECONDS = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];

/** What Prometheus is told, in a registry of this server's own. */
export class ServerMetrics {
  private readonly registry = new Registry();
  private readonly registers = [this.registry];

  readonly requests = new Counter({
    name: 'tandem_requests_total',
    help: 'Requests that were answered, by route and status.',
    labelNames: ['route', 'status'],
    registers: this.registers,
  });
  readonly seconds = new Histogram({
    name: 'tandem_request_seconds',
    help: 'Seconds from a request to its answer; of a stream, to its first event.',
    labelNames: ['route'],
    buckets: SECONDS,
    registers: this.registers,
  });
  readonly firstToken = new Histogram({
    name: 'tandem_first_token_seconds',
    help: 'Seconds from a request for completions to its first token.',
    buckets: SECONDS,
    registers: this.registers,
  });
  readonly tokens = new Counter({
    name: 'tandem_tokens_total',
    help: 'Tokens of sources (prompt) and tokens that came out (completion).',
    labelNames: ['kind'],
    registers: this.registers,
  });
  readonly drafted = new Counter({
    name: 'tandem_draft_tokens_total',
    help: 'Draft tokens that the target accepted or rejected.',
    labelNames: ['outcome'],
    registers: this.registers,
  });

  constructor(places: Places) {
    const { registers } = this;
    new Gauge({
      name: 'tandem_places_used',
      help: 'Sequences that are being decoded or wait.',
      registers,
      collect() {
        this.set(places.used);
      },
    });
    new Gauge({
      name: 'tandem_places',
      help: 'Sequences that may be decoded or wait; more are refused with 429.',
      registers,
    }).set(places.all);
    collectDefaultMetrics({ register: this.registry });
  }

  async response(): Promise<Response> {
    return new Response(await this.registry.metrics(), { headers: { 'Content-Type': this.registry.contentType } });
  }
}
