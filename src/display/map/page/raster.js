// The same points without WebGL2: discs are blended into an image.

const raster = { used: false, image: null };

function useRaster(used) {
  raster.used = used;
  byId('raster').hidden = !used;
  byId('points').hidden = used;
  requestDraw();
}

/** A disc: the pixels it covers, from its corner, and how much of each. */
function discOf(size) {
  const side = Math.ceil(size) | 1;
  const middle = (side - 1) / 2;
  const disc = { side, dx: [], dy: [], covers: [] };
  for (let i = 0; i < side * side; i += 1) {
    const [dx, dy] = [i % side, Math.floor(i / side)];
    const cover = Math.min(Math.max(size / 2 + 0.5 - Math.hypot(dx - middle, dy - middle), 0), 1);
    if (cover === 0) continue;
    disc.dx.push(dx);
    disc.dy.push(dy);
    disc.covers.push(cover);
  }
  return disc;
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
  const disc = discOf(Math.max(size * view.ratio, 1));
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

function blendDisc(x, y, { side, dx, dy, covers }, [r, g, b, alpha]) {
  const { width, height, data: pixels } = raster.image;
  const whole = x >= 0 && y >= 0 && x + side <= width && y + side <= height;
  for (let i = 0; i < covers.length; i += 1) {
    const [px, py] = [x + dx[i], y + dy[i]];
    if (!whole && (px < 0 || py < 0 || px >= width || py >= height)) continue;
    const cover = covers[i] * alpha;
    const at = 4 * (py * width + px);
    pixels[at] += (r - pixels[at]) * cover;
    pixels[at + 1] += (g - pixels[at + 1]) * cover;
    pixels[at + 2] += (b - pixels[at + 2]) * cover;
  }
}
