import { type Context, Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { cors } from 'hono/cors';
import { quoted } from '../common';
import { checkHost, isLoopback, keyCheck } from './access';
import { completions } from './completions';
import { embeddings } from './embeddings';
import { failureOf, RequestError, stopping } from './failure';
import { checkModel, modelOf } from './models';
import type { Serving } from './serving';

/** A request that was answered. Nothing of what it asked or got is in here. */
export interface Answered {
  readonly method: string;
  /** The route, such as `/v1/completions`; `other` where there is none. */
  readonly route: string;
  readonly status: number;
  readonly seconds: number;
  /** What failed inside, where something did. */
  readonly error?: unknown;
}

type Handler = (request: Request, context: Context) => Response | Promise<Response>;

/** The methods of every route, with what answers. */
type Routes = Readonly<Record<string, Readonly<Record<string, Handler>>>>;

function routesOf(serving: Serving): Routes {
  return {
    '/v1/completions': { POST: (request) => completions(serving, request) },
    '/v1/embeddings': { POST: (request) => embeddings(serving, request) },
    '/v1/models': { GET: () => Response.json({ object: 'list', data: [modelOf(serving)] }) },
    '/v1/models/:id{.+}': {
      GET: (_, context) => {
        checkModel(serving, context.req.param('id'));
        return Response.json(modelOf(serving));
      },
    },
    '/health': {
      GET: () => (serving.isStopping() ? stopping().response : Response.json({ status: 'ok', model: serving.name })),
    },
    '/metrics': { GET: () => serving.metrics.response() },
  };
}

/** The routes that need no key: who asks whether the server lives has none. */
const OPEN = ['/health'];

/** The application: access first, then the routes. Every error leaves it in OpenAI's shape. */
export function createApp(serving: Serving, onAnswered: (answered: Answered) => void): Hono {
  const { settings, metrics } = serving;
  const app = new Hono();
  const routes = routesOf(serving);
  app.use(async (context, next) => {
    const started = performance.now();
    await next();
    const seconds = (performance.now() - started) / 1000;
    const route = routeOf(routes, context.req.path);
    const { status } = context.res;
    metrics.requests.inc({ route, status });
    metrics.seconds.observe({ route }, seconds);
    onAnswered({ method: context.req.method, route, status, seconds, error: context.error });
  });
  if (isLoopback(settings.host)) {
    app.use(async (context, next) => {
      checkHost(context.req.header('host') ?? null);
      await next();
    });
  }
  if (settings.cors.length > 0) {
    const origin = settings.cors.includes('*') ? '*' : [...settings.cors];
    app.use(cors({ origin, allowMethods: ['GET', 'POST'], exposeHeaders: ['Retry-After'], maxAge: 600 }));
  }
  addGates(app, serving);
  for (const [path, methods] of Object.entries(routes)) {
    for (const [method, answer] of Object.entries(methods)) {
      app.on(method, path, (context) => answer(context.req.raw, context));
    }
    app.all(path, (context) => {
      throw wrongMethod(context.req.method, path, Object.keys(methods));
    });
  }
  app.notFound((context) => noRoute(context.req.path, routes).response);
  app.onError((error) => failureOf(error).response);
  return app;
}

/** The key, the end of the server, and the length of bodies. */
function addGates(app: Hono, serving: Serving): void {
  const { apiKey, limitBody } = serving.settings;
  const checkKey = apiKey === undefined ? null : keyCheck(apiKey);
  app.use(async (context, next) => {
    const isOpen = OPEN.includes(context.req.path);
    if (!isOpen) checkKey?.(context.req.header('authorization') ?? null);
    if (!isOpen && serving.isStopping()) throw stopping();
    await next();
  });
  const onError = () => {
    throw new RequestError(413, `body: expected at most ${limitBody} bytes, found more`, { code: 'body_too_long' });
  };
  const limit = bodyLimit({ maxSize: limitBody, onError });
  app.post('*', limit);
}

function wrongMethod(method: string, path: string, known: readonly string[]): RequestError {
  return new RequestError(405, `${path}: expected ${known.join(' or ')}, found ${quoted(method)}`, {
    ...{ code: 'method_not_allowed', headers: { Allow: known.join(', ') } },
  });
}

function noRoute(path: string, routes: Routes): RequestError {
  const known = Object.keys(routes).map((route) => route.replace(/:.*/, '{id}'));
  return new RequestError(404, `${quoted(path)}: expected one of ${known.join(', ')}`, { code: 'unknown_route' });
}

/** The route of a path; paths that nobody answers have one name, so that metrics stay few. */
function routeOf(routes: Routes, path: string): string {
  if (Object.hasOwn(routes, path)) return path;
  return path.startsWith('/v1/models/') ? '/v1/models/{id}' : 'other';
}
