// The points: in what order, how large, and their drawing by WebGL2.

/** Slots are rows in the order in which they are drawn. */
const slots = { count: 0, rows: null, places: null, looks: null };
/** RGBA of each key, 256 x 256; and the alphas of faint points. */
const table = { pixels: new Uint8Array(256 * 256 * 4), changed: true };
let looksChanged = true;

/** A generator of numbers below `n`: the same in every browser. */
function seededRandom(seed) {
  let state = seed;
  return (n) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 4294967296) * n);
  };
}

/** Outliers first, below the others; else shuffled, so that no topic covers another, and every k-th is a fair sample. */
function orderSlots() {
  const rows = new Uint32Array(index.rows.length);
  let [low, high] = [0, rows.length];
  for (const row of index.rows) {
    if (topicOf(row).id < 0) rows[low++] = row;
    else rows[--high] = row;
  }
  const random = seededRandom(17);
  const shuffle = (from, to) => {
    for (let i = to - 1; i > from; i -= 1) {
      const other = from + random(i - from + 1);
      [rows[i], rows[other]] = [rows[other], rows[i]];
    }
  };
  shuffle(0, low);
  shuffle(low, rows.length);
  const places = new Uint16Array(2 * rows.length);
  rows.forEach((row, slot) => {
    places[2 * slot] = columns.x[row];
    places[2 * slot + 1] = columns.y[row];
  });
  Object.assign(slots, { count: rows.length, rows, places, looks: new Uint8Array(4 * rows.length) });
}

/** Writes what each point's color is looked up by (two bytes), and whether it is shown. */
function writeLooks() {
  const { rows, looks } = slots;
  const key = coloring.keys;
  for (let slot = 0; slot < rows.length; slot += 1) {
    const row = rows[slot];
    looks[4 * slot] = key[row] & 255;
    looks[4 * slot + 1] = key[row] >> 8;
    looks[4 * slot + 2] = filter.shown[row];
  }
  looksChanged = true;
}

/** Size in CSS pixels and opacity of `number` points: smaller and more transparent where they are many, more so from afar. */
function pointStyle(number = slots.count) {
  const extent = (bounds.right - bounds.left) * (bounds.bottom - bounds.top) * view.fit * view.fit;
  const room = Math.max(extent, (view.width * view.height) / 4);
  const zoom = Math.max(view.scale / view.fit, 0.5);
  const base = Math.min(Math.max(Math.sqrt((0.3 * room) / Math.max(number, 1)), 1.3), 7.5);
  const size = Math.min(base * zoom ** 0.4, 13);
  // How often the ground would be covered, if the points were in a fifth of it.
  const cover = (5 * number * size * size) / (room * zoom * zoom);
  return { size, alpha: Math.min(0.92, Math.max(0.3, 1.15 / Math.sqrt(Math.max(cover, 1e-9)))) };
}

/** The style of the points that are not faint: the fewer, the larger, within limits. */
function shownStyle() {
  const all = pointStyle();
  const own = pointStyle(filter.shownCount);
  return { size: Math.min(own.size, Math.max(1.5 * all.size, 4)), alpha: own.alpha };
}

const VERTEX = `#version 300 es
uniform vec2 center, zoom;
uniform float size, alpha;
uniform uint pass;
uniform vec4 faint;
uniform sampler2D colors;
layout(location = 0) in vec2 place;
layout(location = 1) in uvec4 look;
out vec4 paint;
flat out float radius;
void main() {
  if (look.z != pass) { gl_Position = vec4(2., 2., 2., 1.); gl_PointSize = 1.; return; }
  gl_Position = vec4((place - center) * zoom, 0., 1.);
  gl_PointSize = size + 1.;
  radius = size / (size + 1.);
  vec4 own = texelFetch(colors, ivec2(look.x, look.y), 0);
  paint = pass == 1u ? vec4(own.rgb, own.a * alpha) : faint;
}`;
const FRAGMENT = `#version 300 es
precision mediump float;
in vec4 paint;
flat in float radius;
out vec4 color;
void main() {
  float edge = 1. - radius;
  float inside = 1. - smoothstep(radius - edge, radius + edge, length(gl_PointCoord * 2. - 1.));
  float alpha = paint.a * inside;
  color = vec4(paint.rgb * alpha, alpha);
}`;

const webgl = { context: null, lost: null, uniforms: {}, places: null, looks: null, texture: null };

/** Whether this browser draws points by WebGL2. */
function startWebgl() {
  const canvas = byId('points');
  const options = { alpha: true, antialias: false, depth: false, premultipliedAlpha: true, powerPreference: 'low-power' };
  const context = canvas.getContext('webgl2', options);
  if (!context) return false;
  webgl.lost = context.getExtension('WEBGL_lose_context');
  canvas.addEventListener('webglcontextlost', (event) => {
    event.preventDefault();
    webgl.context = null;
    useRaster(true);
  });
  canvas.addEventListener('webglcontextrestored', () => {
    if (prepareWebgl(context)) useRaster(false);
  });
  return prepareWebgl(context);
}

