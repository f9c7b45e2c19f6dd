import { cpSync, readFileSync, statSync } from 'node:fs';
import { posix } from 'node:path';
import type { DefaultTheme } from 'vitepress';
import { defineConfig } from 'vitepress';

/** Pages by topic. A page that is in no topic is not in the sidebar; a spec finds it. */
export const TOPICS: readonly { text: string; pages: readonly (readonly [title: string, file: string])[] }[] = [
  {
    text: 'Start',
    pages: [
      ['What it is', 'README.md'],
      ['Ten-minute tour', 'docs/tour.md'],
      ['Installing', 'docs/installing.md'],
      ['Coming from elsewhere', 'docs/coming-from.md'],
      ['Examples', 'docs/examples.md'],
    ],
  },
  {
    text: 'How it works',
    pages: [
      ['The algorithm, line by line', 'docs/algorithm.md'],
      ['T5 from scratch', 'docs/t5.md'],
      ['Kernels', 'docs/kernels.md'],
      ['How the kernels are built', 'docs/kernel-notes.md'],
      ['Exactness', 'docs/exactness.md'],
      ['Performance', 'docs/performance.md'],
      ['The explorer', 'docs/explorer.md'],
      ['Words', 'docs/glossary.md'],
    ],
  },
  {
    text: 'Use',
    pages: [
      ['Checkpoints', 'docs/checkpoints.md'],
      ['Tokenizers', 'docs/tokenizers.md'],
      ['Serving', 'docs/serving.md'],
      ['Batches', 'docs/batch.md'],
      ['Measuring a model', 'docs/measuring.md'],
      ['Browsers', 'docs/browsers.md'],
      ['GPUs', 'docs/gpu.md'],
      ['Reproducibility', 'docs/reproducibility.md'],
      ['Reliability', 'docs/reliability.md'],
      ['The bundled pair', 'models/README.md'],
    ],
  },
  {
    text: 'Work on it',
    pages: [
      ['Contributing', 'CONTRIBUTING.md'],
      ['Decisions', 'docs/decisions.md'],
      ['Mutation samples', 'docs/mutation-samples.md'],
      ['Changes', 'CHANGELOG.md'],
    ],
  },
];

/** Where a page of the repository is in the site: pages of docs/ are at its root, a README is its folder's page. */
export function placeOf(file: string): string {
  return file.replace(/^docs\//, '').replace(/(^|\/)README\.md$/, '$1index.md');
}

interface Token {
  readonly type: string;
  readonly children: readonly Token[] | null;
  attrGet(name: string): string | null;
  attrSet(name: string, value: string): void;
}

/** Files that pages link to and that are no pages. They are copied beside the site's pages. */
const linked = new Set<string>();

/** Links of pages are written for the repository, so that they work there too. Here they become links to the place in the site. */
function followPlaces(md: { core: { ruler: { push(name: string, rule: (state: State) => void): void } } }): void {
  const placed = (folder: string, href: string): string => {
    const [, path, hash = ''] = /^(?![a-z]+:|#|\/)([^#]+)(#.*)?$/.exec(href) ?? [];
    if (!path) return href;
    const file = posix.join(folder, path);
    if (file.endsWith('.md')) return `/${placeOf(file)}${hash}`;
    if (!statSync(ROOT + file, { throwIfNoEntry: false })?.isFile()) return href; // the check of links names it
    linked.add(file);
    return `/files/${file}`;
  };
  const follow = (tokens: readonly Token[], folder: string): void => {
    for (const token of tokens) {
      const href = token.type === 'link_open' ? token.attrGet('href') : null;
      if (href) token.attrSet('href', placed(folder, href));
      follow(token.children ?? [], folder);
    }
  };
  md.core.ruler.push('follow-places', ({ tokens, env }) => {
    const path = env.realPath ?? env.path;
    follow(tokens, posix.dirname(path.slice(path.indexOf(ROOT) + ROOT.length)));
  });
}

interface State {
  readonly tokens: readonly Token[];
  readonly env: { readonly path: string; readonly realPath?: string };
}

const ROOT = `${posix.join(import.meta.dirname, '../..')}/`;

function apiSidebar(): DefaultTheme.SidebarItem[] {
  try {
    return JSON.parse(readFileSync(new URL('../api/typedoc-sidebar.json', import.meta.url), 'utf8'));
  } catch (cause) {
    throw new Error('docs/api: expected the reference that typedoc writes, found none; npm run docs writes it', { cause });
  }
}

export default defineConfig({
  title: 'Tandem',
  description: 'Exact speculative decoding for T5, whole and from scratch, in TypeScript',
  head: [['link', { rel: 'icon', href: 'data:,' }]],
  srcDir: '..',
  outDir: '../build/site',
  cacheDir: '../build/site-cache',
  cleanUrls: false,
  rewrites: (path) => placeOf(path),
  srcExclude: ['!(README|CONTRIBUTING|CHANGELOG).md', '!(docs|models)/**/*.md'],
  lastUpdated: false,
  markdown: { config: followPlaces },
  buildEnd: ({ outDir }) => {
    for (const file of linked) cpSync(ROOT + file, posix.join(outDir, 'files', file));
  },
  vite: { build: { chunkSizeWarningLimit: 2000 } }, // the index of the search
  themeConfig: {
    nav: [
      { text: 'Tour', link: '/tour' },
      { text: 'Algorithm', link: '/algorithm' },
      { text: 'API', link: '/api/' },
    ],
    sidebar: {
      '/api/': [{ text: 'API', items: apiSidebar() }],
      '/': TOPICS.map(({ text, pages }) => ({
        text,
        items: pages.map(([title, file]) => ({ text: title, link: `/${placeOf(file).replace(/(index)?\.md$/, '')}` })),
      })),
    },
    outline: [2, 3],
    search: { provider: 'local' },
  },
});
