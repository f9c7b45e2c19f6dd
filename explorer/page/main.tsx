import { render } from 'preact';
import { App } from './app';
import { isolate } from './isolation';

const root = document.getElementById('app') as HTMLElement;
isolate().then((stays) => {
  if (stays) render(<App />, root);
});
