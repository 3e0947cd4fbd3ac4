import { $, el } from './dom.js';

/** Shows the samples that came to the training step last, as they are after augmentation. */
export function drawPictures(pictures) {
  $('samples').hidden = !pictures;
  if (!pictures) return;
  const { width, height, channels, pixels, labels } = pictures;
  const list = $('pictures');
  while (list.children.length > pixels.length) list.lastChild.remove();
  while (list.children.length < pixels.length) list.append(el('li', {}, el('canvas', { role: 'img' }), el('span')));
  for (const [i, text] of pixels.entries()) {
    const [canvas, label] = /** @type {any} */ (list.children[i].children);
    if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
    const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
    const image = new ImageData(width, height);
    for (let at = 0; at < width * height; at++) {
      for (let c = 0; c < 3; c++) image.data[4 * at + c] = bytes[at * channels + (channels === 3 ? c : 0)];
      image.data[4 * at + 3] = 255;
    }
    canvas.getContext('2d').putImageData(image, 0, 0);
    const named = labels[i] >= 0 ? `class ${labels[i]}` : '';
    canvas.setAttribute('aria-label', `sample ${i + 1}${named ? `, ${named}` : ''}`);
    label.textContent = named;
  }
}
