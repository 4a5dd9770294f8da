// The same points without WebGL2: discs are blended into an image.

const raster = { used: false, image: null };

function useRaster(used) {
  raster.used = used;
  byId('raster').hidden = !used;
  byId('points').hidden = used;
  requestDraw();
}

/** How much of each pixel a disc covers, when its middle is in the middle of the mask: 256 is all. */
function discMask(size) {
  const side = Math.ceil(size) | 1;
  const mask = new Uint16Array(side * side);
  const middle = (side - 1) / 2;
  for (let i = 0; i < mask.length; i += 1) {
    const distance = Math.hypot((i % side) - middle, Math.floor(i / side) - middle);
    mask[i] = Math.round(256 * Math.min(Math.max(size / 2 + 0.5 - distance, 0), 1));
  }
  return { side, mask };
}

function drawRaster(step) {
  const canvas = byId('raster');
  fitCanvas(canvas);
  const { width, height } = canvas;
  const context = canvas.getContext('2d');
  if (raster.image?.width !== width || raster.image?.height !== height) raster.image = context.createImageData(width, height);
  const [red, green, blue] = components(theme.ground);
  new Uint32Array(raster.image.data.buffer).fill(((255 << 24) | (blue << 16) | (green << 8) | red) >>> 0);
  const { size, alpha } = shownStyle();
  if (filter.shownCount < rowCount) blendPoints(0, faintSize(), step, faintPaint());
  blendPoints(1, size, step, [0, 0, 0, alpha]);
  context.putImageData(raster.image, 0, 0);
}

function blendPoints(pass, size, step, [r, g, b, alpha]) {
  const { width, height } = raster.image;
  const disc = discMask(Math.max(size * view.ratio, 1));
  const zoom = view.scale * view.ratio;
  const [left, top] = [width / 2 - view.x * zoom - disc.side / 2, height / 2 - view.y * zoom - disc.side / 2];
  const paint = [r * 255, g * 255, b * 255, alpha];
  for (let slot = 0; slot < slots.count; slot += step) {
    if (slots.looks[4 * slot + 2] !== pass) continue;
    const x = Math.round(slots.places[2 * slot] * zoom + left);
    const y = Math.round(slots.places[2 * slot + 1] * zoom + top);
    if (x >= width || y >= height || x + disc.side < 0 || y + disc.side < 0) continue;
    if (pass) {
      const at = 4 * (slots.looks[4 * slot + 1] * 256 + slots.looks[4 * slot]);
      for (let i = 0; i < 3; i += 1) paint[i] = table.pixels[at + i];
      paint[3] = (alpha * table.pixels[at + 3]) / 255;
    }
    blendDisc(x, y, disc, paint);
  }
}

function blendDisc(x, y, { side, mask }, [r, g, b, alpha]) {
  const { width, height, data: pixels } = raster.image;
  for (let dy = Math.max(0, -y); dy < side && y + dy < height; dy += 1) {
    for (let dx = Math.max(0, -x); dx < side && x + dx < width; dx += 1) {
      const cover = (mask[dy * side + dx] * alpha) / 256;
      if (cover === 0) continue;
      const at = 4 * ((y + dy) * width + x + dx);
      pixels[at] += (r - pixels[at]) * cover;
      pixels[at + 1] += (g - pixels[at + 1]) * cover;
      pixels[at + 2] += (b - pixels[at + 2]) * cover;
    }
  }
}
