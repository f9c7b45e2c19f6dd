/** The page asks a worker, so that it stays free while the models compute, and shows each piece of text as it is decided. */
const worker = new Worker(new URL('./worker.js', import.meta.url), { type: 'module' });
const form = document.querySelector('form');
const output = document.querySelector('p');

form.addEventListener('submit', (event) => {
  event.preventDefault();
  output.textContent = '';
  worker.postMessage(new FormData(form).get('source'));
});

worker.addEventListener('message', ({ data }) => output.append(data));
worker.addEventListener('error', ({ message }) => output.append(message));
