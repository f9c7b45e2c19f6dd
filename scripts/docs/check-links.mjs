/** Follows every link and every anchor of the built site (build/site). Names those that lead nowhere, and ends with exit code 1. */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, posix } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseHTML } from 'linkedom';

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '../..');

/** The links of a site that lead nowhere, each as `page: link`, and how many were followed. */
export function deadLinks(site) {
  const pages = new Map(
    readdirSync(site, { recursive: true })
      .map((name) => name.replaceAll('\\', '/'))
      .filter((name) => name.endsWith('.html'))
      .map((name) => [name, readPage(join(site, name))]),
  );
  const dead = [];
  let followed = 0;
  for (const [page, { links }] of pages) {
    for (const link of links) {
      if (/^[a-z]+:|^\/\//i.test(link)) continue;
      followed++;
      const [path, anchor] = decodeURI(link).split('#');
      const place = path === '' ? page : posix.join(path.startsWith('/') ? '' : posix.dirname(page), path);
      const file = [place, posix.join(place, 'index.html'), `${place}.html`]
        .map((one) => one.replace(/^\//, ''))
        .find((one) => existsSync(join(site, one)) && statSync(join(site, one)).isFile());
      const isThere = file !== undefined && (!anchor || !pages.has(file) || pages.get(file).ids.has(anchor));
      if (!isThere) dead.push(`${page}: ${link}`);
    }
  }
  return { dead, followed, pages: pages.size };
}

function readPage(path) {
  const { document } = parseHTML(readFileSync(path, 'utf8'));
  const all = (selector, name) => [...document.querySelectorAll(selector)].map((one) => one.getAttribute(name));
  return {
    links: [...new Set([...all('a[href]', 'href'), ...all('img[src]', 'src')])],
    ids: new Set(all('[id]', 'id')),
  };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { dead, followed, pages } = deadLinks(join(ROOT, 'build/site'));
  for (const one of dead) console.error(one);
  console.log(`${pages} pages, ${followed} links, ${dead.length} dead`);
  process.exitCode = dead.length > 0 || pages === 0 ? 1 : 0;
}