/** The program and the buffers; `false` if this context cannot have them. */
function prepareWebgl(gl) {
  const program = gl.createProgram();
  for (const [kind, source] of [[gl.VERTEX_SHADER, VERTEX], [gl.FRAGMENT_SHADER, FRAGMENT]]) {
    const shader = gl.createShader(kind);
    gl.shaderSource(shader, source);
    gl.compileShader(shader);
    gl.attachShader(program, shader);
  }
  gl.linkProgram(program);
  if (!gl.getProgramParameter(program, gl.LINK_STATUS)) return false;
  gl.useProgram(program);
  for (const name of ['center', 'zoom', 'size', 'alpha', 'pass', 'faint', 'colors']) {
    webgl.uniforms[name] = gl.getUniformLocation(program, name);
  }
  webgl.places = gl.createBuffer();
  gl.bindBuffer(gl.ARRAY_BUFFER, webgl.places);
  gl.bufferData(gl.ARRAY_BUFFER, slots.places, gl.STATIC_DRAW);
  webgl.looks = gl.createBuffer();
  webgl.texture = gl.createTexture();
  gl.bindTexture(gl.TEXTURE_2D, webgl.texture);
  for (const filterKind of [gl.TEXTURE_MIN_FILTER, gl.TEXTURE_MAG_FILTER]) {
    gl.texParameteri(gl.TEXTURE_2D, filterKind, gl.NEAREST);
  }
  gl.enableVertexAttribArray(0);
  gl.enableVertexAttribArray(1);
  gl.enable(gl.BLEND);
  gl.blendFunc(gl.ONE, gl.ONE_MINUS_SRC_ALPHA);
  Object.assign(table, { changed: true });
  looksChanged = true;
  webgl.context = gl;
  return true;
}

function uploadChanges(gl) {
  if (looksChanged) {
    gl.bindBuffer(gl.ARRAY_BUFFER, webgl.looks);
    gl.bufferData(gl.ARRAY_BUFFER, slots.looks, gl.DYNAMIC_DRAW);
    looksChanged = false;
  }
  if (table.changed) {
    gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA8, 256, 256, 0, gl.RGBA, gl.UNSIGNED_BYTE, table.pixels);
    table.changed = false;
  }
}

/** Draws every `step`-th point. */
function drawWebgl(step) {
  const gl = webgl.context;
  const { uniforms } = webgl;
  fitCanvas(gl.canvas);
  uploadChanges(gl);
  gl.viewport(0, 0, gl.canvas.width, gl.canvas.height);
  gl.clearColor(0, 0, 0, 0);
  gl.clear(gl.COLOR_BUFFER_BIT);
  // A longer stride skips points without another buffer.
  gl.bindBuffer(gl.ARRAY_BUFFER, webgl.places);
  gl.vertexAttribPointer(0, 2, gl.UNSIGNED_SHORT, false, 4 * step, 0);
  gl.bindBuffer(gl.ARRAY_BUFFER, webgl.looks);
  gl.vertexAttribIPointer(1, 4, gl.UNSIGNED_BYTE, 4 * step, 0);
  const { size, alpha } = shownStyle();
  gl.uniform2f(uniforms.center, view.x, view.y);
  gl.uniform2f(uniforms.zoom, (2 * view.scale) / view.width, (-2 * view.scale) / view.height);
  gl.uniform1f(uniforms.alpha, alpha);
  gl.uniform4f(uniforms.faint, ...faintPaint());
  const number = Math.floor((slots.count - 1) / step) + 1;
  const draw = (pass, pixels) => {
    gl.uniform1ui(uniforms.pass, pass);
    gl.uniform1f(uniforms.size, pixels * view.ratio);
    gl.drawArrays(gl.POINTS, 0, number);
  };
  if (slots.count && filter.shownCount < rowCount) draw(0, faintSize());
  if (slots.count) draw(1, size);
}

/** Faint points are gray; the more of them, the more transparent. */
function faintPaint() {
  return [...components(theme.faint).map((value) => value / 255), Math.min(pointStyle().alpha, 0.6)];
}
const faintSize = () => Math.max(pointStyle().size * 0.8, 1.2);

/** Gives a canvas as many pixels as the screen has there. */
function fitCanvas(canvas) {
  const [width, height] = [Math.round(view.width * view.ratio), Math.round(view.height * view.ratio)];
  if (canvas.width !== width) canvas.width = width;
  if (canvas.height !== height) canvas.height = height;
}
